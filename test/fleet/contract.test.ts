import { randomBytes } from 'node:crypto'
import { Cluster, Redis } from 'ioredis'
import { Client, Pool } from 'pg'
import postgres from 'postgres'
import { createClient, createCluster } from 'redis'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Store } from '../../src/core/ports.js'
import { createTable, postgresStore } from '../../src/postgres/index.js'
import type { PostgresClient } from '../../src/postgres/index.js'
import { redisStore } from '../../src/redis/index.js'
import type { RedisClient, RedisSubscriber } from '../../src/redis/index.js'
import { storeContract } from '../../src/testing/store-contract.js'
import { startPooler, startPostgres } from './set-up/postgres.mjs'
import { startRedis } from './set-up/redis.mjs'

const newKey = () => randomBytes(32).toString('base64')
const encryptionKey = newKey()
const next = (version: string, value = `value of ${version}`) => ({ version, value })

type Options = Partial<Parameters<typeof redisStore>[1] & Parameters<typeof postgresStore>[1]>

/** A client of a kind, connected. */
interface Kind {
  readonly name: string
  readonly connect: () => Promise<{ readonly store: (options?: Options) => Store; readonly end: () => Promise<unknown> }>
}

/** What holds on every server, through every client. */
function holdsOn(kinds: readonly Kind[], swap: (one: string, other: string) => Promise<void>): void {
  describe.for(kinds)('$name', ({ connect }) => {
    let made: Awaited<ReturnType<Kind['connect']>>
    beforeAll(async () => {
      made = await connect()
    })
    afterAll(() => made.end())

    // The rules are known before the server is: each finds it when it runs.
    for (const { name, run } of storeContract(async () => made.store())) test(name, run)

    test('two rows whose texts were exchanged are read as empty, and can be replaced', async () => {
      const store = made.store()
      const [one, other] = [newKey(), newKey()]
      await store.replace(one, undefined, next(`1 ${one}`))
      await store.replace(other, undefined, next(`1 ${other}`))
      await swap(one, other)
      for (const key of [one, other]) {
        const held = await store.get(key)
        expect(held).toEqual({ version: `1 ${key}`, value: '' })
        expect(await store.replace(key, held?.version, next('2', 'new'))).toBe(true)
        expect((await store.get(key))?.value).toBe('new')
      }
    })

    test('the encryption key is changed while both are in use: the first seals, all open', async () => {
      const [k1, k2, key] = [newKey(), newKey(), newKey()]
      const [before, during, after] = [{ k1 }, { k2, k1 }, { k2 }].map((keys) => made.store({ encryptionKey: keys })) as [
        Store,
        Store,
        Store,
      ]
      await before.replace(key, undefined, next('1'))
      expect((await during.get(key))?.value).toBe('value of 1')
      expect((await after.get(key))?.value).toBe('')
      await during.replace(key, '1', next('2'))
      expect((await after.get(key))?.value).toBe('value of 2')
      expect((await before.get(key))?.value).toBe('')
    })

    test('what has expired is gone by the server’s clock', async () => {
      const [store, key] = [made.store(), newKey()]
      await store.replace(key, undefined, { ...next('1'), expiresAt: Date.now() - 1 })
      expect(await store.get(key)).toBeUndefined()
      await store.replace(key, undefined, { ...next('2'), expiresAt: Date.now() + 3_600_000 })
      // A write without an expiry takes the old one away.
      await store.replace(key, '2', next('3'))
      expect(await store.get(key)).toEqual(next('3'))
    })
  })
}

/** Every change reaches a watcher on another connection: not only the hint at the beginning. */
async function isTold(watching: Store, writing: Store): Promise<void> {
  const key = newKey()
  let told = 0
  const stop = watching.watch?.(key, () => (told += 1))
  await expect.poll(() => told).toBe(1)
  await writing.replace(key, undefined, next('1'))
  await expect.poll(() => told).toBe(2)
  await writing.replace(key, 'not this', next('2'))
  await writing.replace(key, '1', undefined)
  await expect.poll(() => told).toBe(3)
  stop?.()
}

