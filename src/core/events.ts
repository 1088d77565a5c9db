import type { AccessToken } from './access-token.js'
import type { OAuthErrorCode } from './errors.js'
import type { SessionEnd } from './token-record.js'
import type { TokenSource, TokenTarget } from './tokens.js'
import type { Clock } from './ports.js'

/** What happened, without who and when. @inline */
export type OAuthFact =
  | { readonly type: 'discovered' | 'sign_in_started' | 'sign_in_finished' | 'renewal_started' | 'renewal_adopted' | 'store_recovered' }
  | { readonly type: 'renewal_finished'; readonly tookMilliseconds: number }
  | { readonly type: 'sign_in_failed' | 'renewal_failed' | 'store_failed'; readonly code: OAuthErrorCode; readonly retryAt?: number }
  | { readonly type: 'scope_narrowed'; readonly missingScope: readonly string[] }
  | { readonly type: 'session_ended'; readonly reason: SessionEnd }
  | { readonly type: 'token_attached' | 'token_withheld' | 'token_rejected'; readonly origin: string }

/** Token-free facts, in the order in which they happen. */
export type OAuthEvent = { readonly at: number; readonly issuer: string; readonly clientId: string; readonly account?: string } & OAuthFact

/** Says a fact to whoever observes. Never throws, whatever the observer does. */
export type Emit = (fact: OAuthFact) => void

/** Makes the `emit` of one client from its `observe` option. */
export function emitter(
  client: { readonly issuer: string; readonly clientId: string; readonly account?: string | undefined },
  observe: ((event: OAuthEvent) => void) | undefined,
  clock: Pick<Clock, 'now'>,
): Emit {
  if (observe === undefined) return () => {}
  const who = { issuer: client.issuer, clientId: client.clientId, ...(client.account === undefined ? {} : { account: client.account }) }
  return (fact) => {
    try {
      observe({ at: clock.now(), ...who, ...fact })
    } catch {
      // An observer's mistake is not a reason for a renewal to fail.
    }
  }
}

/** What `oauthFetch` may know of a source that was made here: to whom it says what it did, and which clock it goes by. */
export interface SourceFacts {
  readonly emit: Emit
  readonly clock: Clock
  /** What `token` would resolve with, without waiting for it; `undefined` where it has to be waited for. The target is frozen. */
  readonly ready?: (target: TokenTarget) => AccessToken | undefined
}

const known = new WeakMap<TokenSource, SourceFacts>()

export function introduce<S extends TokenSource>(source: S, facts: SourceFacts): S {
  known.set(source, facts)
  return source
}

export function factsOf(source: TokenSource): SourceFacts | undefined {
  return known.get(source)
}
