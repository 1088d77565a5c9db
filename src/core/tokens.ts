import type { AccessToken } from './access-token.js'

/** Something that has an access token for a call: a session, a grant in the application's own right, or your own object. */
export interface TokenSource {
  /** A token that is good for this call, renewed first where needed. Rejects with `sign_in_required`, `scope_not_granted`, … */
  token(options?: TokenOptions): Promise<AccessToken>
}

/** Which token a call needs. Left out, the source's own `scope`, `resource` and `audience` hold. */
export interface TokenTarget {
  /** Scope values the token must have. */
  readonly scope?: readonly string[] | undefined
  /** The resource indicator (RFC 8707) the token is for. */
  readonly resource?: string | undefined
  /** What some servers (and RFC 8693) use in the place of `resource`. */
  readonly audience?: string | undefined
}

export interface TokenOptions extends TokenTarget {
  /** The token that a resource server has just refused: only a later one answers. (So `token({ rejected: await token() })` renews now.) */
  readonly rejected?: AccessToken | undefined
  /** How long the token must still live; a fresh one is taken as it comes. */
  readonly minimumValiditySeconds?: number | undefined
  /** Ends this caller's waiting, never a renewal that was sent. */
  readonly signal?: AbortSignal | undefined
}
