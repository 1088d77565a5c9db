import type { OAuthErrorCode } from './errors.js'
import { type Loose, type Secret, present } from './secret.js'

/** Why a session ended. */
export type SessionEnd = 'signed_out' | 'invalid_grant' | 'ambiguous_rotation' | 'user_changed' | 'key_lost' | 'expired'

export interface IdTokenClaims {
  readonly iss: string
  readonly sub: string
  readonly [claim: string]: unknown
}

/** RFC 9396. */
export interface AuthorizationDetail {
  readonly type: string
  readonly [member: string]: unknown
}

/** What a token was asked for. `scope` is absent where the call named none: then it is what the session has. */
export interface Asked {
  readonly scope?: readonly string[]
  readonly resource?: string
  readonly audience?: string
}

export interface StoredToken {
  readonly text: Secret
  readonly type: 'Bearer' | 'DPoP'
  readonly asked: Asked
  readonly granted: readonly string[]
  /** Of the answer that it came in: a token of a later generation replaces one of an earlier. */
  readonly generation: number
  /** When its request was started, in milliseconds since the epoch. */
  readonly issuedAt: number
  /** Milliseconds; absent when the server did not say. */
  readonly lifetime?: number
}

/** A back-off, written to the record so that all who share it wait together. */
export interface Wait {
  readonly id: string
  readonly until: number
  readonly span: number
  readonly code: OAuthErrorCode
}

/** A sender's mark: the mutual exclusion of renewals. `by` is fresh for each attempt. */
export interface Sending {
  readonly by: string
  readonly startedAt: number
}

/** One user's session, or one grant, as all who share its store know it. Made by `tokenRecord`, for it carries Secrets. */
export interface TokenRecord {
  readonly issuer: string
  readonly clientId: string
  /** Random, new at each sign-in. */
  readonly session: string
  /** One more at each sign-in, renewal, end and sign-out. */
  readonly generation: number
  /** Then there are no tokens. */
  readonly ended?: { readonly at: number; readonly reason: SessionEnd }
  readonly grantedScope: readonly string[]
  readonly refreshToken?: Secret
  /** The hint at sign-out. */
  readonly idToken?: Secret
  readonly idTokenClaims?: IdTokenClaims
  readonly authorizationDetails?: readonly AuthorizationDetail[]
  /** When the grant itself ends, by the server's clock, where it says so. */
  readonly sessionExpiresAt?: number
  /** Until when the refresh token must be used, by the server's clock, where it says so: each use of it may move that. */
  readonly refreshTokenExpiresAt?: number
  readonly accessTokens: readonly StoredToken[]
  readonly sending?: Sending
  /** The generation of which a request had no readable answer, or was left by a dead sender. */
  readonly unclear?: number
  readonly wait?: Wait
  /** The thumbprint of the key that the tokens are bound to (RFC 9449). */
  readonly boundTo?: string
}

/** A TokenRecord of these members; those that are `undefined` are left out. */
export function tokenRecord(members: Loose<TokenRecord>): TokenRecord {
  return Object.freeze(present(members))
}

/** What a token endpoint answered, checked and wrapped. Made with `bare`, for it carries Secrets. */
export interface TokenAnswer {
  readonly accessToken: Secret
  readonly tokenType: 'Bearer' | 'DPoP'
  /** Absent: as requested (RFC 6749 section 5.1). */
  readonly scope?: readonly string[]
  /** Milliseconds; absent when the server did not say. */
  readonly lifetime?: number
  /** For how long the refresh token, the new one or the one that was used, may be held: milliseconds; absent when the server did not say. */
  readonly refreshTokenLifetime?: number
  /** For how long the user has allowed it: milliseconds; absent when the server did not say. */
  readonly authorizationLifetime?: number
  readonly refreshToken?: Secret
  readonly idToken?: Secret
  readonly idTokenClaims?: IdTokenClaims
  readonly authorizationDetails?: readonly AuthorizationDetail[]
  /** The server's `Date`, in milliseconds since the epoch, where it could be read. */
  readonly serverTime?: number
  /** The thumbprint of the key that its request was proven with (RFC 9449). */
  readonly boundTo?: string
}