describe('Redis', () => {
  let server: Awaited<ReturnType<typeof startRedis>>
  let cluster: Awaited<ReturnType<typeof startRedis>>
  beforeAll(async () => {
    ;[server, cluster] = await Promise.all([startRedis(), startRedis({ cluster: true })])
  })
  afterAll(() => Promise.all([server.stop(), cluster.stop()]))

  const made = (client: RedisClient, subscriber: RedisSubscriber | undefined, end: () => Promise<unknown>) => ({
    store: (options: Options = {}) =>
      redisStore(client, { encryptionKey, ...(subscriber === undefined ? {} : { subscriber }), ...options }),
    end,
  })

  const nodeRedis = async (RESP: 2 | 3) => {
    const [client, subscriber] = await Promise.all([1, 2].map(() => createClient({ url: server.url, RESP }).connect()))
    if (client === undefined || subscriber === undefined) throw new Error('no client')
    return made(client, subscriber, () => Promise.all([client.close(), subscriber.close()]))
  }
  const ioredis = async (options: object = {}) => {
    const [client, subscriber] = [new Redis(server.url, options), new Redis(server.url, options)]
    return made(client, subscriber, () => Promise.all([client.quit(), subscriber.quit()]))
  }
  const kinds: readonly Kind[] = [
    { name: 'node-redis', connect: () => nodeRedis(2) },
    { name: 'node-redis that speaks RESP 3', connect: () => nodeRedis(3) },
    { name: 'ioredis', connect: () => ioredis() },
    {
      name: 'ioredis with a prefix of its own, texts for numbers and pipelines',
      connect: () => ioredis({ keyPrefix: 'mine:', stringNumbers: true, enableAutoPipelining: true }),
    },
  ]
  const nodes = () => [{ host: '127.0.0.1', port: cluster.port }]
  const clusters: readonly Kind[] = [
    {
      name: 'node-redis on a cluster',
      connect: async () => {
        const client = await createCluster({ rootNodes: [{ url: cluster.url }] }).connect()
        return made(client, undefined, async () => client.close())
      },
    },
    {
      name: 'ioredis on a cluster',
      connect: async () => {
        const [client, subscriber] = [new Cluster(nodes()), new Cluster(nodes())]
        return made(client, subscriber, () => Promise.all([client.quit(), subscriber.quit()]))
      },
    },
  ]

  const exchange = (of: () => typeof server) => async (one: string, other: string) => {
    const names = of().cli('--raw', 'keys', '*').split('\n')
    const [first, second] = [one, other].map((key) => names.find((name) => name.endsWith(key)) ?? '') as [string, string]
    const [a, b] = [first, second].map((name) => of().cli('--raw', 'hget', name, 'value')) as [string, string]
    of().cli('hset', first, 'value', b)
    of().cli('hset', second, 'value', a)
  }
  holdsOn(
    kinds,
    exchange(() => server),
  )
  holdsOn(
    clusters,
    exchange(() => cluster),
  )

  test('each command touches one key, so that a cluster knows its node', async () => {
    const client = await createClient({ url: server.url }).connect()
    const watching = new Redis(server.url)
    const monitor = await watching.monitor()
    const commands: string[][] = []
    monitor.on('monitor', (_: string, words: string[], source: string) => source !== 'lua' && commands.push(words))
    const store = redisStore(client, { encryptionKey })
    await store.replace('a', undefined, next('1'))
    await store.get('a')
    await store.replace('a', '1', undefined)
    await expect.poll(() => commands.length).toBe(3)
    for (const words of commands) expect(server.cli('--raw', 'command', 'getkeys', ...words)).toBe('valetkey:a')
    monitor.disconnect()
    watching.disconnect()
    await client.close()
  })

  test('a write that is sent twice, for its answer was lost, says the same twice', async () => {
    const client = new Redis(server.url)
    const [store, key] = [redisStore(client, { encryptionKey }), newKey()]
    expect(await store.replace(key, undefined, next('1'))).toBe(true)
    expect(await store.replace(key, undefined, next('1'))).toBe(true)
    expect(await store.replace(key, '0', next('1'))).toBe(true)
    expect(await store.replace(key, '0', next('2'))).toBe(false)
    expect((await store.get(key))?.version).toBe('1')
    await client.quit()
  })

  test('a record lives as long as its last write says', async () => {
    const client = new Redis(server.url)
    const store = redisStore(client, { encryptionKey })
    const lives = () => Number(server.cli('pexpiretime', 'valetkey:brief'))
    await store.replace('brief', undefined, { ...next('1'), expiresAt: 4_102_444_800_123 })
    expect(lives()).toBe(4_102_444_800_123)
    await store.replace('brief', '1', next('2'))
    expect(lives()).toBe(-1)
    await client.quit()
  })

  test('a server that has forgotten its scripts gets them with the next write', async () => {
    const client = new Redis(server.url)
    const [store, key] = [redisStore(client, { encryptionKey }), newKey()]
    await store.replace(key, undefined, next('1'))
    server.cli('script', 'flush')
    expect(await store.replace(key, '1', next('2'))).toBe(true)
    await client.quit()
  })

  test('a client that may not publish writes all the same', async () => {
    server.cli('acl', 'setuser', 'quiet', 'on', 'nopass', '~valetkey:*', 'resetchannels', '+@all')
    const client = new Redis({ port: server.port, username: 'quiet', password: 'any' })
    const [store, key] = [redisStore(client, { encryptionKey }), newKey()]
    expect(await store.replace(key, undefined, next('1'))).toBe(true)
    expect((await store.get(key))?.version).toBe('1')
    await client.quit()
  })

  test('a full server refuses a write whole, and keeps what it held', async () => {
    const full = await startRedis({ settings: ['--maxmemory', '100mb'] })
    const client = new Redis(full.url)
    const store = redisStore(client, { encryptionKey })
    await store.replace('key', undefined, next('1'))
    full.cli('config', 'set', 'maxmemory', '1')
    await expect(store.replace('key', '1', next('2'))).rejects.toMatchObject({
      code: 'store_unavailable',
      message: expect.stringContaining('OOM') as string,
    })
    expect(await store.get('key')).toEqual(next('1'))
    await client.quit()
    await full.stop()
  })

  test('a key that holds something else is store_unavailable, and stays', async () => {
    const client = new Redis(server.url)
    server.cli('lpush', 'valetkey:list', 'mine')
    const store = redisStore(client, { encryptionKey })
    const refused = { code: 'store_unavailable', message: expect.stringContaining('WRONGTYPE') as string }
    await expect(store.get('list')).rejects.toMatchObject(refused)
    await expect(store.replace('list', undefined, next('1'))).rejects.toMatchObject(refused)
    expect(server.cli('lrange', 'valetkey:list', '0', '-1')).toBe('mine')
    await client.quit()
  })

  test.for(['node-redis', 'ioredis'])('every change is told through the subscriber, %s', async (name) => {
    const kind = kinds.find((one) => one.name === name)
    const [one, other] = [await kind?.connect(), await kind?.connect()]
    if (one === undefined || other === undefined) throw new Error('no client')
    await isTold(one.store(), one.store())
    await isTold(one.store(), other.store())
    await Promise.all([one.end(), other.end()])
  })

  test('on a cluster, every change is told too', async () => {
    const made = await clusters[1]?.connect()
    if (made === undefined) throw new Error('no client')
    await isTold(made.store(), made.store())
    await made.end()
  })
})

