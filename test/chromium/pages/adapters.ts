// What the tests of the page's adapters call in the page.
import { indexedDBStore } from '../../../src/browser/indexeddb-store.js'
import { storageFallback } from '../../../src/browser/storage-fallback.js'
import { pageLock, webLocks } from '../../../src/browser/web-locks.js'
import { lockContract, storeContract } from '../../../src/testing/index.js'

const version = () => crypto.randomUUID()
const store = indexedDBStore()

async function rule(contract: 'store' | 'lock', name: string): Promise<void> {
  const rules = contract === 'store' ? storeContract(async () => indexedDBStore()) : lockContract(async () => webLocks())
  await rules.find((one) => one.name === name)?.run()
}

async function put(key: string, value: string): Promise<boolean> {
  return store.replace(key, (await store.get(key))?.version, { version: version(), value })
}

async function read(key: string): Promise<string | undefined> {
  return (await store.get(key))?.value
}

/** Counts up without a lock, again and again until it is that far; how many writes another was before. */
async function countUp(key: string, times: number): Promise<number> {
  let lost = 0
  for (let done = 0; done < times;) {
    const held = await store.get(key)
    if (await store.replace(key, held?.version, { version: version(), value: `${Number(held?.value ?? 0) + 1}` })) done += 1
    else lost += 1
  }
  return lost
}

/** Counts up under a lock; how many writes another was before, which is none where the lock keeps others out. */
async function countUpLocked(key: string, times: number): Promise<number> {
  let lost = 0
  for (let run = 0; run < times; run += 1) {
    await webLocks()(key, async () => {
      const held = await store.get(key)
      await new Promise((resolve) => setTimeout(resolve, 1))
      if (!(await store.replace(key, held?.version, { version: version(), value: `${Number(held?.value ?? 0) + 1}` }))) lost += 1
    })
  }
  return lost
}

/** Resolves when the lock is held, which it is for as long as this tab lives. */
function holdForEver(name: string): Promise<void> {
  return new Promise((held) => {
    void webLocks()(name, () => {
      held()
      return new Promise(() => {})
    })
  })
}

let changes = 0
let changed: () => void = () => {}
function watch(key: string): void {
  store.watch?.(key, () => {
    changes += 1
    changed()
  })
}
async function toldOf(times: number): Promise<void> {
  while (changes < times) await new Promise<void>((resolve) => (changed = resolve))
}

const heard: unknown[] = []
function overhear(): void {
  new BroadcastChannel('valetkey valetkey').addEventListener('message', (event) => void heard.push(event.data))
}

/** The object store as any script of the origin finds it. */
async function entries(change?: (records: IDBObjectStore) => void): Promise<ReadonlyMap<IDBValidKey, unknown>> {
  const open = indexedDB.open('valetkey')
  const database = await done(open)
  const records = database.transaction('records', 'readwrite').objectStore('records')
  change?.(records)
  const [keys, values] = await Promise.all([done(records.getAllKeys()), done(records.getAll())])
  database.close()
  return new Map(keys.map((key, index) => [key, values[index] as unknown]))
}

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error as DOMException)
  })
}

/** What another script can learn of the sealing key. */
async function sealingKey(): Promise<{ id: string; extractable: boolean; exported: string }> {
  const { id, key } = (await entries()).get('sealing key') as { id: string; key: CryptoKey }
  const exported = await crypto.subtle.exportKey('raw', key).then(
    () => 'exported',
    (error: DOMException) => error.name,
  )
  return { id, extractable: key.extractable, exported }
}

async function swapRows(one: string, other: string): Promise<void> {
  const held = await entries()
  await entries((records) => {
    records.put(held.get(`record ${one}`), `record ${other}`)
    records.put(held.get(`record ${other}`), `record ${one}`)
  })
}

/** All that the page keeps outside of IndexedDB. */
function elsewhere(): string {
  return [document.cookie, JSON.stringify({ ...localStorage }), JSON.stringify({ ...sessionStorage }), location.href].join('\n')
}

async function deleteDatabase(): Promise<'deleted' | 'blocked'> {
  const deletion = indexedDB.deleteDatabase('valetkey')
  return new Promise((resolve) => {
    deletion.onblocked = () => resolve('blocked')
    deletion.onsuccess = () => resolve('deleted')
  })
}

/** A sign-in's writes in a place that keeps nothing. */
async function withoutStorage(): Promise<unknown> {
  const facts: unknown[] = []
  const fallback = storageFallback(indexedDBStore({ database: 'none' }), { pendingKey: 'pending', emit: (fact) => void facts.push(fact) })
  const lock = pageLock()
  const locked = await lock('name', async () => fallback.replace('key', undefined, { version: '1', value: 'tokens' }))
  const pending = await fallback
    .replace('pending', undefined, { version: '1', value: 'request' })
    .catch((error: { code: string }) => error.code)
  return { locked, byDeath: lock.releasedOnlyByDeath, value: (await fallback.get('key'))?.value, pending, facts }
}

const adapters = {
  rule,
  put,
  read,
  countUp,
  countUpLocked,
  holdForEver,
  watch,
  toldOf,
  overhear,
  heard,
  entries,
  sealingKey,
  swapRows,
  elsewhere,
  deleteDatabase,
  withoutStorage,
}
export type Adapters = typeof adapters
Object.assign(globalThis, { adapters })
