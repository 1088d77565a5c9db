import * as oauth from 'oauth4webapi'
import type { SignedRequests } from '../core/client.js'
import type { PrivateKey } from '../core/credentials.js'
import { ownMembers, wrongOption } from '../core/option.js'
import { jwtSigning } from './jwt-signing.js'
import { libraryClient } from './library.js'
import { signingBy } from './message-signing.js'

/**
 * Signed authorization requests (RFC 9101), for servers that want to know who asks before they ask the user: each is a JWT of type
 * `oauth-authz-req+jwt`, signed with the client's private key, for this issuer alone, and good for one minute. With `pushedAuthorizationRequests` it is
 * what is pushed, else it is in the address. As a function the key is read anew for each request.
 * Throws `invalid_configuration` for what is no private key or no option. `signIn` rejects with the same, `timed_out`, or `client_refused` where the
 * function fails, and with `not_supported` where the server takes no such request; nobody is sent anywhere then.
 *
 * @param key a CryptoKey (which may be non-extractable), a JWK, a PKCS #8 PEM, or a function for one of them
 * @param options `keyId`: default the `kid` of a JWK. `algorithm`: default what the key is for, RS256 for an RSA key that does not say.
 *
 * @example
 * const key = await readFile('client.pem', 'utf8')
 * const session = userSession({ issuer, clientId, clientAuthentication: privateKeyJwt(key), signedRequests: signedRequests(key) })
 */
export function signedRequests(
  key: PrivateKey | (() => PrivateKey | Promise<PrivateKey>),
  options: { readonly keyId?: string; readonly algorithm?: string } = {},
): SignedRequests {
  const sign = jwtSigning(key, ownMembers(options, ['keyId', 'algorithm'], 'signedRequests'), 'signedRequests')
  return signingBy((client, server, parameters) => {
    // RFC 9101 section 10.8: with `sub` it could be taken for a client assertion. The others are the library's own.
    if (parameters.has('sub')) throw wrongOption('authorizationParameters.sub', 'must not be in a signed request. Leave it out.')
    return sign(client, (signing) => oauth.issueRequestObject(server, libraryClient(client), parameters, signing.key, signing.options))
  })
}
