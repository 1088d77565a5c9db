import * as oauth from 'oauth4webapi'
import type { ClientAuthentication } from '../core/client.js'
import type { PrivateKey } from '../core/credentials.js'
import { OAuthError } from '../core/errors.js'
import { oneOf, ownMembers, text } from '../core/option.js'
import { bare } from '../core/secret.js'
import { authenticatedBy } from './client-authentication.js'
import { given } from './given.js'
import { withoutPrototype } from './library.js'
import { type SigningAlgorithm, readPrivateKey, signingAlgorithms } from './private-key.js'

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
  const keyId = text(members, 'keyId')
  const audience = text(members, 'audience')
  const algorithm = oneOf(members, 'algorithm', signingAlgorithms)
  const ask = given(key, 'the private key', (value) => readPrivateKey(value, algorithm))
  return authenticatedBy('private_key_jwt', (client) => async (server, library, body, headers) => {
    const { key: signingKey, keyId: ownKeyId } = await (await ask(client))()
    const modify = (header: Assertion, payload: Assertion): void => {
      withoutPrototype(header, payload)
      header['alg'] = named(String(header['alg']), algorithm)
      if (audience !== undefined) payload['aud'] = audience
    }
    await signed(() =>
      oauth.PrivateKeyJwt(bare({ key: signingKey, kid: keyId ?? ownKeyId }) as oauth.PrivateKey, bare({ [oauth.modifyAssertion]: modify }))(
        server,
        library,
        body,
        headers,
      ),
    )
  })
}

type Assertion = Record<string, oauth.JsonValue | undefined>

/** What the key signs with, in the caller's word for it: Ed25519 is EdDSA in RFC 8037. */
function named(own: string, algorithm: SigningAlgorithm | undefined): string {
  if (algorithm === undefined || algorithm === own || (algorithm === 'EdDSA' && own === 'Ed25519')) return algorithm ?? own
  throw new OAuthError('invalid_configuration', `The private key signs with ${own}, not with the algorithm ${algorithm} of privateKeyJwt.`)
}

/** Another's error may show the key. */
async function signed(sign: () => Promise<void> | void): Promise<void> {
  try {
    await sign()
  } catch (error) {
    if (error instanceof OAuthError) throw error
    throw new OAuthError(
      'invalid_configuration',
      'The private key cannot sign. Give one for RS, PS or ES with SHA-256, 384 or 512, or Ed25519.',
    )
  }
}
