import { type TokenRecord, tokenRecord } from '../core/token-record.js'
import { ended } from '../core/transitions.js'
import { type RecordKeeper, mostFailedWrites } from './record-keeper.js'

/**
 * Ends the session here; resolves with what it held, if it was living, and with `unreadable` where nobody here can say.
 * Rejects with `store_unavailable` where the end cannot be written.
 */
export type Ending = () => Promise<TokenRecord | 'unreadable' | undefined>

export function ending(parts: {
  readonly issuer: string
  readonly clientId: string
  readonly records: RecordKeeper
  readonly fresh: () => string
}): Ending {
  const { records, issuer, clientId } = parts

  /** What takes the place of a record that cannot be read: another version of the application may well read it, and is not left signed in. */
  const unknown = (): TokenRecord =>
    tokenRecord({ issuer, clientId, session: parts.fresh(), generation: 0, grantedScope: [], accessTokens: [] })

  return async () => {
    // Whatever comes of the store: from memory nothing is served any more.
    records.forget()
    let held: TokenRecord | undefined
    let failedWrites = 0
    for (;;) {
      const { version, record, unreadable } = await records.look()
      const isLiving = record !== undefined && record.ended === undefined
      // A write that threw may have happened: what it ended is still to be revoked. And who signed in meanwhile is not signed out.
      if (!unreadable && (!isLiving || (held !== undefined && record.session !== held.session))) return held
      held = record ?? held
      try {
        const end = ended(record ?? unknown(), 'signed_out', records.times().now)
        if ((await records.replace(version, end)) !== undefined) return record ?? 'unreadable'
      } catch (error) {
        if ((failedWrites += 1) === mostFailedWrites) throw error
        await records.pause()
      }
    }
  }
}
