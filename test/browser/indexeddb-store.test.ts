import 'fake-indexeddb/auto'
import { IDBFactory } from 'fake-indexeddb'
import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { indexedDBStore, indexedDBStoreBy } from '../../src/browser/indexeddb-store.js'
import { OAuthError } from '../../src/core/errors.js'
import type { Clock } from '../../src/core/ports.js'
import { manualClock, storeContract } from '../../src/testing/index.js'

const marker = 'marker-of-a-token'
const record = (version: string, value: string) => ({ version, value })

beforeEach(() => {
  globalThis.indexedDB = new IDBFactory()
})
afterEach(() => vi.restoreAllMocks())

for (const { name, run } of storeContract(async () => indexedDBStore())) test(`IndexedDB: ${name}`, run)

/** What lies in the database, as a script of the page could read it. */
async function dump(database = 'valetkey'): Promise<ReadonlyMap<unknown, unknown>> {
  const records = await objectStore('readonly', database)
  const [keys, values] = await Promise.all([done(records.getAllKeys()), done(records.getAll())])
  records.transaction.db.close()
  return new Map(keys.map((key, index) => [key, values[index] as unknown]))
}

async function put(key: string, value: unknown): Promise<void> {
  const records = await objectStore('readwrite')
  await done(records.put(value, key))
  records.transaction.db.close()
}

async function objectStore(mode: IDBTransactionMode, database = 'valetkey'): Promise<IDBObjectStore> {
  const open = indexedDB.open(database)
  open.onupgradeneeded = () => open.result.createObjectStore('records')
  return (await done(open)).transaction('records', mode).objectStore('records')
}

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error as DOMException)
  })
}

test('making a store touches nothing, and asks for no window and no database', async () => {
  delete (globalThis as { indexedDB?: unknown }).indexedDB
  const store = indexedDBStore()
  await expect(store.get('key')).rejects.toMatchObject({ code: 'store_unavailable' })
  globalThis.indexedDB = new IDBFactory()
  expect(await store.get('key')).toBeUndefined()
})

test('B6 a database of its own name, and of another name another store', async () => {
  await indexedDBStore().replace('key', undefined, record('1', 'one'))
  await indexedDBStore({ database: 'other' }).replace('key', undefined, record('1', 'other'))
  expect((await indexedDB.databases()).map(({ name }) => name).toSorted()).toEqual(['other', 'valetkey'])
  expect((await indexedDBStore().get('key'))?.value).toBe('one')
})

test.for([
  { name: 'an unknown one', options: { databse: 'x' }, says: /databse/ },
  { name: 'an empty name', options: { database: '' }, says: /database/ },
  { name: 'no name', options: { database: 7 }, says: /database/ },
])('a wrong option is refused by its name: $name', ({ options, says }) => {
  expect(() => indexedDBStore(options as never)).toThrow(says)
})

test('B2 nothing of a value lies in the database in clear, and its key cannot be read out', async () => {
  await indexedDBStore().replace('key', undefined, record('1', marker))
  const held = await dump()
  expect([...held.keys()].toSorted()).toEqual(['record key', 'sealing key'])
  expect(inspect(held, { depth: 9 })).not.toContain(marker)
  expect(JSON.stringify([...held])).not.toContain(Buffer.from(marker).toString('base64').slice(0, 16))
  const { key } = held.get('sealing key') as { key: CryptoKey }
  expect(key.extractable).toBe(false)
  await expect(crypto.subtle.exportKey('raw', key)).rejects.toThrow()
})

test('a row put in the place of another is read as empty, and can be replaced by its version', async () => {
  const store = indexedDBStore()
  await store.replace('mine', undefined, record('1', 'mine'))
  await store.replace('other', undefined, record('2', 'of another'))
  const held = await dump()
  await put('record mine', held.get('record other'))
  expect(await store.get('mine')).toEqual({ version: '2', value: '' })
  expect(await store.replace('mine', '2', record('3', 'new'))).toBe(true)
  expect((await store.get('mine'))?.value).toBe('new')
})

