import { beforeEach, expect, test, vi } from 'vitest'
import { storageFallback } from '../../src/browser/storage-fallback.js'
import { OAuthError } from '../../src/core/errors.js'
import type { OAuthFact } from '../../src/core/events.js'
import type { Store } from '../../src/core/ports.js'
import { memoryStore } from '../../src/stores/memory.js'
import { storeContract } from '../../src/testing/index.js'

const pendingKey = 'pending'
const record = (version: string, value = version) => ({ version, value })

/** The tab's own storage, as a page finds it. */
function tabStorage(): { items: Map<string, string>; storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'> } {
  const items = new Map<string, string>()
  return {
    items,
    storage: {
      getItem: (key) => items.get(key) ?? null,
      setItem: (key, text) => void items.set(key, text),
      removeItem: (key) => void items.delete(key),
    },
  }
}

let items: Map<string, string>
beforeEach(() => {
  const tab = tabStorage()
  items = tab.items
  vi.stubGlobal('sessionStorage', tab.storage)
})

type Failing = 'never' | 'always' | 'get' | 'replace' | 'replace after writing'

/** A page load over a database that fails as it is told. */
function pageLoad(database: Store = memoryStore(), start: Failing = 'never') {
  const facts: OAuthFact[] = []
  const state = { failing: start, asked: 0 }
  const unavailable = () => new OAuthError('store_unavailable', 'The database could not be used.')
  const fickle: Store = {
    async get(key) {
      state.asked += 1
      if (state.failing === 'always' || state.failing === 'get') throw unavailable()
      return database.get(key)
    },
    async replace(key, seen, next) {
      state.asked += 1
      if (state.failing === 'always' || state.failing === 'replace') throw unavailable()
      const done = await database.replace(key, seen, next)
      if (state.failing === 'replace after writing') throw unavailable()
      return done
    },
    watch: (key, changed) => database.watch?.(key, changed) ?? (() => {}),
  }
  return { store: storageFallback(fickle, { pendingKey, emit: (fact) => void facts.push(fact) }), database, facts, state }
}

const failed = { type: 'store_failed', code: 'store_unavailable' }

for (const failing of ['never', 'always'] as const) {
  for (const { name, run } of storeContract(async () => pageLoad(memoryStore(), failing).store))
    test(`a database that ${failing} fails: ${name}`, run)
}

test('a database that works is used, and nothing is told', async () => {
  const { store, database, facts } = pageLoad()
  expect(await store.get('key')).toBeUndefined()
  await store.replace('key', undefined, record('1'))
  await store.replace(pendingKey, undefined, record('2'))
  expect(await database.get('key')).toEqual(record('1'))
  expect(await database.get(pendingKey)).toEqual(record('2'))
  expect([items.size, facts]).toEqual([0, []])
})

test('B16 a database that fails at first is not asked again: memory takes over, and that is told once', async () => {
  const { store, facts, state } = pageLoad(memoryStore(), 'always')
  await Promise.all([store.get('key'), store.get('other'), store.replace('key', undefined, record('1'))])
  state.failing = 'never'
  expect(await store.get('key')).toEqual(record('1'))
  expect(state.asked).toBe(1)
  expect(facts).toEqual([failed])
  expect(items.size).toBe(0)
})

test('B16 without a database a pending request outlives the page, so that a redirect comes back', async () => {
  const before = pageLoad(memoryStore(), 'always')
  expect(await before.store.replace(pendingKey, undefined, record('1', 'request'))).toBe(true)
  await before.store.replace('key', undefined, record('1', 'tokens'))
  expect([...items]).toEqual([['valetkey pending', '{"version":"1","value":"request"}']])
  const after = pageLoad(memoryStore(), 'always')
  expect(await after.store.get(pendingKey)).toEqual(record('1', 'request'))
  expect(await after.store.get('key')).toBeUndefined()
  expect(await after.store.replace(pendingKey, '1', undefined)).toBe(true)
  expect(items.size).toBe(0)
})

test('B16 a pending request that was left without a database is found by a page load that has one', async () => {
  await pageLoad(memoryStore(), 'always').store.replace(pendingKey, undefined, record('1', 'request'))
  const { store, database } = pageLoad()
  expect(await store.get(pendingKey)).toEqual(record('1', 'request'))
  expect(await store.replace(pendingKey, '1', undefined)).toBe(true)
  await store.replace(pendingKey, undefined, record('2'))
  expect(await database.get(pendingKey)).toEqual(record('2'))
})

