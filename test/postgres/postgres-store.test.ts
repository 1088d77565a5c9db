import { randomBytes } from 'node:crypto'
import { inspect } from 'node:util'
import { PGlite } from '@electric-sql/pglite'
import { Client, Pool } from 'pg'
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { OAuthError } from '../../src/core/errors.js'
import type { Store } from '../../src/core/ports.js'
import { postgresStoreBy } from '../../src/postgres/postgres-store.js'
import { createTable, postgresStore } from '../../src/postgres/index.js'
import type { PostgresClient, PostgresListener } from '../../src/postgres/index.js'
import { manualClock } from '../../src/testing/manual-clock.js'
import { storeContract } from '../../src/testing/store-contract.js'
import { systemClock } from '../../src/system-clock.js'

const encryptionKey = randomBytes(32).toString('base64')
const marker = 'marker-of-a-token'
const next = (version: string, value = marker) => ({ version, value })

describe('on PGlite', () => {
  const database = new PGlite()
  beforeAll(async () => void (await database.exec(createTable())))
  afterAll(() => database.close())

  const store = () => postgresStore(database, { encryptionKey, listener: database })
  const rows = async (sql: string, values: readonly unknown[] = []) =>
    (await database.query(sql, [...values])).rows as Record<string, unknown>[]

  for (const { name, run } of storeContract(async () => store())) test(`PostgreSQL: ${name}`, run)

  test('a row shows neither the value nor whose it is', async () => {
    await store().replace('issuer client account-of-ada', undefined, next('1'))
    expect(inspect(await rows('SELECT * FROM valetkey'))).not.toMatch(/account-of-ada|marker/)
  })

  test('a row whose text is of another row is read as empty, and can be replaced by its version', async () => {
    const tokens = store()
    await tokens.replace('mine', undefined, next('m1', 'mine'))
    await tokens.replace('other', undefined, next('o1', 'of another'))
    await database.exec(
      `UPDATE valetkey AS one SET value = two.value FROM valetkey AS two WHERE (one.version, two.version) IN (('m1', 'o1'), ('o1', 'm1'))`,
    )
    expect(await tokens.get('mine')).toEqual({ version: 'm1', value: '' })
    expect(await tokens.get('other')).toEqual({ version: 'o1', value: '' })
    expect(await tokens.replace('mine', 'm1', next('m2', 'new'))).toBe(true)
    expect((await tokens.get('mine'))?.value).toBe('new')
  })

  test('what has expired by the server’s clock is removed when it is met, and written over', async () => {
    const tokens = store()
    const count = async () => (await rows(`SELECT 1 FROM valetkey WHERE version IN ('e1', 'e2')`)).length
    await tokens.replace('brief', undefined, { ...next('e1'), expiresAt: Date.now() - 1 })
    expect(await count()).toBe(1)
    expect(await tokens.replace('brief', 'e1', next('e2'))).toBe(false)
    expect(await tokens.get('brief')).toBeUndefined()
    expect(await count()).toBe(0)
    await tokens.replace('brief', undefined, { ...next('e1'), expiresAt: Date.now() - 1 })
    expect(await tokens.replace('brief', undefined, next('e2'))).toBe(true)
    expect((await tokens.get('brief'))?.value).toBe(marker)
  })

  test('the expiry comes back to the millisecond, and one beyond all time is none that PostgreSQL refuses', async () => {
    for (const [expiresAt, read] of [
      [4_102_444_800_123, 4_102_444_800_123],
      [Number.MAX_VALUE, 8.64e15],
      [Infinity, 8.64e15],
    ] as const) {
      const tokens = store()
      const key = `until ${expiresAt}`
      await tokens.replace(key, undefined, { ...next(`v ${expiresAt}`), expiresAt })
      expect((await tokens.get(key))?.expiresAt).toBe(read)
    }
  })

  test('nothing in place of nothing is done, and in place of something it is not', async () => {
    const tokens = store()
    expect(await tokens.replace('absent', undefined, undefined)).toBe(true)
    await tokens.replace('absent', undefined, next('1'))
    expect(await tokens.replace('absent', undefined, undefined)).toBe(false)
  })

  test('every change is told, with the digest of the key alone, to those who watch it', async () => {
    const said: string[] = []
    await database.listen('valetkey', (payload) => said.push(payload))
    const tokens = store()
    let told = 0
    const stop = tokens.watch?.('watched', () => (told += 1))
    await expect.poll(() => told).toBe(1) // the hint that it listens
    await tokens.replace('watched', undefined, next('1'))
    await tokens.replace('not watched', undefined, next('1'))
    await expect.poll(() => said.length).toBe(2)
    expect(told).toBe(2)
    stop?.()
    await tokens.replace('watched', '1', undefined)
    await expect.poll(() => said.length).toBe(3)
    expect(told).toBe(2)
    expect(said).toEqual([said[2], expect.stringMatching(/^[\da-f]{64}$/), expect.stringMatching(/^[\da-f]{64}$/)])
    expect(await tokens.replace('watched', 'not this', next('2'))).toBe(false)
    await tokens.replace('not watched', '1', undefined)
    await expect.poll(() => said.length).toBe(4) // what changed nothing said nothing
  })

  test('a table of another name, in a schema, is as good', async () => {
    await database.exec('CREATE SCHEMA tokens')
    await database.exec(createTable('tokens.Of_Mine'))
    const tokens = postgresStore(database, { encryptionKey, table: 'tokens.Of_Mine' })
    await tokens.replace('key', undefined, next('1'))
    expect((await tokens.get('key'))?.value).toBe(marker)
    expect(await rows('SELECT version FROM tokens."Of_Mine"')).toEqual([{ version: '1' }])
  })

  test('a table that is not there is store_unavailable, which says what makes it', async () => {
    const tokens = postgresStore(database, { encryptionKey, table: 'nowhere' })
    await expect(tokens.get('key')).rejects.toMatchObject({
      code: 'store_unavailable',
      message: expect.stringContaining('createTable()') as string,
    })
  })
})

