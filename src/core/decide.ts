import { type Times, remainingLife, remainingWait } from './lifetime.js'
import { covers, missingScope, sameScope } from './scope.js'
import type { Asked, SessionEnd, StoredToken, TokenRecord, Wait } from './token-record.js'

/** How a source renews. */
export interface Policy {
  readonly issuer: string
  readonly clientId: string
  /** A token is renewed behind the call when it has less than this left (milliseconds) … */
  readonly margin: number
  /** … or less than this share of its lifetime, whichever is the shorter time. */
  readonly share: number
  /** In [0, 1), drawn once per process: who drew least renews first, so that processes which share a token do not all come at once. */
  readonly spread: number
  /** The server grants scope under other names than it was asked for: what was asked then counts as granted. */
  readonly scopeNamedDifferently: boolean
  /** The grant is the application's own (RFC 6749 section 4.4 and its kin): no refresh token is needed, and nobody has to sign in. */
  readonly inOwnRight: boolean
  /** What kind of token is handed out. Default Bearer. */
  readonly tokenType?: StoredToken['type']
}

/** What a call wants of its token. */
export interface Wanted extends Asked {
  /** How long the token must still live, in milliseconds. */
  readonly minimumValidity: number
  /** A token of a later generation was made during this call, and is taken as it comes. */
  readonly after: number
}

/** Which token a resource server has refused. */
export interface Rejected {
  readonly session: string
  readonly generation: number
}

export type Decision =
  | { readonly kind: 'use'; readonly token: StoredToken }
  | { readonly kind: 'use_and_renew_behind'; readonly token: StoredToken }
  | { readonly kind: 'renew_first' }
  /** A back-off, and no living token. */
  | { readonly kind: 'wait'; readonly wait: Wait; readonly remaining: number }
  | { readonly kind: 'sign_in'; readonly ended?: SessionEnd }
  | { readonly kind: 'another_session' }
  | { readonly kind: 'scope_not_granted'; readonly missing: readonly string[] }

/** A token with less left may well be dead on arrival: servers count whole seconds, so it can end one second early. Of short lives, a fifth. */
const transit = { milliseconds: 1_000, share: 0.2 }

/**
 * What to do for one call. It reads no clock and draws no random number; whoever asks again with the same values gets the same answer.
 *
 * @param session the session in which the call began, where it has begun in one
 */
export function decide(
  record: TokenRecord | undefined,
  times: Times,
  policy: Policy,
  wanted: Wanted,
  rejected: Rejected | undefined,
  session: string | undefined,
): Decision {
  if (!isOurs(record, policy)) return { kind: 'sign_in' }
  // What one user began is never repeated as another, not even to say that the other is signed out.
  if (session !== undefined && record.session !== session) return { kind: 'another_session' }
  if (record.ended !== undefined) return { kind: 'sign_in', ended: record.ended.reason }

  const missing = notGranted(record, policy, wanted)
  if (missing.length > 0) return { kind: 'scope_not_granted', missing }

  const [token] = candidates(record, policy, wanted, rejected)
  const life = token === undefined ? 0 : remainingLife(token, record.session, times)
  if (token !== undefined && token.generation > wanted.after) return { kind: 'use', token }
  const enough = token !== undefined && life > transitTime(token) && life >= wanted.minimumValidity
  if (enough && life > renewalMargin(token, policy)) return { kind: 'use', token }

  const remaining = record.wait === undefined ? 0 : remainingWait(record.wait, times)
  if (record.wait !== undefined && remaining > 0) {
    return enough ? { kind: 'use', token } : { kind: 'wait', wait: record.wait, remaining }
  }
  const isUnprovable = record.boundTo !== undefined && policy.tokenType !== 'DPoP'
  if ((record.refreshToken === undefined || isUnprovable) && !policy.inOwnRight) {
    // Nothing can be renewed: the living token is served to its end, and then the user is asked.
    return enough ? { kind: 'use', token } : { kind: 'sign_in', ended: 'expired' }
  }
  return enough ? { kind: 'use_and_renew_behind', token } : { kind: 'renew_first' }
}

/** Whether a token that was once decided on is still served without a thought: it survives the way, and is not yet due. */
export function isFresh(token: StoredToken, session: string, times: Times, policy: Policy): boolean {
  const life = remainingLife(token, session, times)
  return life > transitTime(token) && life > renewalMargin(token, policy)
}

/** Whether a decision asks for a renewal. */
export function isDue(decision: Decision): boolean {
  return decision.kind === 'renew_first' || decision.kind === 'use_and_renew_behind'
}

/** A record of another issuer or client is as if missing. */
export function isOurs(record: TokenRecord | undefined, policy: Pick<Policy, 'issuer' | 'clientId'>): record is TokenRecord {
  return record !== undefined && record.issuer === policy.issuer && record.clientId === policy.clientId
}

/** What an explicit scope asks beyond what was granted, by the session or by the very token that was made for this call. */
function notGranted(record: TokenRecord, policy: Policy, wanted: Wanted): readonly string[] {
  if (wanted.scope === undefined || policy.scopeNamedDifferently) return []
  const missing = missingScope(record.grantedScope, wanted.scope)
  if (missing.length > 0) return missing
  const { scope } = wanted
  const tokens = record.accessTokens.filter((token) => isFor(token, wanted))
  if (tokens.some((token) => covers(token.granted, scope))) return []
  const narrower = tokens.find((token) => sameScope(token.asked.scope, scope))
  return narrower === undefined ? [] : missingScope(narrower.granted, scope)
}

/** The tokens that answer the call, newest first: after a refusal only those of a later generation. */
function candidates(record: TokenRecord, policy: Policy, wanted: Wanted, rejected: Rejected | undefined): readonly StoredToken[] {
  return record.accessTokens
    .filter((token) => serves(token, record, policy, wanted) && (rejected === undefined || token.generation > rejected.generation))
    .toSorted((one, other) => other.generation - one.generation)
}

/** Whether a token was issued for exactly what the call wants, or covers it for the same resource; never the other way round. */
function serves(token: StoredToken, record: TokenRecord, policy: Policy, wanted: Wanted): boolean {
  if (!isFor(token, wanted)) return false
  // Who asks for bound tokens is never given one that is not.
  if (token.type !== (policy.tokenType ?? 'Bearer')) return false
  if (covers(token.granted, wanted.scope ?? record.grantedScope)) return true
  return (wanted.scope === undefined || policy.scopeNamedDifferently) && sameScope(token.asked.scope, wanted.scope)
}

function isFor(token: StoredToken, wanted: Asked): boolean {
  return token.asked.resource === wanted.resource && token.asked.audience === wanted.audience
}

function renewalMargin(token: StoredToken, policy: Policy): number {
  const margin = token.lifetime === undefined ? 0 : Math.min(policy.margin, token.lifetime * policy.share)
  return margin * (1 - policy.spread / 8)
}

function transitTime(token: StoredToken): number {
  return token.lifetime === undefined ? 0 : Math.min(transit.milliseconds, token.lifetime * transit.share)
}
