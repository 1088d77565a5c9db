import { type AccessToken, carrying } from '../core/access-token.js'
import type { Proofs } from '../core/dpop.js'
import { remainingLife } from '../core/lifetime.js'
import type { Clock } from '../core/ports.js'
import { Secret } from '../core/secret.js'
import type { StoredToken, TokenRecord } from '../core/token-record.js'
import type { RecordKeeper } from './record-keeper.js'

interface Origin {
  readonly session: string
  readonly generation: number
}

/** Where each token that was handed out came from: a caller shows it again when a resource server has refused it. */
const origins = new WeakMap<AccessToken, Origin>()

/** The tokens of one record as callers have them. */
export interface HandedOut {
  handOut(stored: StoredToken, record: TokenRecord, bound?: Proofs): AccessToken
  originOf(refused: AccessToken): Origin | undefined
}

export function handedOut(records: RecordKeeper, clock: Clock): HandedOut {
  return {
    handOut(stored, record, bound) {
      const life = remainingLife(stored, record.session, records.times())
      const facts = {
        scope: stored.granted,
        ...(stored.asked.resource === undefined ? {} : { resource: stored.asked.resource }),
        ...(life === Infinity ? {} : { expiresAt: clock.now() + life }),
      }
      const handed = carrying(stored.text, facts, bound?.bind(record.boundTo ?? '', stored.text))
      origins.set(handed, { session: record.session, generation: stored.generation })
      return handed
    },

    /** A token that nobody here handed out is looked for by its text; one that is in no record is older than all that are. */
    originOf(refused) {
      const known = origins.get(refused)
      if (known !== undefined) return known
      const record = records.newest()
      const stored = record?.accessTokens.find(({ text }) => Secret.equals(text, refused))
      return record === undefined || stored === undefined ? undefined : { session: record.session, generation: stored.generation }
    },
  }
}
