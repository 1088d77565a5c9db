import * as oauth from 'oauth4webapi'
import type { ClientAuthentication } from '../core/client.js'
import type { PrivateKey } from '../core/credentials.js'
import { ownMembers, text } from '../core/option.js'
import { authenticatedBy } from './client-authentication.js'
import { jwtSigning } from './jwt-signing.js'

/**
 * A JWT for each request, signed with the client's private key (OpenID Connect Core section 9, RFC 7523): fresh `jti`, good for one
 * minute. As a function the key is read anew for each request, so that it can be changed while the program runs.
 * Throws `invalid_configuration` for what is no private key or no option. A request rejects with the same, `timed_out`, or
 * `client_refused` where the function fails.
 *
 * @param key a CryptoKey (which may be non-extractable), a JWK, a PKCS #8 PEM, or a function for one of them
 * @param options `keyId`: default the `kid` of a JWK. `algorithm`: default what the key is for, RS256 for an RSA key that does not say.
 * `audience`: default the issuer
 *
 * @example
 * const clientAuthentication = privateKeyJwt(() => readFile('/run/secrets/key.pem', 'utf8'), { keyId: '2026-11' })
 */
export function privateKeyJwt(
  key: PrivateKey | (() => PrivateKey | Promise<PrivateKey>),
  options: {
    readonly keyId?: string
    readonly algorithm?: string
    /** Default: the issuer. */
    readonly audience?: string
  } = {},
): ClientAuthentication {
  const members = ownMembers(options, ['keyId', 'algorithm', 'audience'], 'privateKeyJwt')
  const audience = text(members, 'audience')
  const sign = jwtSigning(key, members, 'privateKeyJwt')
  return authenticatedBy('private_key_jwt', (client) => async (server, library, body, headers) => {
    await sign(
      client,
      (signing) => oauth.PrivateKeyJwt(signing.key, signing.options)(server, library, body, headers),
      (claims) => {
        if (audience !== undefined) claims['aud'] = audience
      },
    )
  })
}