test('where the browser keeps nothing at all, a pending request is refused: the user must not be sent away', async () => {
  const { store } = pageLoad(memoryStore(), 'always')
  vi.stubGlobal('sessionStorage', undefined)
  expect(await store.get(pendingKey)).toBeUndefined()
  await expect(store.replace(pendingKey, undefined, record('1'))).rejects.toMatchObject({ code: 'store_unavailable' })
  expect(await store.replace('key', undefined, record('1'))).toBe(true)
})

test.for(['garbage', '7', 'null', '[]', '{}', '{"version":1,"value":""}', '{"version":"1","value":"","expiresAt":"never"}'])(
  'B18 a foreign entry in sessionStorage (%s) is read as empty of the empty version, and can be replaced',
  async (garbage) => {
    items.set('valetkey pending', garbage)
    const { store } = pageLoad(memoryStore(), 'always')
    expect(await store.get(pendingKey)).toEqual({ version: '', value: '' })
    expect(await store.replace(pendingKey, '', record('1'))).toBe(true)
    expect(await store.get(pendingKey)).toEqual(record('1'))
  },
)

test('a pending request that expired is gone', async () => {
  items.set('valetkey pending', JSON.stringify({ ...record('1'), expiresAt: Date.now() - 1 }))
  expect(await pageLoad(memoryStore(), 'always').store.get(pendingKey)).toBeUndefined()
  expect(items.size).toBe(0)
})

test.for([
  { name: 'read', use: (store: Store) => store.get('key') },
  { name: 'written', use: (store: Store) => store.replace('other', undefined, record('1')) },
])('a database in which this page load has $name something is never stood in for', async ({ use }) => {
  const { store, database, facts, state } = pageLoad()
  await database.replace('key', undefined, record('1', 'tokens'))
  await use(store)
  state.failing = 'always'
  await expect(store.get('key')).rejects.toMatchObject({ code: 'store_unavailable' })
  await expect(store.replace('key', '1', record('2'))).rejects.toMatchObject({ code: 'store_unavailable' })
  state.failing = 'never'
  expect(await store.get('key')).toEqual(record('1', 'tokens'))
  await store.get('key')
  state.failing = 'get'
  await expect(store.get('key')).rejects.toMatchObject({ code: 'store_unavailable' })
  // An outage is told by the engine, which meets it with every kind of store.
  expect(facts).toEqual([])
  expect(items.size).toBe(0)
})

test('a first write that surely did not happen goes to memory (a full disk)', async () => {
  const { store, facts, state } = pageLoad()
  expect(await store.get('key')).toBeUndefined()
  state.failing = 'replace'
  expect(await store.replace('key', undefined, record('1'))).toBe(true)
  expect(await store.get('key')).toEqual(record('1'))
  expect(facts).toEqual([failed])
})

test('a first write whose answer was lost is found by looking: there is no second branch in memory', async () => {
  const { store, database, facts, state } = pageLoad(memoryStore(), 'replace after writing')
  expect(await store.replace('key', undefined, record('1'))).toBe(true)
  expect(await database.get('key')).toEqual(record('1'))
  expect(facts).toEqual([])
  state.failing = 'always'
  await expect(store.get('key')).rejects.toMatchObject({ code: 'store_unavailable' })
})

test('a first write of which nobody knows whether it happened is store_unavailable, and there is no standing in from then on', async () => {
  const database = memoryStore()
  const looks = vi.fn(database.get).mockImplementationOnce(database.get).mockRejectedValueOnce(new OAuthError('store_unavailable', ''))
  const writes = vi.fn(database.replace).mockRejectedValueOnce(new OAuthError('store_unavailable', ''))
  const facts: OAuthFact[] = []
  const store = storageFallback({ get: looks, replace: writes }, { pendingKey, emit: (fact) => void facts.push(fact) })
  await expect(store.replace('key', undefined, record('1'))).rejects.toMatchObject({ code: 'store_unavailable' })
  await store.replace('key', undefined, record('2'))
  expect(await database.get('key')).toEqual(record('2'))
  expect(facts).toEqual([])
})

test('nothing is under way in the database when memory takes over', async () => {
  let fail = () => {}
  const database = memoryStore()
  const get = vi
    .fn(database.get)
    .mockImplementationOnce(() => new Promise((_, reject) => (fail = () => reject(new OAuthError('store_unavailable', '')))))
  const replace = vi.fn(database.replace)
  const store = storageFallback({ get, replace }, { pendingKey, emit: () => {} })
  const [reading, writing] = [store.get('key'), store.replace('key', undefined, record('1'))]
  await vi.waitUntil(() => get.mock.calls.length === 1)
  fail()
  expect([await reading, await writing]).toEqual([undefined, true])
  expect(replace).not.toHaveBeenCalled()
  expect(await store.get('key')).toEqual(record('1'))
})
