import { bare } from '../core/secret.js'
import { base64url, bytesOfBase64 } from './base64url.js'
import { type JsonObject, parseObject } from './json.js'
import { type SigningAlgorithm, parametersOf } from './signing-algorithms.js'

/** A compact JWS (RFC 7515 section 3.1) that has been read, and not verified. */
export interface Jws {
  readonly header: JsonObject
  readonly claims: JsonObject
  /** What the signature is over. */
  readonly signed: Uint8Array<ArrayBuffer>
  readonly signature: Uint8Array<ArrayBuffer>
}

/** `undefined` for what is none, or is longer than any that is meant well. */
export function readJws(text: string): Jws | undefined {
  const [, header = '', payload = '', signature = ''] = /^([\w-]+)\.([\w-]+)\.([\w-]+)$/.exec(text.slice(0, longest + 1)) ?? []
  if (header === '' || text.length > longest) return undefined
  try {
    const [read, claims] = [parseObject(decoded(header)), parseObject(decoded(payload))]
    if (read === undefined || claims === undefined) return undefined
    return bare({ header: read, claims, signed: new TextEncoder().encode(`${header}.${payload}`), signature: bytesOfBase64(signature) })
  } catch {
    return undefined
  }
}

const longest = 16_384

/** Whether it is signed by the key that this public JWK is. Never rejects: a key that is none has signed nothing. */
export async function isSignedBy(jws: Jws, jwk: JsonObject, algorithm: SigningAlgorithm): Promise<boolean> {
  try {
    const key = await crypto.subtle.importKey('jwk', bare({ ...jwk }) as JsonWebKey, parametersOf(algorithm), false, ['verify'])
    return await crypto.subtle.verify(verificationOf(algorithm), key, jws.signature, jws.signed)
  } catch {
    return false
  }
}

function verificationOf(algorithm: SigningAlgorithm): EcdsaParams | RsaPssParams | Algorithm {
  const size = algorithm.slice(2)
  switch (algorithm.slice(0, 2)) {
    case 'RS':
      return bare({ name: 'RSASSA-PKCS1-v1_5' })
    case 'PS':
      return bare({ name: 'RSA-PSS', saltLength: Number(size) / 8 })
    case 'ES':
      return bare({ name: 'ECDSA', hash: `SHA-${size}` })
    default:
      return bare({ name: 'Ed25519' })
  }
}

/** SHA-256, in base64url: what RFC 7638 and RFC 9449 name things by. */
export async function sha256(text: string): Promise<string> {
  return base64url(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))))
}

function decoded(text: string): string {
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytesOfBase64(text))
}