test('a store without a listener cannot be watched', () => {
  expect(postgresStore({ query: async () => ({ rows: [] }) }, { encryptionKey })).not.toHaveProperty('watch')
})

test('the clients there are fit by their types and shapes, and making a store asks them nothing', async () => {
  const [client, pool, sql] = [new Client({ port: 1 }), new Pool({ port: 1 }), postgres({ port: 1 })]
  expect(Object.keys(postgresStore(client, { encryptionKey, listener: client }))).toContain('watch')
  postgresStore(pool, { encryptionKey })
  expect(Object.keys(postgresStore(sql, { encryptionKey, listener: sql }))).toContain('watch')
  expect(pool.totalCount).toBe(0)
  await Promise.all([pool.end(), sql.end()])
})

test('to postgres() a statement goes unprepared, to pg without a name', async () => {
  const asked: unknown[][] = []
  const answer = async (...parameters: unknown[]) => {
    asked.push(parameters)
    return Object.assign([], { count: 0 })
  }
  await postgresStore(
    Object.assign(() => {}, { unsafe: answer }),
    { encryptionKey },
  ).get('key')
  await postgresStore({ query: async (...parameters: unknown[]) => ({ rows: await answer(...parameters) }) }, { encryptionKey }).get('key')
  expect(asked[0]).toEqual([expect.stringMatching(/^SELECT/), [expect.any(String)], { prepare: false }])
  expect(asked[1]).toEqual([expect.stringMatching(/^SELECT/), [expect.any(String)]])
})

test.for<{ name: string; client: unknown; options?: Record<string, unknown>; says: string }>([
  { name: 'no client', client: undefined, says: 'client' },
  { name: 'an object that is none', client: {}, says: 'client' },
  { name: 'a pool as listener', client: new Pool(), options: { listener: new Pool() }, says: 'listener' },
  { name: 'a listener that is none', client: new Pool(), options: { listener: {} }, says: 'listener' },
  { name: 'an option that is none', client: new Pool(), options: { prefix: 'x' }, says: 'prefix' },
  { name: 'no key', client: new Pool(), options: { encryptionKey: undefined }, says: 'encryptionKey' },
  ...['', 'a.b.c', 'a b', 'a"b', 'a;DROP TABLE b', "a'b", '1a', '.a', 'a.', 'é', 'a'.repeat(64), `a.${'b'.repeat(62)}`].map((table) => ({
    name: `the table ${table}`,
    client: new Pool(),
    options: { table },
    says: 'table',
  })),
])('$name is invalid_configuration', ({ client, options, says }) => {
  const make = () => postgresStore(client as PostgresClient, { encryptionKey, ...options } as never)
  expect(make).toThrow(
    expect.objectContaining({ code: 'invalid_configuration', message: expect.stringContaining(`\`${says}\``) as string }),
  )
})

test.for(['', 'a b', 'x"; DROP TABLE y; --'])('createTable refuses %j as a name', (table) => {
  expect(() => createTable(table)).toThrow(expect.objectContaining({ code: 'invalid_configuration' }))
})

test('createTable is the reviewed statement', () => {
  expect(createTable()).toMatchInlineSnapshot(`
    "CREATE TABLE IF NOT EXISTS "valetkey" (
      key text COLLATE "C" PRIMARY KEY,
      version text COLLATE "C" NOT NULL,
      value text NOT NULL,
      expires_at timestamptz
    )"
  `)
})

async function failure(promise: Promise<unknown> | undefined): Promise<OAuthError> {
  const error: unknown = await promise?.catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(OAuthError)
  return error as OAuthError
}

test.for([
  { name: 'a system’s', error: Object.assign(new Error(marker), { code: 'ECONNREFUSED' }), says: 'ECONNREFUSED' },
  { name: 'the server’s', error: Object.assign(new Error(`Key (${marker})`), { code: '53300', detail: marker }), says: '53300' },
  { name: 'one with a code that is a sentence', error: Object.assign(new Error(marker), { code: marker }), says: 'client failed' },
  { name: 'one that is no error', error: marker, says: 'client failed' },
])('an error of the client, $name, is store_unavailable, and nothing of its text is seen', async ({ error, says }) => {
  const store = postgresStore({ query: () => Promise.reject(error as Error) }, { encryptionKey })
  for (const failed of [await failure(store.get('key')), await failure(store.replace('key', undefined, next('1')))]) {
    expect(failed).toMatchObject({ code: 'store_unavailable', message: expect.stringContaining(says) as string })
    expect(inspect(failed, { showHidden: true, depth: 9 })).not.toContain(marker)
  }
})

