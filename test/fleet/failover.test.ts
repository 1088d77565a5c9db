import { randomBytes } from 'node:crypto'
import { Redis } from 'ioredis'
import { Client } from 'pg'
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Session } from '../../src/core/session-contract.js'
import type { Store } from '../../src/core/ports.js'
import { createTable, postgresStore } from '../../src/postgres/index.js'
import { redisStore } from '../../src/redis/index.js'
import { userSession } from '../../src/user-session.js'
import { type ScriptedServer, scriptedServer } from '../session/scripted.js'
import { startPostgres } from './set-up/postgres.mjs'
import { startRedis } from './set-up/redis.mjs'

// A replica that takes over may lack the last writes. The authorization server is strict: a refresh token that was spent is refused.

const encryptionKey = randomBytes(32).toString('base64')
const redirectUri = 'https://app.example/callback'

interface Backend {
  readonly name: string
  start(): Promise<void>
  stop(): Promise<unknown>
  /** A handle as another process has it. */
  store(): Store
  snapshot(): Promise<unknown>
  /** The server as it was at the snapshot, or with nothing in it. */
  failOver(to: 'snapshot' | 'nothing'): Promise<unknown>
  /** Puts the text of each of two rows into the other, as one who may write to the database could. */
  exchange(): Promise<unknown>
}

function redis(): Backend {
  let server: Awaited<ReturnType<typeof startRedis>>
  const clients: Redis[] = []
  return {
    name: 'Redis',
    start: async () => void (server = await startRedis()),
    stop: async () => {
      for (const client of clients) client.disconnect()
      await server.stop()
    },
    store() {
      const client = new Redis(server.url)
      clients.push(client)
      // While the server is away it says so again and again; what the store makes of it is looked at here.
      client.on('error', () => {})
      return redisStore(client, { encryptionKey })
    },
    snapshot: async () => server.cli('save'),
    async failOver(to) {
      await server.restart()
      if (to === 'nothing') server.cli('flushall')
    },
    async exchange() {
      const [one = '', other = ''] = server.cli('--raw', 'keys', '*session*').split('\n')
      const [a, b] = [server.cli('--raw', 'hget', one, 'value'), server.cli('--raw', 'hget', other, 'value')]
      server.cli('hset', one, 'value', b)
      server.cli('hset', other, 'value', a)
    },
  }
}

function postgresql(): Backend {
  let server: Awaited<ReturnType<typeof startPostgres>>
  let admin: Client
  const clients: ReturnType<typeof postgres>[] = []
  return {
    name: 'PostgreSQL',
    async start() {
      server = await startPostgres()
      admin = new Client(server.url)
      await admin.connect()
      await admin.query(createTable())
    },
    async stop() {
      await Promise.all([admin.end(), ...clients.map((sql) => sql.end())])
      await server.stop()
    },
    store() {
      const sql = postgres(server.url, { max: 2 })
      clients.push(sql)
      return postgresStore(sql, { encryptionKey })
    },
    snapshot: () => admin.query('DROP TABLE IF EXISTS kept; CREATE TABLE kept AS TABLE valetkey'),
    failOver: (to) => admin.query(`BEGIN; DELETE FROM valetkey; ${to === 'snapshot' ? 'INSERT INTO valetkey TABLE kept;' : ''} COMMIT`),
    exchange: () => admin.query('UPDATE valetkey AS a SET value = b.value FROM valetkey AS b WHERE a.key <> b.key'),
  }
}

describe.for([redis(), postgresql()])('$name', (backend) => {
  beforeAll(() => backend.start())
  afterAll(() => backend.stop())

  /** A process of a fleet that acts for a user of this server. */
  function opened(server: ScriptedServer, account = 'ann'): Session {
    return userSession({
      authorizationServer: server.authorizationServer,
      clientId: 'page',
      redirectUri,
      scope: ['notes:read'],
      account,
      store: backend.store(),
      userAgent: { authorize: async (request) => server.answer(await request(redirectUri)) },
    })
  }

  const renewed = async (session: Session) => (await session.token({ rejected: await session.token() })).reveal()

  async function signedIn() {
    await backend.failOver('nothing')
    const server = await scriptedServer()
    const session = opened(server)
    await session.signIn()
    await backend.snapshot()
    return { server, session }
  }

  test('R6 a renewal that the store lost is put back by who knows it, and the session goes on', async () => {
    const { server, session } = await signedIn()
    const last = [await renewed(session), await renewed(session)][1]
    await backend.failOver('snapshot')
    expect((await session.token()).reveal()).toBe(last)
    // One that never saw the lost record spends the refresh token that is good.
    const other = opened(server)
    expect((await other.token()).reveal()).toBe(last)
    expect(await renewed(other)).not.toBe(last)
    expect(server.tokenRequests()).toHaveLength(4)
  })

  test('an end that the store lost is put back: the session that it still held stays ended', async () => {
    const { server, session } = await signedIn()
    await session.signOut()
    await backend.failOver('snapshot')
    await expect(session.token()).rejects.toMatchObject({ code: 'sign_in_required' })
    const other = opened(server)
    expect(await other.resume()).toBe(false)
    expect(other.snapshot().ended).toBe('signed_out')
  })

  test('a session that has ended is not brought back by one who knows a later generation of it', async () => {
    const { server, session } = await signedIn()
    await renewed(session)
    await renewed(session)
    await backend.failOver('snapshot')
    const other = opened(server)
    await other.signOut()
    await expect(session.token()).rejects.toMatchObject({ code: 'sign_in_required' })
    expect(await opened(server).resume()).toBe(false)
    expect(server.tokenRequests()).toHaveLength(3)
  })

  test('nothing is put where nothing is, nor over another session', async () => {
    const { server, session } = await signedIn()
    await renewed(session)
    await backend.failOver('nothing')
    await expect(session.token()).rejects.toMatchObject({ code: 'sign_in_required' })
    const other = opened(server)
    expect(await other.resume()).toBe(false)
    await other.signIn()
    const theirs = (await other.token()).reveal()
    // A call that begins now is for the session that is there now.
    expect((await session.token()).reveal()).toBe(theirs)
    expect((await opened(server).token()).reveal()).toBe(theirs)
  })

  test('B18 attack 44 two rows whose texts were exchanged are record_invalid, and nothing of them is sent', async () => {
    const { server } = await signedIn()
    await opened(server, 'bob').signIn()
    await backend.exchange()
    const before = server.wire.received.length
    for (const account of ['ann', 'bob']) {
      const session = opened(server, account)
      await expect(session.token()).rejects.toMatchObject({ code: 'record_invalid' })
      expect(await session.resume()).toBe(false)
    }
    expect(server.wire.received).toHaveLength(before)
    const again = opened(server)
    await again.signIn()
    expect(await again.token()).toMatchObject({ tokenType: 'Bearer' })
  })
})
