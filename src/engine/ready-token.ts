import type { AccessToken } from '../core/access-token.js'
import { type Policy, type Wanted, decide, isFresh } from '../core/decide.js'
import type { StoredToken, TokenRecord } from '../core/token-record.js'
import type { TokenTarget } from '../core/tokens.js'
import type { RecordKeeper } from './record-keeper.js'

/** The token that a call for this target gets, in this very turn; `undefined` where more is due than to hand it out. */
export type ReadyToken = (target: TokenTarget) => AccessToken | undefined

interface Decided {
  readonly record: TokenRecord
  readonly token: StoredToken
  readonly handed: AccessToken
}

/**
 * What `token` would resolve with, where the store is in this process's memory: it is looked at all the same, so a session that is over is served no
 * more, but that takes no promise. What was decided of a record holds while it is there and the token is fresh.
 *
 * @param wantedBy what a call wants of its token. A target is remembered as the object that it is, so it must be frozen
 * @param handOut `undefined` while what it takes is not loaded
 */
export function readyToken(
  records: RecordKeeper,
  policy: Policy,
  wantedBy: (target: TokenTarget) => Wanted,
  handOut: (token: StoredToken, record: TokenRecord) => AccessToken | undefined,
): ReadyToken {
  const decided = new WeakMap<TokenTarget, Decided>()
  return (target) => {
    const record = records.atHand()
    if (record === undefined) return undefined
    const times = records.times()
    const last = decided.get(target)
    if (last?.record === record && isFresh(last.token, record.session, times, policy)) return last.handed
    const decision = decide(record, times, policy, wantedBy(target), undefined, undefined)
    if (decision.kind !== 'use') return undefined
    const handed = handOut(decision.token, record)
    if (handed === undefined) return undefined
    decided.set(target, { record, token: decision.token, handed })
    return handed
  }
}
