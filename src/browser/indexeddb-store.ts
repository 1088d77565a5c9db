import { get, promisifyRequest } from 'idb-keyval'
import type { UseStore } from 'idb-keyval'
import { keepingKeys } from '../core/dpop.js'
import { ownMembers, text } from '../core/option.js'
import type { Clock, Store, Versioned } from '../core/ports.js'
import { seal } from '../stores/seal.js'
import { isExpired, readVersioned } from '../stores/versioned.js'
import { systemClock } from '../system-clock.js'
import { changes } from './changes.js'
import { database } from './database.js'
import { namedDatabase } from './database-name.js'
import { natives } from './natives.js'
import { storedKeyRing } from './sealing-key.js'

/**
 * A store in IndexedDB, shared by the tabs and workers of an origin. Values are sealed (AES-256-GCM, bound to key and version) under a key
 * that cannot be read out and lives in the same database, and so does the key of `dpop`. Making the store touches nothing.
 *
 * A write has happened when `replace` resolves: then its transaction is complete. A database that fails, or does not answer for 5 seconds,
 * rejects with `store_unavailable`; what was being written may have been written nevertheless. An entry that cannot be read (tampered with, or
 * of a lost key) has an empty value, and can be replaced by its version. What has expired is missing, and removed when it is met.
 *
 * @param options `database`: its name, by default `valetkey`. Applications of one origin that are to share nothing take one each.
 *
 * @example
 * const session = browserSession({ issuer, clientId, redirectUri: '/callback', store: indexedDBStore({ database: 'mail' }) })
 */
export function indexedDBStore(options: { readonly database?: string } = {}): Store {
  const name = text(ownMembers(options, ['database'], 'indexedDBStore'), 'database') ?? 'valetkey'
  return indexedDBStoreBy(name, systemClock)
}

/** `indexedDBStore`, by a clock that a test can move. */
export function indexedDBStoreBy(name: string, clock: Clock): Store {
  const { use: anyTime, onGone, onTaken, run } = database(name, clock)
  const ring = storedKeyRing(anyTime, onGone)
  const { seal: close, open, forget } = seal(ring, natives.webCrypto)
  const { tell, doubt, watch } = changes(`valetkey ${name}`)
  onTaken(doubt)

  const store: Store = {
    get: (key) =>
      run(async (use) => {
        // The key first, which may have to be written: so the first look already shows whether this database is of use.
        await ring.sealing()
        const held = present(await get(entryOf(key), use))
        if (held !== undefined && !isExpired(held, clock.now())) return open(key, held)
        forget(key)
        if (held !== undefined) await exchange(use, entryOf(key), (now) => now?.version === held.version, undefined)
        return undefined
      }),
    replace: (key, seen, next) =>
      run(async (use) => {
        const sealed = next === undefined ? undefined : await close(key, next)
        const done = await exchange(use, entryOf(key), (now) => liveVersion(now, clock) === seen, sealed)
        if (!done) return false
        forget(key)
        tell(key)
        return true
      }),
    watch,
  }
  return keepingKeys(namedDatabase(store, name), async () => (await import('./dpop-keys.js')).dpopKeysIn(run))
}

/** So that no key of a caller is ever the sealing key's. */
const entryOf = (key: string) => `record ${key}`

/**
 * Compares and writes in one transaction, and resolves when that is complete. Not `update` of idb-keyval: that must write something whatever it
 * finds, and where nothing is to be left it would leave an entry that says `undefined`.
 */
function exchange(
  use: UseStore,
  entry: string,
  isSeen: (now: Versioned | undefined) => boolean,
  next: Versioned | undefined,
): Promise<boolean> {
  return use('readwrite', async (records) => {
    let done = false
    const look: IDBRequest<unknown> = records.get(entry)
    look.onsuccess = () => {
      done = isSeen(present(look.result))
      if (!done) return
      if (next === undefined) records.delete(entry)
      else records.put({ ...next }, entry)
    }
    await promisifyRequest(records.transaction)
    return done
  })
}

function present(entry: unknown): Versioned | undefined {
  return entry === undefined ? undefined : readVersioned(entry)
}

function liveVersion(held: Versioned | undefined, clock: Clock): string | undefined {
  return held === undefined || isExpired(held, clock.now()) ? undefined : held.version
}
