import type { WebCrypto } from '../core/client.js'
import type { DpopAlgorithm, DpopKey, DpopKeyText } from '../core/dpop.js'
import { OAuthError } from '../core/errors.js'
import { Secret, bare } from '../core/secret.js'
import { base64url, base64urlOfText } from './base64url.js'

// Own code and not the library's: there a proof costs twice as much (it hashes the token and encodes the key anew for each call), and its nonces
// are those of one process, one origin, and no role.

/** What one proof says (RFC 9449 section 4.2). */
export interface ProofClaims {
  readonly method: string
  readonly url: URL
  /** Milliseconds since the epoch. */
  readonly issuedAt: number
  readonly nonce: string | undefined
  /** The access token that the request carries. */
  readonly accessToken?: Secret | undefined
}

/** What proves that it has a key. */
export interface Prover {
  /** RFC 7638, with SHA-256. */
  readonly thumbprint: string
  prove(claims: ProofClaims): Promise<string>
}

/** The prover of a key. Its header is encoded here, once. */
export async function proverOf({ algorithm, privateKey, publicKey }: DpopKey, by: WebCrypto = crypto): Promise<Prover> {
  const header = base64urlOfText(JSON.stringify(bare({ typ: 'dpop+jwt', alg: algorithm, jwk: bare({ ...publicKey }) })))
  const signing = algorithm === 'ES256' ? bare({ name: 'ECDSA', hash: 'SHA-256' }) : bare({ name: 'Ed25519' })
  return {
    thumbprint: await thumbprintOf(publicKey, by),
    async prove({ method, url, issuedAt, nonce, accessToken }) {
      const claims = bare({
        jti: by.randomUUID(),
        htm: method,
        htu: url.origin + url.pathname,
        iat: Math.floor(issuedAt / 1_000),
        ath: accessToken === undefined ? undefined : (hashes.get(accessToken) ?? (await hashOf(accessToken, by))),
        nonce,
      })
      const input = `${header}.${base64urlOfText(JSON.stringify(claims))}`
      const signature = await by.subtle.sign(signing, privateKey, encoder.encode(input))
      return `${input}.${base64url(new Uint8Array(signature))}`
    },
  }
}

/** A new key that never could be read out. */
export async function newKey(algorithm: DpopAlgorithm, by: WebCrypto = crypto): Promise<DpopKey> {
  const { privateKey, publicKey } = await pair(algorithm, false, by)
  return bare({ algorithm, privateKey, publicKey: publicMembers(await by.subtle.exportKey('jwk', publicKey)) })
}

/** A new key as text, for a store. */
export async function newKeyText(algorithm: DpopAlgorithm, by: WebCrypto = crypto): Promise<DpopKeyText> {
  const { privateKey } = await pair(algorithm, true, by)
  return bare({ algorithm, jwk: Secret.of(JSON.stringify(await by.subtle.exportKey('jwk', privateKey))) })
}

/** The key of a text, which from now on cannot be read out; `undefined` where it is damaged. */
export async function keyOfText({ algorithm, jwk }: DpopKeyText, by: WebCrypto = crypto): Promise<DpopKey | undefined> {
  try {
    const { d, ...rest } = JSON.parse(jwk.reveal()) as JsonWebKey
    const publicKey = publicMembers(rest)
    const privateKey = await by.subtle.importKey('jwk', bare({ ...publicKey, d }) as JsonWebKey, kindOf(algorithm), false, ['sign'])
    return bare({ algorithm, privateKey, publicKey })
  } catch {
    return undefined
  }
}

async function pair(algorithm: DpopAlgorithm, extractable: boolean, by: WebCrypto): Promise<CryptoKeyPair> {
  try {
    return await by.subtle.generateKey(kindOf(algorithm), extractable, ['sign', 'verify'])
  } catch {
    throw new OAuthError(
      'not_supported',
      `No key for ${algorithm} can be made here, and the authorization server takes no other DPoP proof.`,
    )
  }
}

function kindOf(algorithm: DpopAlgorithm): EcKeyGenParams {
  return bare(algorithm === 'ES256' ? { name: 'ECDSA', namedCurve: 'P-256' } : { name: 'Ed25519' }) as EcKeyGenParams
}

/** In the order in which a thumbprint has them. A member that is missing makes no key. */
function publicMembers({ crv, kty, x, y }: JsonWebKey): DpopKey['publicKey'] {
  if (crv === undefined || kty === undefined || x === undefined) throw new TypeError('no public key')
  return bare(y === undefined ? { crv, kty, x } : { crv, kty, x, y })
}

async function thumbprintOf({ crv = '', kty = '', x = '', y }: DpopKey['publicKey'], by: WebCrypto): Promise<string> {
  return base64url(await sha256(JSON.stringify(bare(y === undefined ? { crv, kty, x } : { crv, kty, x, y })), by))
}

/** Of each token once. */
const hashes = new WeakMap<Secret, string>()

async function hashOf(accessToken: Secret, by: WebCrypto): Promise<string> {
  const hash = base64url(await sha256(accessToken.reveal(), by))
  hashes.set(accessToken, hash)
  return hash
}

const encoder = new TextEncoder()

async function sha256(text: string, { subtle }: WebCrypto): Promise<Uint8Array> {
  return new Uint8Array(await subtle.digest('SHA-256', encoder.encode(text)))
}
