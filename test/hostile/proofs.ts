import { createHash, createPublicKey, verify } from 'node:crypto'
import type { Received } from './fault.js'

/** A proof whose signature is right, by the key in it, and which is for this request (RFC 9449 section 4.3). */
export interface Proof {
  /** RFC 7638. */
  readonly key: string
  readonly jti: string
  readonly nonce: string | undefined
}

/** The proof of a request; `undefined` where there is none that holds. */
export function proofOf({ headers, method, url }: Pick<Received, 'headers' | 'method' | 'url'>): Proof | undefined {
  const [header = '', payload = '', signature = '', ...rest] = String(headers['dpop'] ?? '').split('.')
  if (signature === '' || rest.length > 0) return undefined
  const { typ, alg, jwk } = parsed(header) as { typ?: string; alg?: string; jwk?: Record<string, string> }
  if (typ !== 'dpop+jwt' || alg !== 'ES256' || jwk === undefined || 'd' in jwk) return undefined
  const key = { key: createPublicKey({ key: jwk, format: 'jwk' }), dsaEncoding: 'ieee-p1363' } as const
  const isSigned = verify('sha256', Buffer.from(`${header}.${payload}`), key, Buffer.from(signature, 'base64url'))
  const { htm, htu, jti, iat, nonce } = parsed(payload) as Record<string, string | undefined> & { iat?: number }
  const isOfThis = htm === method && htu === url.origin + url.pathname && Math.abs(Date.now() / 1_000 - (iat ?? 0)) < 300
  if (!isSigned || !isOfThis || jti === undefined) return undefined
  const { crv, kty, x, y } = jwk
  return { key: createHash('sha256').update(JSON.stringify({ crv, kty, x, y })).digest('base64url'), jti, nonce }
}

function parsed(part: string): unknown {
  return JSON.parse(Buffer.from(part, 'base64url').toString())
}
