import { atHand } from '../core/at-hand.js'
import type { Store, Versioned } from '../core/ports.js'
import { expiryOf, isExpired, versioned } from './versioned.js'
import { watchers } from './watchers.js'

/**
 * A store in this process's memory: it is gone with the process, and each call makes one of its own.
 * What has passed its `expiresAt` is missing, and is forgotten without a timer, at the latest when the store has doubled.
 *
 * @example
 * const session = browserSession({ issuer, clientId, redirectUri: '/callback', store: memoryStore() }) // a kiosk: nothing outlives the page
 */
export function memoryStore(): Store {
  const records = new Map<string, Versioned>()
  const watching = watchers()
  let sweepAt = firstSweep

  function live(key: string): Versioned | undefined {
    const held = records.get(key)
    if (held === undefined || !isExpired(held, Date.now())) return held
    records.delete(key)
    return undefined
  }

  /** Keys that nobody asks for again, such as abandoned authorization requests, must not pile up. */
  function sweep(): void {
    if (records.size < sweepAt) return
    const now = Date.now()
    for (const [key, held] of records) if (isExpired(held, now)) records.delete(key)
    sweepAt = Math.max(firstSweep, records.size * 2)
  }

  const store: Store = {
    get: async (key) => live(key),
    replace: async (key, seen, next) => {
      if (live(key)?.version !== seen) return false
      if (next === undefined) records.delete(key)
      else records.set(key, versioned(next.version, next.value, expiryOf(next)))
      sweep()
      watching.tell(key)
      return true
    },
    watch: watching.add,
  }
  return atHand(store, live)
}

/** Few enough that looking through them costs nothing, more than one page or job ever holds. */
const firstSweep = 64