describe('PostgreSQL', () => {
  let server: Awaited<ReturnType<typeof startPostgres>>
  let pooler: Awaited<ReturnType<typeof startPooler>>
  let admin: Client
  beforeAll(async () => {
    server = await startPostgres()
    pooler = await startPooler(server)
    admin = new Client(server.url)
    await admin.connect()
    await admin.query(createTable())
  })
  afterAll(async () => {
    await admin.end()
    await pooler.stop()
    await server.stop()
  })

  const made = async (client: PostgresClient, end: () => Promise<unknown>) => {
    // Through a transaction pooler nobody can listen: that is a connection of its own.
    const listener = new Client(server.url)
    await listener.connect()
    return {
      store: (options: Options = {}) => postgresStore(client, { encryptionKey, listener, ...options }),
      end: () => Promise.all([end(), listener.end()]),
    }
  }
  const pgClient = async (url: string) => {
    const client = new Client(url)
    await client.connect()
    return made(client, () => client.end())
  }
  const pgPool = async (url: string) => {
    const pool = new Pool({ connectionString: url, max: 8 })
    return made(pool, () => pool.end())
  }
  const postgresJs = async (url: string, options: object = {}) => {
    const sql = postgres(url, { max: 8, ...options })
    return made(sql, () => sql.end())
  }
  const strict = (url: string) => `${url}?options=-c%20default_transaction_isolation%3Dserializable`
  const kinds: readonly Kind[] = [
    { name: 'pg, a Client', connect: () => pgClient(server.url) },
    { name: 'pg, a Pool', connect: () => pgPool(server.url) },
    { name: 'postgres', connect: () => postgresJs(server.url) },
    { name: 'postgres that renames columns', connect: () => postgresJs(server.url, { transform: postgres.pascal }) },
    { name: 'pg, a Pool, through PgBouncer in transaction mode', connect: () => pgPool(pooler.url) },
    { name: 'postgres through PgBouncer in transaction mode', connect: () => postgresJs(pooler.url) },
    { name: 'pg, a Pool, where every transaction is serializable', connect: () => pgPool(strict(server.url)) },
  ]

  holdsOn(kinds, async (one, other) => {
    const versions = [`1 ${one}`, `1 ${other}`]
    await admin.query(
      'UPDATE valetkey AS a SET value = b.value FROM valetkey AS b WHERE a.version = ANY($1) AND b.version = ANY($1) AND a.key <> b.key',
      [versions],
    )
  })

  test('no statement of ours stays prepared, and no connection stays in a transaction', async () => {
    const sql = postgres(server.url, { max: 1 })
    const store = postgresStore(sql, { encryptionKey })
    await store.replace('prepared', undefined, next('1'))
    await store.get('prepared')
    // postgres() prepares one of its own, about types.
    expect(await sql.unsafe("SELECT name FROM pg_prepared_statements WHERE statement LIKE '%valetkey%'")).toHaveLength(0)
    await sql.end()
    expect((await admin.query("SELECT 1 FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'")).rows).toEqual([])
  })

  test.for(['pg, a Client', 'postgres', 'pg, a Pool, through PgBouncer in transaction mode'])(
    'every change is told through the listener, %s',
    async (name) => {
      const made = await kinds.find((one) => one.name === name)?.connect()
      if (made === undefined) throw new Error('no client')
      await isTold(made.store(), made.store())
      await made.end()
    },
  )

  test('postgres() listens by itself', async () => {
    const sql = postgres(server.url)
    await isTold(postgresStore(sql, { encryptionKey, listener: sql }), postgresStore(sql, { encryptionKey }))
    await sql.end()
  })
})
