import 'fake-indexeddb/auto'
import { IDBFactory } from 'fake-indexeddb'
import { get, createStore, set } from 'idb-keyval'
import { beforeEach, expect, test } from 'vitest'
import { indexedDBStore } from '../../src/browser/indexeddb-store.js'
import { storageFallback } from '../../src/browser/storage-fallback.js'
import { type DpopKeys, keysBeside } from '../../src/core/dpop.js'
import type { Store } from '../../src/core/ports.js'
import { newKey } from '../../src/protocol/dpop-proof.js'
import { memoryStore } from '../../src/stores/memory.js'

beforeEach(() => {
  globalThis.indexedDB = new IDBFactory()
})

async function keysOf(store: Store): Promise<DpopKeys> {
  const keys = await keysBeside(store)
  if (keys === undefined) throw new Error('a store of texts')
  return keys
}

const entry = (name: string) => get<unknown>(`key ${name}`, createStore('valetkey', 'records'))

test('P10 a page keeps its key as a CryptoKey in its database, beside the records, and two tabs that are first at once have one', async () => {
  const [one, other] = [await keysOf(indexedDBStore()), await keysOf(indexedDBStore())]
  expect(await one.get('name')).toBeUndefined()
  const [mine, theirs] = await Promise.all([one.getOrMake('name', 'ES256'), other.getOrMake('name', 'ES256')])
  expect(mine.publicKey).toEqual(theirs.publicKey)
  expect(mine.privateKey.extractable).toBe(false)
  expect(await entry('name')).toMatchObject({ algorithm: 'ES256', privateKey: expect.any(CryptoKey) })
})

test('P10 a database of another name has keys of its own', async () => {
  const mine = await (await keysOf(indexedDBStore())).getOrMake('name', 'ES256')
  const theirs = await (await keysOf(indexedDBStore({ database: 'mail' }))).getOrMake('name', 'ES256')
  expect(mine.publicKey).not.toEqual(theirs.publicKey)
})

test('P10 what another script has put there is no key: one that can be read out, one that signs nothing, none at all', async () => {
  const keys = await keysOf(indexedDBStore())
  await keys.getOrMake('name', 'ES256')
  const records = createStore('valetkey', 'records')
  const good = await newKey('ES256')
  const pair = (extractable: boolean) => crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, extractable, ['sign', 'verify'])
  const planted: readonly unknown[] = [
    { ...good, privateKey: (await pair(true)).privateKey },
    { ...good, privateKey: (await pair(false)).publicKey },
    { ...good, privateKey: 'text' },
    { ...good, algorithm: 'HS256' },
    { ...good, publicKey: { x: 1 } },
    'text',
    null,
  ]
  for (const plant of planted) {
    await set('key name', plant, records)
    expect(await keys.get('name')).toBeUndefined()
  }
  expect((await keys.getOrMake('name', 'ES256')).privateKey.extractable).toBe(false)
})

test('B16 where memory stands in for the database, the key is in memory too', async () => {
  const failing: Store = { get: () => Promise.reject(new Error('no')), replace: () => Promise.reject(new Error('no')) }
  const store = storageFallback(failing, { pendingKey: 'pending', emit: () => {} })
  await store.get('any')
  expect(keysBeside(store)).toBeUndefined()
  expect(keysBeside(storageFallback(indexedDBStore(), { pendingKey: 'pending', emit: () => {} }))).toBeDefined()
  expect(keysBeside(memoryStore())).toBeUndefined()
})
