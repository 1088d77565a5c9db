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
export function orElsewhere(renew: Renew, elsewhere: RenewElsewhere | undefined, records: RecordKeeper, policy: Policy): Renew {
  if (elsewhere === undefined) return renew
  return async (wanted, rejected, session) => {
    try {
      const { record } = await records.look()
      if (record !== undefined && isDue(decide(record, records.times(), policy, wanted, rejected, session))) {
        const { generation } = record
        const round = await elsewhere(wanted, { session: record.session, generation })
        if (round?.error !== undefined || (round && (await records.look()).record?.generation !== generation)) return round
      }
    } catch {
      // The renewal here meets the same store, and says what is wrong with it.
    }
    return renew(wanted, rejected, session)
  }
}
