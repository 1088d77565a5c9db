import type { WebCryptoKey } from '../core/credentials.js'
import { OAuthError } from '../core/errors.js'
import { isObject, isText } from '../core/option.js'
import { Secret, bare, present } from '../core/secret.js'
import { type SigningAlgorithm, parametersOf, signingAlgorithms } from './signing-algorithms.js'

/** Makes the key that signs. Rejects with `invalid_configuration`, without anything of the key. */
export type ImportKey = () => Promise<{ readonly key: WebCryptoKey; readonly keyId?: string }>

/** What a program gave as its private key: a CryptoKey, a JWK or a PKCS #8 PEM. Throws `invalid_configuration` for anything else. */
export function readPrivateKey(value: unknown, algorithm: SigningAlgorithm | undefined): ImportKey {
  if (isText(value)) return fromPem(value, algorithm)
  if (isCryptoKey(value)) return fromCryptoKey(value)
  if (isObject(value) && !Array.isArray(value)) return fromJwk(value, algorithm)
  throw wrong('must be a CryptoKey, a JWK or a PKCS #8 PEM. Check where it is read from.')
}

function isCryptoKey(value: unknown): value is WebCryptoKey {
  return isObject(value) && !Object.hasOwn(value, 'kty') && isObject(value['algorithm']) && Array.isArray(value['usages'])
}

function fromCryptoKey(key: WebCryptoKey): ImportKey {
  if (key.type !== 'private' || !key.usages.includes('sign')) throw wrong('must be a private key, imported for `sign`.')
  return async () => bare({ key })
}

/** The members of a private JWK (RFC 7518 section 6, RFC 8037 section 2); `use`, `key_ops` and `ext` are not obeyed, for they only refuse. */
const jwkMembers = ['kty', 'crv', 'x', 'y', 'd', 'n', 'e', 'p', 'q', 'dp', 'dq', 'qi']

function fromJwk(jwk: Readonly<Record<string, unknown>>, asked: SigningAlgorithm | undefined): ImportKey {
  const own = bare(Object.fromEntries(Object.entries(jwk)))
  if (own['kty'] === 'oct') throw wrong('is a symmetric JWK, which is a client secret: use clientSecretJwt.')
  if (!isText(own['d'])) throw wrong('is a JWK without its private part `d`.')
  const algorithm = asked ?? signingAlgorithms.find((one) => one === own['alg']) ?? ofJwk(own)
  if (algorithm === undefined) throw wrong('is a JWK of a kind that signs nothing here. Give an RSA, P-256, P-384, P-521 or Ed25519 key.')
  const keyId = isText(own['kid']) ? own['kid'] : undefined
  const text = Secret.of(JSON.stringify(bare(Object.fromEntries(jwkMembers.map((name) => [name, own[name]])))))
  return async () => present({ key: await imported('jwk', bare(JSON.parse(text.reveal()) as JsonWebKey), algorithm), keyId })
}

function ofJwk(jwk: Readonly<Record<string, unknown>>): SigningAlgorithm | undefined {
  if (jwk['kty'] === 'RSA') return 'RS256'
  return ofCurve[String(jwk['crv'])]
}

const ofCurve: Readonly<Record<string, SigningAlgorithm>> = bare({
  'P-256': 'ES256',
  'P-384': 'ES384',
  'P-521': 'ES512',
  Ed25519: 'Ed25519',
})

function fromPem(pem: string, asked: SigningAlgorithm | undefined): ImportKey {
  // In an environment variable the line breaks are often written out.
  const [, base64] =
    /^-----BEGIN PRIVATE KEY-----([A-Za-z\d+/=\s]+)-----END PRIVATE KEY-----$/.exec(pem.replaceAll('\\n', '\n').trim()) ?? []
  if (base64 === undefined) {
    throw wrong(
      'is a text that is no PKCS #8 PEM (`BEGIN PRIVATE KEY`). `openssl pkcs8 -topk8 -nocrypt -in key.pem` makes one of another PEM.',
    )
  }
  const text = Secret.of(base64.replaceAll(/\s/g, ''))
  const algorithm = asked ?? ofPkcs8(bytesOf(text))
  if (algorithm === undefined) throw wrong('is of a kind that signs nothing here. Give an RSA, P-256, P-384, P-521 or Ed25519 key.')
  return async () => bare({ key: await imported('pkcs8', bytesOf(text), algorithm) })
}

function bytesOf(base64: Secret): Uint8Array<ArrayBuffer> {
  try {
    return Uint8Array.from(atob(base64.reveal()), (character) => character.charCodeAt(0))
  } catch {
    throw wrong('is a PEM that is damaged.')
  }
}

/** RFC 5208 section 5: a sequence of the version and the kind of key, whose OID (and that of its curve) says what it can sign. */
function ofPkcs8(bytes: Uint8Array): SigningAlgorithm | undefined {
  const hex = [...bytes.subarray(0, 48)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
  const [, oid = ''] = /^30(?:[0-7].|81..|82....)02010[01]30[0-7].(?:06072a8648ce3d0201)?(06(?:[\da-f]{2})+)/.exec(hex) ?? []
  return ofOid.find(([prefix]) => oid.startsWith(prefix))?.[1]
}

const ofOid: readonly (readonly [string, SigningAlgorithm])[] = [
  ['06092a864886f70d010101', 'RS256'],
  ['06082a8648ce3d030107', 'ES256'],
  ['06052b81040022', 'ES384'],
  ['06052b81040023', 'ES512'],
  ['06032b6570', 'Ed25519'],
]

async function imported(
  format: 'jwk' | 'pkcs8',
  key: JsonWebKey | Uint8Array<ArrayBuffer>,
  algorithm: SigningAlgorithm,
): Promise<WebCryptoKey> {
  try {
    return format === 'jwk'
      ? await crypto.subtle.importKey(format, key as JsonWebKey, parametersOf(algorithm), false, ['sign'])
      : await crypto.subtle.importKey(format, key as Uint8Array<ArrayBuffer>, parametersOf(algorithm), false, ['sign'])
  } catch {
    // The platform's error is about the key.
    throw wrong(`is no key for ${algorithm}: damaged, or of another kind or curve.`)
  }
}

function wrong(problem: string): OAuthError {
  return new OAuthError('invalid_configuration', `The private key ${problem}`)
}
