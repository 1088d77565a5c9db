import { keepingKeys, keysBeside } from '../core/dpop.js'
import type { Emit } from '../core/events.js'
import type { Store } from '../core/ports.js'
import { memoryStore } from '../stores/memory.js'
import { sessionStorageStore } from './session-storage.js'

export interface StorageFallback {
  /** The key of the pending authorization requests, which have to outlive the page. */
  readonly pendingKey: string
  /** Told `store_failed` when memory takes over; an outage later on is told by whoever meets it. */
  readonly emit: Emit
}

/**
 * A database, and what stands in for it where it is of no use: if it fails before this page load has read or written anything in it, everything is
 * kept in memory from then on, but the pending authorization requests (no token in them) in sessionStorage, so that a redirect can still come back.
 * Once the page load has used it there is no standing in: a second branch of a rotating refresh token would end the session of all tabs.
 * Then each call fails with `store_unavailable` until the database works again.
 */
export function storageFallback(database: Store, { pendingKey, emit }: StorageFallback): Store {
  const memory = memoryStore()
  const tabStorage = sessionStorageStore()
  let place: 'undecided' | 'database' | 'memory' = 'undecided'
  let turn: Promise<unknown> = Promise.resolve()

  /** One after the other until it is decided, so that nothing is under way in the database when memory takes over. */
  function inTurn<T>(operation: () => Promise<T>): Promise<T> {
    if (place !== 'undecided') return operation()
    const mine = turn.then(operation)
    turn = mine.catch(() => {})
    return mine
  }

  /** Where a pending request was left by a page load without a database, it is taken from there by the next, which may have one. */
  const standIn = async (key: string): Promise<Store | undefined> => {
    if (key === pendingKey && (place === 'memory' || (await tabStorage.get(key)) !== undefined)) return tabStorage
    return place === 'memory' ? memory : undefined
  }

  async function get(key: string): ReturnType<Store['get']> {
    const other = await standIn(key)
    if (other !== undefined) return other.get(key)
    try {
      const held = await database.get(key)
      if (held !== undefined) place = 'database'
      return held
    } catch (error) {
      if (place !== 'undecided') throw error
      useMemory()
      return get(key)
    }
  }

  async function replace(...[key, seen, next]: Parameters<Store['replace']>): Promise<boolean> {
    // A first look: what cannot be read will not be written either, and a look that fails has surely changed nothing.
    if (place === 'undecided') await get(key)
    const other = await standIn(key)
    if (other !== undefined) return other.replace(key, seen, next)
    try {
      const done = await database.replace(key, seen, next)
      place = 'database'
      return done
    } catch (error) {
      if (place !== 'undecided') throw error
      return afterFailedWrite(error, key, seen, next)
    }
  }

  /** A write that failed may have happened. Memory takes over only where a look shows that it has not. */
  async function afterFailedWrite(error: unknown, ...[key, seen, next]: Parameters<Store['replace']>): Promise<boolean> {
    try {
      const now = await database.get(key)
      if (now === undefined) {
        useMemory()
        return replace(key, seen, next)
      }
      place = 'database'
      return now.version === next?.version
    } catch {
      place = 'database'
      throw error
    }
  }

  function useMemory(): void {
    place = 'memory'
    emit({ type: 'store_failed', code: 'store_unavailable' })
  }

  const store: Store = {
    get: (key) => inTurn(() => get(key)),
    replace: (key, seen, next) => inTurn(() => replace(key, seen, next)),
    watch: (key, changed) => {
      const stops = [database, memory].map((store) => store.watch?.(key, changed))
      return () => stops.forEach((stop) => stop?.())
    },
  }
  return keepingKeys(store, () => (place === 'memory' ? undefined : keysBeside(database)))
}
