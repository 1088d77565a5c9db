import { type Policy, type Rejected, type Wanted, decide, isDue } from '../core/decide.js'
import type { RecordKeeper } from './record-keeper.js'
import type { Renew, Round } from './renewal.js'

/**
 * Renews in a place that outlives this one, on the same store and under the same lock. It is asked for a token that is not of this generation, for
 * the judgement that one is due is the asker's: the other has drawn another number and may know less of the server's clock.
 * `undefined`: nobody is there, nobody answered, or the record is not there. It may still be renewing then: lock and mark keep the two apart.
 */
export type RenewElsewhere = (wanted: Wanted, due: Rejected) => Promise<Round | undefined>

/** Lets another place renew; where that brings neither a later generation nor an error, this one looks for itself. */
export function orElsewhere(
  renew: Renew,
  {
    elsewhere,
    records,
    policy,
  }: { readonly elsewhere: RenewElsewhere | undefined; readonly records: RecordKeeper; readonly policy: Policy },
): Renew {
  if (elsewhere === undefined) return renew
  return async (wanted, rejected, session) => {
    try {
      const { record } = await records.look()
      const decision = decide(record, records.times(), policy, wanted, rejected, session)
      if (record !== undefined && isDue(decision)) {
        const round = await elsewhere(wanted, { session: record.session, generation: record.generation })
        if (round?.error !== undefined || (round !== undefined && (await hasMovedFrom(record.generation)))) return round
      }
    } catch {
      // The renewal here meets the same store, and says what is wrong with it.
    }
    return renew(wanted, rejected, session)
  }

  async function hasMovedFrom(generation: number): Promise<boolean> {
    return (await records.look()).record?.generation !== generation
  }
}
