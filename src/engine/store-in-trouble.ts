import type { Clock } from '../core/ports.js'
import type { TokenRecord } from '../core/token-record.js'
import type { RecordKeeper, Seen } from './record-keeper.js'

export type Found = Pick<Seen, 'record' | 'unreadable'>

/**
 * Looks at the store, and where that fails remembers. A store that fails keeps the living token in use: it is served from memory to its end, and
 * renewed no more. Rejects as `look` does where memory has nothing that lives.
 *
 * @param lives whether a record has a token that lives
 * @param soon how long a store that failed before is waited for, in milliseconds: it may be long in failing again
 */
export function lookOrRemember(
  records: RecordKeeper,
  clock: Clock,
  lives: (record: TokenRecord | undefined) => boolean,
  soon: number,
): () => Promise<Found> {
  let looking: Promise<Found | undefined> | undefined

  function remembered(): Found | undefined {
    const record = records.newest()
    return lives(record) ? { record, unreadable: false } : undefined
  }

  /** One looks for all, and none of them waits for the whole deadline of the store. */
  async function lookSoon(): Promise<Found | undefined> {
    looking ??= records
      .look()
      .catch(() => undefined)
      .finally(() => {
        looking = undefined
      })
    const seen = new AbortController()
    const over = clock.wait(soon, seen.signal).catch(() => {})
    try {
      return (await Promise.race([looking, over])) ?? undefined
    } finally {
      seen.abort()
    }
  }

  return async () => {
    const before = remembered()
    if (before !== undefined && records.fails()) return (await lookSoon()) ?? before
    try {
      return await records.look()
    } catch (error) {
      const kept = remembered()
      if (kept === undefined) throw error
      return kept
    }
  }
}
