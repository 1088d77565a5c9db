import type { AuthorizationDetail, IdTokenClaims, SessionEnd } from './token-record.js'
import type { TokenSource } from './tokens.js'

/** Delegated access of one user. Methods may be passed around unbound. */
export interface Session extends TokenSource {
  /**
   * Takes up what there is: an authorization response of this session (a page looks at its own address), else the stored session. True when signed in.
   * A response that is handed in and answers no pending request of this session rejects with `authorization_response_invalid`; only a page's own
   * address is passed over. It also completes a `signIn` that waits in this process, which then resolves; several may be pending.
   * Rejects when the response is an error (`access_denied`, `interaction_required`, `authorization_failed`) or cannot be used
   * (`authorization_response_invalid`, `id_token_invalid`, `different_user`, `token_response_invalid`, …). RFC 6749 section 4.1.2, RFC 9207.
   */
  resume(response?: string | URL): Promise<boolean>
  /**
   * Sends the user to the authorization server (RFC 6749 section 4.1.1, with PKCE: RFC 7636).
   * Where that leaves the page, the promise settles only if the user comes Back (`cancelled`).
   */
  signIn(options?: SignInOptions): Promise<void>
  /** Forgets the tokens here, and revokes them at the server where it can (RFC 7009). Never rejects for the server's sake. */
  signOut(options?: SignOutOptions): Promise<SignOutResult>
  /** Which of these scope values were not granted. */
  missingScope(wanted: readonly string[]): readonly string[]
  /** With `snapshot`: an external store for any UI framework. */
  subscribe(changed: () => void): () => void
  /** The same object until something changes. */
  snapshot(): SessionSnapshot
}

/** What a user interface may show of a session. It has no token. */
export interface SessionSnapshot {
  /** `unknown` until the store has been read once. */
  readonly status: 'unknown' | 'signed_out' | 'signing_in' | 'signed_in'
  /** The scope that the session has. Empty while signed out. */
  readonly grantedScope: readonly string[]
  /** What the ID token says, when `openid` was asked for. */
  readonly idTokenClaims?: IdTokenClaims
  /** The authorization details that were granted (RFC 9396 section 7), which may be others than those that were asked for. Absent when the server did not say. */
  readonly authorizationDetails?: readonly AuthorizationDetail[]
  /**
   * When the grant itself ends, in milliseconds since the epoch, where the server says so (draft-ietf-oauth-refresh-token-expiration): when what the user
   * allowed is over, or until when a renewal must have come, whichever is sooner. A renewal moves the latter. A server may end it earlier.
   */
  readonly sessionExpiresAt?: number
  /** Why the last session ended. */
  readonly ended?: SessionEnd
}

/** What one sign-in asks for. */
export interface SignInOptions {
  /** Instead of the configured scope. While signed in, what is already granted is asked for again with it. */
  readonly scope?: readonly string[] | undefined
  /** Where the application goes afterwards. A page: a URL of its own origin, default where it is. `serverSignIn`: the origin of `redirectUri`. Elsewhere `invalid_configuration`. */
  readonly returnTo?: string | undefined
  /** Whether the user is to be asked (OpenID Connect Core 1.0 section 3.1.2.1). With `none` nobody is: `interaction_required` where somebody would have to be. */
  readonly prompt?: 'none' | 'login' | 'consent' | 'select_account' | undefined
  /** Who is likely to sign in, such as an e-mail address. */
  readonly loginHint?: string | undefined
  /** Authentication contexts, the preferred one first (RFC 9470 section 4). */
  readonly acrValues?: readonly string[] | undefined
  /** How long ago the user may have authenticated. */
  readonly maxAgeSeconds?: number | undefined
  /** Languages of the authorization server's pages, as in BCP 47, the preferred one first. */
  readonly uiLocales?: readonly string[] | undefined
  /**
   * What exactly is asked for (RFC 9396). Whoever has the browser can read it on the way, and change it, but where the requests of the session are pushed
   * (`pushedAuthorizationRequests`) or signed (`signedRequests`).
   */
  readonly authorizationDetails?: readonly AuthorizationDetail[] | undefined
  /** Further authorization request parameters; those of the protocol are refused. */
  readonly authorizationParameters?: Readonly<Record<string, string>> | undefined
  /** Gives the sign-in up: `signIn` rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

/** How far a sign-out goes. */
export interface SignOutOptions {
  /** Also end the user's session at the authorization server (OpenID RP-Initiated Logout). */
  readonly atAuthorizationServer?: boolean | undefined
  /** Where the user goes afterwards: with `atAuthorizationServer`, a post-logout redirect URI that the server knows. */
  readonly returnTo?: string | undefined
  /** Ends the waiting for the server. The session is signed out all the same. */
  readonly signal?: AbortSignal | undefined
}

/** What a sign-out could do at the server; here the session has ended in any case. */
export interface SignOutResult {
  readonly refreshToken: 'revoked' | 'not_supported' | 'failed' | 'absent'
  readonly accessTokens: 'revoked' | 'not_supported' | 'failed' | 'absent'
  readonly authorizationServer: 'ended' | 'not_supported' | 'failed' | 'not_asked'
}
