import { missingScope, sameScope, unionScope } from './scope.js'
import { type Loose, bare, present } from './secret.js'
import type { Asked, IdTokenClaims, SessionEnd, StoredToken, TokenAnswer, TokenRecord } from './token-record.js'
import { tokenRecord } from './token-record.js'

// How one record becomes the next. Each takes the record that is in the store, so that what others wrote meanwhile is kept.

/** How many access tokens of one grant are kept: one for each resource and scope in use, and no endless list. */
const mostTokens = 20

export interface SignIn {
  readonly issuer: string
  readonly clientId: string
  /** Random, new. */
  readonly session: string
  /** The scope that was asked for. */
  readonly scope: readonly string[]
  /** What the first token is for. */
  readonly asked: Asked
  /** Other resources were asked for too: the first token's scope then says nothing about theirs. */
  readonly severalResources: boolean
  /** The answer's scope is in other words: what was asked for counts as granted, and is asked for again in these. */
  readonly scopeNamedDifferently: boolean
  readonly startedAt: number
}

/** A new session, written over whatever is there. */
export function signedIn(signIn: SignIn, answer: TokenAnswer, generation: number): TokenRecord {
  const granted = grantedBy(answer, signIn.scope)
  return tokenRecord({
    issuer: signIn.issuer,
    clientId: signIn.clientId,
    session: signIn.session,
    generation,
    grantedScope: signIn.scopeNamedDifferently ? signIn.scope : signIn.severalResources ? unionScope(granted, signIn.scope) : granted,
    refreshToken: answer.refreshToken,
    idToken: answer.idToken,
    idTokenClaims: answer.idTokenClaims,
    authorizationDetails: answer.authorizationDetails,
    ...endsSaid(answer, signIn.startedAt),
    accessTokens: [storedToken(answer, signIn.asked, granted, generation, signIn.startedAt)],
    boundTo: answer.boundTo,
  })
}

/** What a renewal was made for. */
export interface Renewal {
  /** Whose generation the request was made for. */
  readonly generation: number
  readonly by: string
  readonly asked: Asked
  /** It asks for all that the session has, so that a narrower answer narrows the session. */
  readonly whole: boolean
  readonly startedAt: number
}

/** The record after a successful renewal: its mark and its wait are gone; another's mark stays, and leaves the generation unclear. */
export function renewed(seen: TokenRecord, renewal: Renewal, answer: TokenAnswer): TokenRecord {
  const generation = renewal.generation + 1
  const granted = grantedBy(answer, renewal.asked.scope ?? seen.grantedScope)
  const token = storedToken(answer, renewal.asked, granted, generation, renewal.startedAt)
  return tokenRecord({
    ...seen,
    generation,
    grantedScope: renewal.whole ? granted : seen.grantedScope,
    refreshToken: answer.refreshToken ?? seen.refreshToken,
    idToken: answer.idToken ?? seen.idToken,
    idTokenClaims: laterClaims(seen.idTokenClaims, answer.idTokenClaims),
    // As with scope: what one token of several is good for says nothing about the others (RFC 9396 section 7.1).
    authorizationDetails: (renewal.whole ? answer : seen).authorizationDetails ?? (renewal.whole ? seen : answer).authorizationDetails,
    ...endsSaid(answer, renewal.startedAt, answer.refreshToken === undefined ? seen : undefined),
    accessTokens: [token, ...seen.accessTokens.filter((other) => !isSameAsked(other.asked, token.asked))].slice(0, mostTokens),
    // Another's request may still be on its way: its mark stays until it is cleared, or has been watched for long enough.
    sending: seen.sending?.by === renewal.by ? undefined : seen.sending,
    wait: undefined,
    unclear: seen.sending !== undefined && seen.sending.by !== renewal.by ? renewal.generation : seen.unclear,
    boundTo: answer.boundTo ?? seen.boundTo,
  })
}

/**
 * The ends that an answer tells, on the clock of `startedAt` (draft-ietf-oauth-refresh-token-expiration section 6.1).
 * @param before what holds where it says nothing: with a new refresh token the server must say what has an end, so that silence means none
 */
function endsSaid({ authorizationLifetime, refreshTokenLifetime }: TokenAnswer, startedAt: number, before?: TokenRecord): Ends {
  const end = (lifetime: number | undefined, known: number | undefined) => (lifetime === undefined ? known : startedAt + lifetime)
  return {
    sessionExpiresAt: end(authorizationLifetime, before?.sessionExpiresAt),
    refreshTokenExpiresAt: end(refreshTokenLifetime, before?.refreshTokenExpiresAt),
  }
}

type Ends = Loose<Pick<TokenRecord, 'sessionExpiresAt' | 'refreshTokenExpiresAt'>>

/** What a later ID token says. It may leave out what it is held against; of that the sign-in's stays, for the one after it (OpenID Connect Core 12.2). */
function laterClaims(before: IdTokenClaims | undefined, later: IdTokenClaims | undefined): IdTokenClaims | undefined {
  if (before === undefined || later === undefined) return later ?? before
  const kept = ['nonce', 'auth_time'].filter((name) => Object.hasOwn(before, name)).map((name) => [name, before[name]] as const)
  return { ...Object.fromEntries(kept), ...later }
}

/** The record of a session that is over: without tokens, so that every tab and process learns the reason. */
export function ended(seen: TokenRecord, reason: SessionEnd, at: number): TokenRecord {
  return tokenRecord({
    issuer: seen.issuer,
    clientId: seen.clientId,
    session: seen.session,
    generation: seen.generation + 1,
    ended: { at, reason },
    grantedScope: [],
    accessTokens: [],
  })
}

/** The record with some members changed; `undefined` takes one away. */
export function changed(
  seen: TokenRecord,
  members: { readonly [K in 'sending' | 'unclear' | 'wait']?: TokenRecord[K] | undefined },
): TokenRecord {
  return tokenRecord({ ...seen, ...members })
}

/** What a renewal took away, of the grant or of what it was asked for: empty when all of it is there. */
export function narrowedBy(before: TokenRecord, { whole, asked }: Pick<Renewal, 'whole' | 'asked'>, token: StoredToken): readonly string[] {
  return missingScope(token.granted, whole ? before.grantedScope : (asked.scope ?? []))
}

/** RFC 6749 section 5.1: no `scope` in the answer means as requested. What came with the token says the rest: an ID token is `openid`, a refresh token `offline_access`. */
function grantedBy(answer: TokenAnswer, requested: readonly string[]): readonly string[] {
  if (answer.scope === undefined) return requested
  const shown = [...(answer.idToken === undefined ? [] : ['openid']), ...(answer.refreshToken === undefined ? [] : ['offline_access'])]
  return unionScope(
    answer.scope,
    shown.filter((value) => requested.includes(value)),
  )
}

function storedToken(answer: TokenAnswer, asked: Asked, granted: readonly string[], generation: number, startedAt: number): StoredToken {
  return present<StoredToken>({
    text: answer.accessToken,
    type: answer.tokenType,
    asked: bare({ ...asked }),
    granted,
    generation,
    issuedAt: startedAt,
    lifetime: answer.lifetime,
  })
}

function isSameTarget(one: Asked, other: Asked): boolean {
  return one.resource === other.resource && one.audience === other.audience
}

function isSameAsked(one: Asked, other: Asked): boolean {
  return isSameTarget(one, other) && sameScope(one.scope, other.scope)
}
