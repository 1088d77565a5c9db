import * as oauth from 'oauth4webapi'
import type { Client } from '../core/client.js'
import type { PrivateKey } from '../core/credentials.js'
import { OAuthError } from '../core/errors.js'
import { type Members, oneOf, text } from '../core/option.js'
import { bare } from '../core/secret.js'
import { given } from './given.js'
import { withoutPrototype } from './library.js'
import { readPrivateKey } from './private-key.js'
import { type SigningAlgorithm, signingAlgorithms } from './signing-algorithms.js'

/** A key that signs, and the options of the library's that go with it. */
export interface Signing {
  readonly key: oauth.PrivateKey
  readonly options: oauth.ModifyAssertionOptions
}

/** Has a JWT signed by the key of a client, asked for anew. Rejects with an OAuthError only, which shows nothing of the key. */
export type SignJwt = <T>(
  client: Pick<Client, 'clock' | 'deadline'>,
  sign: (signing: Signing) => Promise<T> | T,
  change?: (claims: Record<string, oauth.JsonValue | undefined>) => void,
) => Promise<T>

/**
 * What signs with a private key, and its options `keyId` and `algorithm`, which are read here.
 * Throws `invalid_configuration` for what is no private key or no algorithm.
 *
 * @param of whose options these are, for the message
 */
export function jwtSigning(key: PrivateKey | (() => PrivateKey | Promise<PrivateKey>), members: Members, of: string): SignJwt {
  const keyId = text(members, 'keyId')
  const algorithm = oneOf(members, 'algorithm', signingAlgorithms)
  const ask = given(key, 'the private key', (value) => readPrivateKey(value, algorithm))
  return async (client, sign, change) => {
    const { key: signingKey, keyId: ownKeyId } = await (await ask(client))()
    const modify: oauth.ModifyAssertionFunction = (header, claims) => {
      withoutPrototype(header, claims)
      header['alg'] = named(String(header['alg']), algorithm, of)
      change?.(claims)
    }
    try {
      const kid = keyId ?? ownKeyId
      return await sign({
        key: bare({ key: signingKey, kid }) as oauth.PrivateKey,
        options: bare({ [oauth.modifyAssertion]: modify }),
      })
    } catch (error) {
      // Another's error may show the key.
      if (error instanceof OAuthError) throw error
      throw new OAuthError(
        'invalid_configuration',
        'The private key cannot sign. Give one for RS, PS or ES with SHA-256, 384 or 512, or Ed25519.',
      )
    }
  }
}

/** What the key signs with, in the caller's word for it: Ed25519 is EdDSA in RFC 8037. */
function named(own: string, algorithm: SigningAlgorithm | undefined, of: string): string {
  if (algorithm === undefined || algorithm === own || (algorithm === 'EdDSA' && own === 'Ed25519')) return algorithm ?? own
  throw new OAuthError('invalid_configuration', `The private key signs with ${own}, not with the algorithm ${algorithm} of ${of}.`)
}