test.for([
  { name: 'a text', garbage: 'garbage' },
  { name: 'null', garbage: null },
  { name: 'a number', garbage: 7 },
  { name: 'a list', garbage: [1] },
  { name: 'an object without a version', garbage: { value: '' } },
  { name: 'a version that is no text', garbage: { version: 1, value: '' } },
  { name: 'a value that is no text', garbage: { version: '1', value: {} } },
  { name: 'an expiry that is no number', garbage: { version: '1', value: '', expiresAt: 'never' } },
])('B18 a foreign entry ($name) is read as empty of the empty version, and can be replaced', async ({ garbage }) => {
  const store = indexedDBStore()
  await put('record key', garbage)
  expect(await store.get('key')).toEqual({ version: '', value: '' })
  expect(await store.replace('key', undefined, record('1', 'new'))).toBe(false)
  expect(await store.replace('key', '', record('1', 'new'))).toBe(true)
  expect((await store.get('key'))?.value).toBe('new')
})

test('an entry that says undefined, as idb-keyval can leave one, is nothing', async () => {
  await put('record key', undefined)
  const store = indexedDBStore()
  expect(await store.get('key')).toBeUndefined()
  expect(await store.replace('key', undefined, record('1', 'new'))).toBe(true)
})

test('neither a deletion nor a comparison that fails leaves an entry behind', async () => {
  const store = indexedDBStore()
  await store.replace('key', undefined, record('1', 'one'))
  await store.replace('key', '1', undefined)
  await store.replace('other', 'never there', record('2', 'two'))
  expect([...(await dump()).keys()]).toEqual(['sealing key'])
})

test('a sealing key that was tampered with is replaced; what the old one sealed is read as empty', async () => {
  await indexedDBStore().replace('key', undefined, record('1', 'one'))
  const extractable = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, true, ['encrypt', 'decrypt'])
  for (const planted of [{ id: 'planted', key: extractable }, { id: 'planted', key: 'text' }, 'garbage', null]) {
    await put('sealing key', planted)
    const store = indexedDBStore()
    expect(await store.get('key')).toEqual({ version: '1', value: '' })
    const { id, key } = (await dump()).get('sealing key') as { id: string; key: CryptoKey }
    expect(id).not.toBe('planted')
    expect(key.extractable).toBe(false)
  }
})

test('of many stores that are first at once, one makes the sealing key for all', async () => {
  const stores = Array.from({ length: 10 }, () => indexedDBStore())
  await Promise.all(stores.map((store, index) => store.replace(`key ${index}`, undefined, record('1', `${index}`))))
  const values = await Promise.all(stores.map((_, index) => stores[(index + 1) % 10]?.get(`key ${index}`)))
  expect(values.map((held) => held?.value)).toEqual(stores.map((_, index) => `${index}`))
})

test('what has expired is missing, and removed when it is met', async () => {
  const clock = manualClock(1_000)
  const store = indexedDBStoreBy('valetkey', {
    ...clock,
    wait: async (...args) => new Promise((_, reject) => args[1]?.addEventListener('abort', reject)),
  })
  await store.replace('key', undefined, { ...record('1', 'one'), expiresAt: 2_000 })
  expect((await store.get('key'))?.value).toBe('one')
  await clock.advance(1_000)
  expect(await store.replace('key', '1', record('2', 'two'))).toBe(false)
  expect((await dump()).has('record key')).toBe(true)
  expect(await store.get('key')).toBeUndefined()
  expect((await dump()).has('record key')).toBe(false)
  expect(await store.replace('key', undefined, record('3', 'three'))).toBe(true)
})

test('another tab may delete the database; this one goes on with a new one and a new key', async () => {
  const store = indexedDBStore()
  await store.replace('key', undefined, record('1', 'one'))
  const before = (await dump()).get('sealing key') as { id: string }
  const blocked = vi.fn()
  const deletion = indexedDB.deleteDatabase('valetkey')
  deletion.onblocked = blocked
  await done(deletion)
  expect(blocked).not.toHaveBeenCalled()
  expect(await store.get('key')).toBeUndefined()
  expect(await store.replace('key', undefined, record('2', 'two'))).toBe(true)
  expect((await store.get('key'))?.value).toBe('two')
  const after = (await dump()).get('sealing key') as { id: string }
  expect(after.id).not.toBe(before.id)
  expect((await indexedDBStore().get('key'))?.value).toBe('two')
})

