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
export { userSession } from './user-session.js'
export { serverSignIn } from './server-sign-in.js'
export type { ServerSignIn } from './server-sign-in.js'
export { deviceAuthorization } from './session/device-authorization.js'
export { backchannelAuthentication } from './session/backchannel-authentication.js'
export type { DevicePrompt } from './core/device-prompt.js'
export type { Session, SessionSnapshot, SignInOptions, SignOutOptions, SignOutResult } from './core/session-contract.js'
export type { AuthorizationDetail, IdTokenClaims, SessionEnd } from './core/token-record.js'

// Tokens in the application's own right, and from assertions
export { clientCredentials } from './sources/client-credentials.js'
export { jwtBearer } from './sources/jwt-bearer.js'
export { tokenExchange } from './sources/token-exchange.js'
export type { TokenExchangeSettings } from './sources/token-exchange.js'
export { identityAssertion } from './sources/identity-assertion.js'
export type { IdentityAssertionSettings } from './sources/identity-assertion.js'
export type { Assertion, ClientSecret, PrivateKey, WebCryptoKey } from './core/credentials.js'

// What every client says
export { mutualTls, none } from './protocol/client-authentication.js'
export { clientSecretBasic, clientSecretJwt, clientSecretPost } from './protocol/client-secret.js'
export { privateKeyJwt } from './protocol/private-key-jwt.js'
export { clientAssertion } from './protocol/client-assertion.js'
export { signedRequests } from './protocol/signed-requests.js'
export { signedResponses } from './protocol/signed-responses.js'
export type {
  AuthorizationServer,
  AuthorizationServerMetadata,
  ClientAuthentication,
  ClientOptions,
  ClientSettings,
  ServerQuirk,
  SignedRequests,
  SignedResponses,
  UserSessionSettings,
} from './core/client.js'

// Discovery and registration
export { discoverResource } from './protocol/resource-metadata.js'
export type { DiscoveredResource } from './core/discovered-resource.js'
export { clientIdMetadata } from './core/client-id-metadata.js'
export { registerClient } from './protocol/registration.js'
export type { RegisteredClient } from './protocol/registration.js'

// Where tokens live
export { memoryStore } from './stores/memory.js'
export { sealed } from './stores/sealed.js'
export type { EncryptionKey } from './stores/encryption-key.js'
export type { Clock, DecoupledSignIn, Lock, Store, UserAgent, Versioned } from './core/ports.js'

// What happens
export { OAuthError } from './core/errors.js'
export type { OAuthErrorCode } from './core/errors.js'
export type { OAuthEvent } from './core/events.js'
