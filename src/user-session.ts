import type { AuthorizationServer, UserSessionSettings } from './core/client.js'
import { authorizationOptions, clientOptions, readClient, readLock, readStore, readUserAgent } from './core/client-options.js'
import { ownMembers, text } from './core/option.js'
import { readAuthorizationParameters } from './core/authorization-parameters.js'
import { readRedirectUri } from './core/redirect-uri.js'
import { bare } from './core/secret.js'
import type { Session } from './core/session-contract.js'
import { session } from './session.js'
import { isDecoupled } from './session/decoupled.js'
import { memoryStore } from './stores/memory.js'
import { systemClock } from './system-clock.js'

export const userSessionOptions: readonly string[] = [
  ...clientOptions,
  ...authorizationOptions,
  'account',
  'userAgent',
  'redirectUri',
  'signedRequests',
]

/**
 * A user's session in a tool, or in a job that acts for a user who signed in once. In a tool give it a `userAgent` (`loopback()` of `valetkey/node`,
 * `deviceAuthorization`, your own); in a job the `store` and the `account` that a sign-in filled: then `signIn` rejects with `sign_in_required`.
 *
 * @throws OAuthError `invalid_configuration`, which names the option that is wrong, before any request
 *
 * @example
 * const session = userSession({ issuer, clientId, store: memoryStore(), account: 'u1' })
 * const isSignedIn = await session.resume()
 */
export function userSession(options: AuthorizationServer & UserSessionSettings): Session {
  const members = ownMembers(options, userSessionOptions, 'userSession')
  const client = readClient(options, userSessionOptions, { clock: systemClock }, 'userSession')
  const redirectUri = members['redirectUri'] === undefined ? undefined : readRedirectUri(members['redirectUri'])
  const { userAgent } = members
  return session({
    client,
    account: text(members, 'account'),
    store: readStore(members) ?? memoryStore(),
    lock: readLock(members),
    userAgent: isDecoupled(userAgent) ? userAgent : readUserAgent(members),
    redirectUri: () => redirectUri,
    authorizationParameters: readAuthorizationParameters(members) ?? bare({}),
    place: undefined,
    go: () => {},
  })
}
