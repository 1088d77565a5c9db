import type { TokenRecord } from '../core/token-record.js'
import type { RecordKeeper, Seen } from './record-keeper.js'

export type Found = Pick<Seen, 'record' | 'unreadable'>

/**
 * Looks at the store, and where that fails remembers. A store that fails keeps the living token in use: it is served from memory to its end, and
 * renewed no more. Rejects as `look` does where memory has nothing that lives.
 *
 * Each call waits for its own look, also where the store failed before: one that is only slow may hold another session by now, and a token of a session
 * that was replaced is never served.
 *
 * @param lives whether a record has a token that lives
 */
export function lookOrRemember(records: RecordKeeper, lives: (record: TokenRecord | undefined) => boolean): () => Promise<Found> {
  return async () => {
    try {
      return await records.look()
    } catch (error) {
      const record = records.newest()
      if (!lives(record)) throw error
      return { record, unreadable: false }
    }
  }
}
