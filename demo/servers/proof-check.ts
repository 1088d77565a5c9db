import { createHash } from 'node:crypto'
import { EmbeddedJWK, calculateJwkThumbprint, jwtVerify } from 'jose'

/** What a proof is held against (RFC 9449 section 4.3). */
export interface Proven {
  readonly method: string
  /** Without query and fragment. */
  readonly address: string
  readonly token: string
}

/** A proof that is right, but for its nonce. */
export interface Proof {
  /** The thumbprint of its key. */
  readonly key: string
  readonly nonce: string | undefined
}

/** Resolves `undefined` for a proof that is no good. */
export type ProofCheck = (proof: string, of: Proven) => Promise<Proof | undefined>

/** How old or how early a proof may be, in seconds. */
const window = 60

export function proofCheck(): ProofCheck {
  const seen = new Set<string>()
  return async (proof, { method, address, token }) => {
    try {
      const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, {
        typ: 'dpop+jwt',
        algorithms: ['ES256', 'Ed25519', 'EdDSA'],
      })
      const { jwk } = protectedHeader
      const { jti, iat, nonce } = payload
      const hash = createHash('sha256').update(token).digest('base64url')
      const isRight =
        jwk !== undefined &&
        !('d' in jwk) &&
        typeof jti === 'string' &&
        !seen.has(jti) &&
        typeof iat === 'number' &&
        Math.abs(Date.now() / 1_000 - iat) <= window &&
        payload['htm'] === method &&
        payload['htu'] === address &&
        payload['ath'] === hash
      if (!isRight) return undefined
      seen.add(jti)
      return { key: await calculateJwkThumbprint(jwk), nonce: typeof nonce === 'string' ? nonce : undefined }
    } catch {
      return undefined
    }
  }
}
