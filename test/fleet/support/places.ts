import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { Client } from 'pg'
import { decodeTokenRecord } from '../../../src/core/codec.js'
import type { TokenRecord } from '../../../src/core/token-record.js'
import { createTable } from '../../../src/postgres/index.js'
import { type OpenStore, openStore } from '../programs/open-store.js'
import type { StoreOrder } from '../programs/orders.js'
import { startPostgres } from '../set-up/postgres.mjs'
import { startRedis } from '../set-up/redis.mjs'

/** A kind of store on a real server, or on the disk. */
export interface Place {
  readonly name: string
  /** How many processes share it at most. */
  readonly most: number
  /** The clients through which it is used; the first is the usual one. */
  readonly kinds: readonly StoreOrder['kind'][]
  start(): Promise<void>
  stop(): Promise<unknown>
  order(kind?: StoreOrder['kind']): StoreOrder
  /** What lies in the store, sealed. */
  raw(account: string, key: string): Promise<string>
  putRaw(account: string, key: string, text: string): Promise<unknown>
}

const newKey = () => randomBytes(32).toString('base64')

function redis(): Place {
  const encryptionKey = newKey()
  let server: Awaited<ReturnType<typeof startRedis>>
  let admin: Redis
  return {
    name: 'Redis',
    most: 64,
    kinds: ['redis', 'ioredis'],
    async start() {
      server = await startRedis()
      admin = new Redis(server.url)
    },
    async stop() {
      admin.disconnect()
      await server.stop()
    },
    order: (kind = 'redis') => ({ kind, at: server.url, encryptionKey }),
    raw: async (_, key) => (await admin.hget(`valetkey:${key}`, 'value')) ?? '',
    putRaw: (_, key, text) => admin.hset(`valetkey:${key}`, 'value', text),
  }
}

function postgresql(): Place {
  const encryptionKey = newKey()
  let server: Awaited<ReturnType<typeof startPostgres>>
  let admin: Client
  const id = (key: string) => createHash('sha256').update(key).digest('hex')
  return {
    name: 'PostgreSQL',
    most: 64,
    kinds: ['pg', 'postgres'],
    async start() {
      server = await startPostgres()
      admin = new Client(server.url)
      await admin.connect()
      await admin.query(createTable())
    },
    async stop() {
      await admin.end()
      await server.stop()
    },
    order: (kind = 'pg') => ({ kind, at: server.url, encryptionKey }),
    raw: async (_, key) => String((await admin.query('SELECT value FROM valetkey WHERE key = $1', [id(key)])).rows[0]?.value),
    putRaw: (_, key, text) => admin.query('UPDATE valetkey SET value = $2 WHERE key = $1', [id(key), text]),
  }
}

function file(): Place {
  const encryptionKey = newKey()
  let folder = ''
  const current = async (account: string) => {
    const records = join(folder, account, 'records')
    const mark = (await readdir(records)).find((name) => name.startsWith('current-'))
    return join(records, `${mark?.split('-')[2]}.json`)
  }
  const read = async (account: string) =>
    JSON.parse(await readFile(await current(account), 'utf8')) as { records: Record<string, { value: string }> }
  return {
    name: 'a file',
    most: 16,
    kinds: ['file'],
    start: async () => void (folder = await mkdtemp(join(tmpdir(), 'valetkey-file-'))),
    stop: () => rm(folder, { recursive: true, force: true }),
    order: () => ({ kind: 'file', at: folder, encryptionKey }),
    raw: async (account, key) => (await read(account)).records[key]?.value ?? '',
    async putRaw(account, key, text) {
      const all = await read(account)
      const held = all.records[key]
      if (held !== undefined) held.value = text
      await writeFile(await current(account), JSON.stringify(all))
    },
  }
}

export const places: readonly Place[] = [file(), redis(), postgresql()]

/** What the test itself sees of a store: as one more process does, without an engine. */
export interface Onlooker {
  readonly store: OpenStore
  record(account: string, key: string): Promise<TokenRecord>
  close(): Promise<unknown>
}

export async function onlooker(order: StoreOrder): Promise<Onlooker> {
  const store = await openStore(order)
  return {
    store,
    async record(account, key) {
      const held = await (await store.of(account)).get(key)
      const record = held === undefined ? undefined : decodeTokenRecord(held.value)
      if (record === undefined) throw new Error(`no record of ${account}`)
      return record
    },
    close: store.close,
  }
}

/** Where the session of an account lies. */
export function sessionKey(issuer: string, clientId: string, account: string): string {
  return ['valetkey', 'session', issuer, clientId, account].map(encodeURIComponent).join(':')
}
