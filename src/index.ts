// What every place can import, in the order of the README.

// Calls
export { oauthFetch } from './oauth-fetch.js'
export type { OAuthFetchOptions } from './oauth-fetch.js'
export { challengeOf } from './core/challenge.js'
export type { Challenge } from './core/challenge.js'

// Tokens
export { accessToken } from './core/access-token.js'
export type { AccessToken } from './core/access-token.js'
export type { TokenOptions, TokenSource, TokenTarget } from './core/tokens.js'

// A user's session
export type { Session, SessionSnapshot, SignInOptions, SignOutOptions, SignOutResult } from './core/session-contract.js'
export type { AuthorizationDetail, IdTokenClaims, SessionEnd } from './core/token-record.js'
export type {
  AuthorizationServer,
  AuthorizationServerMetadata,
  ClientAuthentication,
  ClientOptions,
  ClientSettings,
  ServerQuirk,
  UserSessionSettings,
} from './core/client.js'
export { none } from './protocol/client-authentication.js'

// Where tokens live
export { memoryStore } from './stores/memory.js'
export { sealed } from './stores/sealed.js'
export type { EncryptionKey } from './stores/encryption-key.js'
export type { Clock, Lock, Store, UserAgent, Versioned } from './core/ports.js'

// What happens
export { OAuthError } from './core/errors.js'
export type { OAuthErrorCode } from './core/errors.js'
export type { OAuthEvent } from './core/events.js'