test('whoever watches is told when another tab deletes the database: what was there is gone', async () => {
  const store = indexedDBStore()
  await store.replace('key', undefined, record('1', 'one'))
  const told = new Promise<void>((resolve) => void store.watch?.('key', resolve))
  await done(indexedDB.deleteDatabase('valetkey'))
  await told
  expect(await store.get('key')).toBeUndefined()
})

test('a connection that the browser has closed without a word is opened anew', async () => {
  const transaction = vi.spyOn(IDBDatabase.prototype, 'transaction')
  const store = indexedDBStore()
  await store.replace('key', undefined, record('1', 'one'))
  const close = () => (transaction.mock.contexts.at(-1) as unknown as IDBDatabase).close()
  close()
  expect((await store.get('key'))?.value).toBe('one')
  close()
  expect(await store.replace('key', '1', record('2', 'two'))).toBe(true)
  expect((await indexedDBStore().get('key'))?.value).toBe('two')
})

test('a connection that died is opened again, once', async () => {
  const store = indexedDBStore()
  await store.replace('key', undefined, record('1', 'one'))
  const transaction = vi.spyOn(IDBDatabase.prototype, 'transaction')
  const dying = () => {
    throw new DOMException('The database connection is closing.', 'InvalidStateError')
  }
  transaction.mockImplementationOnce(dying)
  expect((await store.get('key'))?.value).toBe('one')
  transaction.mockImplementationOnce(dying)
  expect(await store.replace('key', '1', record('2', 'two'))).toBe(true)
  expect((await store.get('key'))?.value).toBe('two')
  transaction.mockImplementation(dying)
  await expect(store.get('key')).rejects.toMatchObject({
    code: 'store_unavailable',
    message: expect.stringContaining('InvalidStateError') as string,
  })
})

test('a failure of the database is store_unavailable by name alone: its text and itself stay inside', async () => {
  vi.spyOn(IDBFactory.prototype, 'open').mockImplementation(() => {
    throw Object.assign(new DOMException(marker, 'SecurityError'))
  })
  const failure: unknown = await indexedDBStore()
    .get('key')
    .catch((reason: unknown) => reason)
  expect(failure).toBeInstanceOf(OAuthError)
  expect(failure).toMatchObject({ code: 'store_unavailable', message: expect.stringContaining('SecurityError') as string })
  expect(inspect(failure)).not.toContain(marker)
  expect(failure).not.toHaveProperty('cause')
})

describe('a database that does not answer', () => {
  const clocks = (): { clock: Clock; expire: () => void } => {
    const expired: (() => void)[] = []
    const wait: Clock['wait'] = (milliseconds, signal) =>
      new Promise((resolve, reject) => {
        expect(milliseconds).toBe(5_000)
        expired.push(resolve)
        signal?.addEventListener('abort', () => reject(signal.reason as Error))
      })
    return { clock: { ...manualClock(), wait }, expire: () => expired.forEach((end) => end()) }
  }

  test('B16 an open that is blocked or hangs is given up at the deadline with store_unavailable', async () => {
    const { clock, expire } = clocks()
    vi.spyOn(IDBFactory.prototype, 'open').mockImplementation(() => ({}) as IDBOpenDBRequest)
    const reading = indexedDBStoreBy('valetkey', clock).get('key')
    expire()
    await expect(reading).rejects.toMatchObject({ code: 'store_unavailable' })
  })

  test('an operation that was given up begins nothing later', async () => {
    const { clock, expire } = clocks()
    const open = IDBFactory.prototype.open
    let answer: (() => void) | undefined
    const store = indexedDBStoreBy('valetkey', clock)
    await store.get('key')
    const late = indexedDBStoreBy('valetkey', clock)
    vi.spyOn(IDBFactory.prototype, 'open').mockImplementation(function (this: IDBFactory, name, version) {
      const request: IDBOpenDBRequest = open.call(this, name, version)
      const held = {} as { onsuccess?: () => void; result: unknown }
      request.onsuccess = () => {
        held.result = request.result
        answer = () => held.onsuccess?.()
      }
      return held as unknown as IDBOpenDBRequest
    })
    const writing = late.replace('key', undefined, record('1', 'one'))
    await vi.waitUntil(() => answer !== undefined)
    expire()
    await expect(writing).rejects.toMatchObject({ code: 'store_unavailable' })
    answer?.()
    vi.restoreAllMocks()
    expect(await store.get('key')).toBeUndefined()
    expect((await dump()).has('record key')).toBe(false)
  })

  test('a transaction that runs at the deadline is aborted', async () => {
    const { clock, expire } = clocks()
    const store = indexedDBStoreBy('valetkey', clock)
    await store.get('key')
    const abort = vi.spyOn(IDBTransaction.prototype, 'abort')
    const get = IDBObjectStore.prototype.get
    vi.spyOn(IDBObjectStore.prototype, 'get').mockImplementation(function (this: IDBObjectStore, key) {
      // Its own answer keeps the transaction alive, and ours never comes.
      const again = (): void => void (get.call(this, key).onsuccess = again)
      if (abort.mock.calls.length === 0) again()
      queueMicrotask(expire)
      return {} as IDBRequest
    })
    await expect(store.replace('key', undefined, record('1', 'one'))).rejects.toMatchObject({ code: 'store_unavailable' })
    expect(abort).toHaveBeenCalledOnce()
    vi.restoreAllMocks()
    expect(await store.get('key')).toBeUndefined()
  })
})

