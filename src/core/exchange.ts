import type { OAuthError } from './errors.js'
import type { TokenAnswer, TokenRecord } from './token-record.js'
import type { TokenTarget } from './tokens.js'

/** How a token request ended. It never rejects: what came back is data for `whatFailureMeans`. */
export type TokenOutcome =
  | { readonly ok: true; readonly answer: TokenAnswer }
  | {
      readonly ok: false
      readonly error: OAuthError
      /** `Retry-After` (RFC 9110 section 10.2.3), in milliseconds. */
      readonly retryAfter?: number
      /** The server said, readably, that it did nothing: an OAuth error, or 429. */
      readonly surelyNotDone: boolean
    }

/** A token request that is wholly made ready: metadata, assertion, proof. */
export interface PreparedRequest {
  /** Starts it in this very turn, awaiting nothing first. It is not aborted by anyone. */
  send(): Promise<TokenOutcome>
  /** It will not be sent. */
  discard(): void
}

/** Makes the request ready that renews a record for a target. Rejects with an OAuthError where it cannot be. */
export type PrepareRenewal = (record: TokenRecord, target: TokenTarget) => Promise<PreparedRequest>
