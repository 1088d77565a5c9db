/** The closed union of what can go wrong. `request_refused`: a 4xx that says nothing readable; with an OAuth error the code says which. */
export type OAuthErrorCode =
  | 'invalid_configuration'
  | 'discovery_failed'
  | 'issuer_mismatch'
  | 'not_supported'
  | 'sign_in_required'
  | 'session_changed'
  | 'interaction_required'
  | 'access_denied'
  | 'cancelled'
  | 'popup_blocked'
  | 'different_user'
  | 'authorization_failed'
  | 'authorization_response_invalid'
  | 'id_token_invalid'
  | 'client_refused'
  | 'scope_refused'
  | 'scope_not_granted'
  | 'resource_refused'
  | 'request_refused'
  | 'ambiguous_rotation'
  | 'token_response_invalid'
  | 'server_unavailable'
  | 'network'
  | 'timed_out'
  | 'resource_not_listed'
  | 'redirect_refused'
  | 'store_unavailable'
  | 'record_invalid'
  | 'dpop_key_lost'
  | 'dpop_nonce_unreadable'
  | 'token_isolated'

/** What an error says besides its code, all of it free of secrets. @inline */
export interface OAuthErrorFacts {
  readonly serverError?: string | undefined
  readonly status?: number | undefined
  readonly retryAt?: number | undefined
  readonly missingScope?: readonly string[] | undefined
}

/**
 * The only error of valetkey: `code` from a closed union, a message that says what happened and what to do next,
 * and never a token, code, verifier, client secret or response body, nor another library's error as its `cause`.
 * (An abort rejects with the signal's reason instead, as `fetch` does.)
 *
 * @example
 * try {
 *   await session.token()
 * } catch (error) {
 *   if (error instanceof OAuthError && error.code === 'sign_in_required') await session.signIn()
 *   else throw error
 * }
 */
export class OAuthError extends Error {
  /** What went wrong, to decide by. */
  readonly code: OAuthErrorCode
  /** The `error` that the authorization server sent, if it was one of the registered ones. */
  declare readonly serverError?: string
  /** The HTTP status of the answer that failed. */
  declare readonly status?: number
  /** Present whenever a back-off will answer the next call: not before this time (milliseconds since the epoch) again. */
  declare readonly retryAt?: number
  /** The scope values that were asked for and not granted. */
  declare readonly missingScope?: readonly string[]

  constructor(code: OAuthErrorCode, message: string, facts: OAuthErrorFacts = {}) {
    super(message)
    this.name = 'OAuthError'
    this.code = code
    for (const name of ['serverError', 'status', 'retryAt', 'missingScope'] as const) {
      const fact = Object.hasOwn(facts, name) ? facts[name] : undefined
      if (fact !== undefined) Object.defineProperty(this, name, { value: fact, enumerable: true })
    }
  }
}