test('an answer without rows is store_unavailable', async () => {
  const store = postgresStore({ query: async () => undefined }, { encryptionKey })
  expect((await failure(store.get('key'))).code).toBe('store_unavailable')
  expect((await failure(store.replace('key', undefined, next('1')))).code).toBe('store_unavailable')
})

test('where the isolation is stricter than its own default, being overtaken is false and no failure', async () => {
  const error = Object.assign(new Error('could not serialize access'), { code: '40001' })
  const store = postgresStore({ query: () => Promise.reject(error) }, { encryptionKey })
  expect(await store.replace('key', '1', next('2'))).toBe(false)
})

test.for<{ name: string; begin: (store: Store) => Promise<unknown> }>([
  { name: 'get', begin: (store) => store.get('key') },
  { name: 'replace', begin: (store) => store.replace('key', undefined, next('1')) },
])(
  '$name of a client that never answers is store_unavailable after 5 seconds, and what it says later changes nothing',
  async ({ begin }) => {
    const clock = manualClock()
    let [asked, settled, late] = [false, false, (_: Error): void => {}]
    const query = () => {
      asked = true
      return new Promise<never>((_, reject) => (late = reject))
    }
    const operation = failure(begin(postgresStoreBy({ query }, { encryptionKey }, clock))).finally(() => (settled = true))
    await expect.poll(() => asked).toBe(true)
    await clock.advance(4_999)
    expect(settled).toBe(false)
    await clock.advance(1)
    expect(await operation).toMatchObject({ code: 'store_unavailable', message: expect.stringContaining('in time') as string })
    late(new Error(marker))
  },
)

test('a Client of pg is asked one statement at a time, by however many stores; a Pool is not', async () => {
  let [running, most] = [0, 0]
  const query = async () => {
    most = Math.max(most, (running += 1))
    await new Promise((resolve) => setImmediate(resolve))
    running -= 1
    if (most === 1) throw new Error('failures do not hold up the others')
    return { rows: [] }
  }
  const all = (client: PostgresClient) => {
    const stores = [postgresStore(client, { encryptionKey }), postgresStore(client, { encryptionKey })]
    return Promise.allSettled(Array.from({ length: 10 }, (_, index) => stores[index % 2]?.get(`key ${index}`)))
  }
  await all({ query })
  expect(most).toBe(1)
  await all(Object.assign({ query }, { totalCount: 0 }))
  expect(most).toBeGreaterThan(1)
})

test('nothing waits any more when the client has answered', async () => {
  let waiting = 0
  const clock = {
    ...systemClock,
    wait: async (_: number, signal?: AbortSignal) => {
      waiting += 1
      await new Promise((resolve) => signal?.addEventListener('abort', resolve))
      waiting -= 1
      throw signal?.reason as Error
    },
  }
  const store = postgresStoreBy({ query: async () => ({ rows: [] }) }, { encryptionKey }, clock)
  await store.get('key')
  expect(waiting).toBe(0)
})

describe('watching', () => {
  test('stores over one listener share one subscription, and each stops for itself', async () => {
    const listening: string[] = []
    let tell = (_: string): void => {}
    const listener: PostgresListener = {
      async listen(channel: string, listen: (payload: string) => void) {
        listening.push(channel)
        tell = listen
      },
    }
    const make = (): Store => postgresStore({ query: async () => ({ rows: [] }) }, { encryptionKey, listener })
    const told = [0, 0]
    const stops = [make(), make()].map((store, index) => store.watch?.('key', () => (told[index] = (told[index] ?? 0) + 1)))
    await expect.poll(() => Math.min(...told)).toBeGreaterThan(0)
    expect(listening).toEqual(['valetkey'])
    const before = [...told]
    stops[0]?.()
    tell('2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683') // sha256 of "key"
    tell('anything else')
    await expect.poll(() => told).toEqual([before[0], (before[1] ?? 0) + 1])
  })

  test('a listener that fails is asked again by the next who watches', async () => {
    let fails = true
    let asked = 0
    const listener = {
      async listen() {
        asked += 1
        if (fails) throw new Error('down')
      },
    }
    const store = postgresStore({ query: async () => ({ rows: [] }) }, { encryptionKey, listener })
    store.watch?.('key', () => {})
    await expect.poll(() => asked).toBe(1)
    fails = false
    const told = new Promise<void>((resolve) => store.watch?.('key', resolve))
    await told
    expect(asked).toBe(2)
  })

  test('who has stopped before it listened is never told', async () => {
    let told = 0
    const listener = { listen: async () => {} }
    const store = postgresStore({ query: async () => ({ rows: [] }) }, { encryptionKey, listener })
    store.watch?.('key', () => (told += 1))?.()
    await new Promise<void>((resolve) => store.watch?.('key', resolve))
    expect(told).toBe(0)
  })
})
