import { promisifyRequest } from 'idb-keyval'
import type { UseStore } from 'idb-keyval'
import { OAuthError } from '../core/errors.js'
import type { Clock } from '../core/ports.js'
import { natives } from './natives.js'

export interface Database {
  /** One transaction. Opens the database where it is not open. */
  readonly use: UseStore
  /** Called when the connection is gone: whatever was read through it may be of another life of the database. */
  onGone(gone: () => void): void
  /** Called when the browser says that it is gone: deleted, cleared away, taken over by another version. */
  onTaken(taken: () => void): void
  /**
   * A whole operation: it is tried once more where the connection turns out to be dead, and rejects with `store_unavailable` where it fails or
   * takes longer than the deadline. After that it begins nothing, and what runs is aborted; only what was already complete stays written.
   */
  run<T>(operation: (use: UseStore) => Promise<T>): Promise<T>
}

/** Opening and one transaction take milliseconds. Somebody who waits for a page is still there after five seconds. */
const deadline = 5_000

/** The database of this name with its one object store, looked up at the first use. */
export function database(name: string, clock: Clock): Database {
  const [whenGone, whenTaken]: [(() => void)[], (() => void)[]] = [[], []]
  const callAll = (listeners: readonly (() => void)[]) => () => listeners.forEach((listener) => listener())
  const use = connection(name, callAll(whenGone), callAll(whenTaken))

  async function run<T>(operation: (use: UseStore) => Promise<T>): Promise<T> {
    const [finished, tooLate] = [new AbortController(), new AbortController()]
    const mine = abortable(use, tooLate.signal)
    const late = clock.wait(deadline, finished.signal).then(() => {
      tooLate.abort()
      throw unavailable(name, 'it did not answer in time')
    })
    late.catch(() => {})
    try {
      return await Promise.race([
        late,
        operation(mine).catch((error: unknown) => (isDying(error) ? operation(mine) : Promise.reject(error))),
      ])
    } catch (error) {
      throw error instanceof OAuthError ? error : unavailable(name, error instanceof Error ? error.name : 'its transaction was aborted')
    } finally {
      finished.abort()
    }
  }

  return { use, onGone: (gone) => void whenGone.push(gone), onTaken: (taken) => void whenTaken.push(taken), run }
}

function connection(name: string, gone: () => void, taken: () => void): UseStore {
  const attended = new WeakSet<IDBDatabase>()
  let current: UseStore | undefined

  function drop(of: UseStore): void {
    if (current !== of) return
    current = undefined
    gone()
  }

  function attend(open: IDBDatabase, of: UseStore): void {
    if (attended.has(open)) return
    attended.add(open)
    // Another tab deletes or upgrades the database: an open connection would hold it up for as long as this page lives.
    open.addEventListener('versionchange', () => {
      open.close()
      drop(of)
      taken()
    })
    open.addEventListener('close', () => {
      drop(of)
      taken()
    })
  }

  return async (mode, begin) => {
    const mine = (current ??= opened(name))
    try {
      return await mine(mode, (records) => {
        attend(records.transaction.db, mine)
        return begin(records)
      })
    } catch (error) {
      if (isDying(error)) drop(mine)
      throw error
    }
  }
}

/** As `createStore` of idb-keyval, by the browser's own `open`. */
function opened(name: string): UseStore {
  let opening: Promise<IDBDatabase> | undefined
  function open(): Promise<IDBDatabase> {
    const request = natives.openDatabase?.(indexedDB, name) ?? indexedDB.open(name)
    request.onupgradeneeded = () => request.result.createObjectStore('records')
    return promisifyRequest(request)
  }
  return async (mode, begin) => {
    opening ??= open()
    opening.catch(() => (opening = undefined))
    return begin((await opening).transaction('records', mode).objectStore('records'))
  }
}

/** Begins nothing after the signal, and aborts what it began before. */
function abortable(use: UseStore, signal: AbortSignal): UseStore {
  return (mode, begin) =>
    use(mode, (records) => {
      signal.throwIfAborted()
      const abort = () => {
        try {
          records.transaction.abort()
        } catch {
          // It is complete.
        }
      }
      signal.addEventListener('abort', abort, { once: true })
      records.transaction.addEventListener('complete', () => signal.removeEventListener('abort', abort))
      return begin(records)
    })
}

/** What a connection throws that the browser has closed, even before it says so. */
function isDying(error: unknown): boolean {
  return error instanceof Error && error.name === 'InvalidStateError'
}

/** By the name of what happened alone: another library's error stays inside. */
function unavailable(name: string, what: string): OAuthError {
  const next = 'Nothing that was stored is known to be lost: try again, or give the session another store.'
  return new OAuthError('store_unavailable', `The database "${name}" (IndexedDB) could not be used: ${what}. ${next}`)
}
