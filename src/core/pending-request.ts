import type { Secret } from './secret.js'

/** An authorization request that waits for its response: everything the response is held against. Made with `bare`. */
export interface PendingRequest {
  readonly state: Secret
  /** PKCE (RFC 7636). */
  readonly codeVerifier: Secret
  /** Sent when `openid` is asked for. */
  readonly nonce?: Secret
  readonly issuer: string
  readonly clientId: string
  /** Which session asked: its key. Another session leaves the response alone. */
  readonly owner: string
  readonly redirectUri: string
  readonly scope: readonly string[]
  readonly resource: readonly string[]
  /** Verified against `auth_time` (OpenID Connect Core 3.1.3.7, 13). */
  readonly maxAgeSeconds?: number
  readonly returnTo?: string
  /** It asked for the end of the user's session there: no code comes back, only the `state`. */
  readonly endsSession?: true
  /** A server's: what the user's browser shows again when it comes back, so that nobody finishes what another began. */
  readonly binding?: Secret
  /** A server's: the account whose session this is to be. */
  readonly account?: string
  /** The thumbprint of the key that the code is bound to (`dpop_jkt`, RFC 9449 section 10). */
  readonly boundTo?: string
  /** It asked for a signed response (JARM): another answers nothing. */
  readonly signedResponse?: true
  /** Milliseconds since the epoch. */
  readonly createdAt: number
}

/** One key for all that wait in a page's store: whose a response is can be told only where all are seen. */
export const pendingKey = 'valetkey:pending'

/** How long a user may take at the authorization server: long enough for a second factor, short enough that an abandoned request is no treasure. */
export const pendingLifetime: number = 10 * 60_000

/** A pending request that answers nothing any more. One from the future is no better: the clock was set back, so its age is not known. */
export function isStale(pending: Pick<PendingRequest, 'createdAt'>, now: number): boolean {
  const age = now - pending.createdAt
  return age > pendingLifetime || age < -pendingLifetime
}