describe('watching', () => {
  /** All that goes over channels of this name, as another tab hears it. */
  function overhear(database = 'valetkey'): { said: unknown[]; channel: BroadcastChannel } {
    const channel = new BroadcastChannel(`valetkey ${database}`)
    const said: unknown[] = []
    channel.onmessage = (event) => void said.push((event as MessageEvent<unknown>).data)
    return { said, channel }
  }

  test('B17 a message between tabs says which key changed and nothing else', async () => {
    const { said, channel } = overhear()
    const store = indexedDBStore()
    await store.replace('key', undefined, record(`version ${marker}`, marker))
    await store.replace('key', `version ${marker}`, undefined)
    await vi.waitUntil(() => said.length === 2)
    expect(said).toEqual(['key', 'key'])
    channel.close()
  })

  test('a write that was none tells nobody', async () => {
    const { said, channel } = overhear()
    const store = indexedDBStore()
    await store.replace('key', 'not this', record('1', 'one'))
    await store.replace('other', undefined, record('1', 'one'))
    await vi.waitUntil(() => said.length > 0)
    expect(said).toEqual(['other'])
    channel.close()
  })

  test('malformed and foreign messages tell nobody anything', async () => {
    const store = indexedDBStore()
    const changed = vi.fn()
    const stop = store.watch?.('key', changed)
    const { channel } = overhear()
    for (const message of [null, undefined, 7, {}, ['key'], { key: 'key' }, 'another key', 'toString', '__proto__'])
      channel.postMessage(message)
    const told = new Promise<void>((resolve) => changed.mockImplementation(resolve))
    channel.postMessage('key')
    await told
    expect(changed).toHaveBeenCalledOnce()
    stop?.()
    channel.close()
  })

  test('a channel is open while somebody watches, and no longer', async () => {
    const channels = { open: 0 }
    const Real = BroadcastChannel
    vi.stubGlobal(
      'BroadcastChannel',
      class extends Real {
        constructor(name: string) {
          super(name)
          channels.open += 1
        }
        override close() {
          channels.open -= 1
          super.close()
        }
      },
    )
    try {
      const store = indexedDBStore()
      await store.replace('key', undefined, record('1', 'one'))
      expect(channels.open).toBe(0)
      const stops = [store.watch?.('key', () => {}), store.watch?.('other', () => {})]
      expect(channels.open).toBe(1)
      for (const stop of stops) stop?.()
      expect(channels.open).toBe(0)
      const again = store.watch?.('key', () => {})
      expect(channels.open).toBe(1)
      again?.()
      again?.()
      expect(channels.open).toBe(0)
    } finally {
      vi.unstubAllGlobals()
    }
  })

  test('without BroadcastChannel a store still tells its own watchers', async () => {
    vi.stubGlobal('BroadcastChannel', undefined)
    try {
      const store = indexedDBStore()
      const told = new Promise<void>((resolve) => store.watch?.('key', resolve))
      await store.replace('key', undefined, record('1', 'one'))
      await told
    } finally {
      vi.unstubAllGlobals()
    }
  })
})
