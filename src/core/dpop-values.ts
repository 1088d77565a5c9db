// Proofs of possession (RFC 9449), as far as they are a matter of values.

import type { DpopAlgorithm } from './dpop.js'
import { OAuthError } from './errors.js'

/** In the order in which one is chosen. */
export const dpopAlgorithms: readonly DpopAlgorithm[] = ['ES256', 'Ed25519', 'EdDSA']

/** The algorithm for a server that says which it knows (`dpop_signing_alg_values_supported`, RFC 9449 section 5.1); ES256 where it says nothing. */
export function dpopAlgorithmFor(supported: unknown, issuer: string): DpopAlgorithm {
  if (!Array.isArray(supported)) return 'ES256'
  const found = dpopAlgorithms.find((one) => supported.includes(one))
  if (found !== undefined) return found
  throw new OAuthError(
    'not_supported',
    `${issuer} takes DPoP proofs of none of the algorithms ${dpopAlgorithms.join(', ')}. Ask who runs it for one of them.`,
  )
}

/** Long enough for a nonce that is itself encrypted, and no burden to the requests that repeat it. */
const longestNonce = 1_024

/** RFC 9449 section 8.1: 1*NQCHAR. What is none is not stored, and goes into no proof. */
export function readNonce(text: string | null): string | undefined {
  return text !== null && text.length <= longestNonce && /^[\x21\x23-\x5B\x5D-\x7E]+$/.test(text) ? text : undefined
}

/** Whose nonce it is. Authorization server and resource are kept apart, even on one origin (RFC 9449 section 9). */
export type ProofRole = 'authorization_server' | 'resource'

export function nonceOwner(role: ProofRole, url: URL): string {
  return `${role} ${url.origin}`
}

/** Who gave which nonce, the newest last. */
export type Nonces = readonly (readonly [owner: string, nonce: string])[]

/** As many servers as one client has to do with; an API under ever new names pushes out its own. */
const mostNonces = 50

export function withNonce(nonces: Nonces, owner: string, nonce: string): Nonces {
  return [...nonces.filter(([other]) => other !== owner), [owner, nonce] as const].slice(-mostNonces)
}

/** How far apart two clocks are that agree, in milliseconds: a `Date` counts whole seconds, and was written before it travelled. */
const agreement = 2_000

/** By how much the server's clock is ahead, in milliseconds; 0 while they agree. */
export function clockDifference(serverTime: number, now: number): number {
  return Math.abs(serverTime - now) > agreement ? serverTime - now : 0
}

export function nonceUnreadable(origin: string): OAuthError {
  return new OAuthError(
    'dpop_nonce_unreadable',
    `${origin} asks for a DPoP nonce, and its DPoP-Nonce header cannot be read. For a page of another origin it must send Access-Control-Expose-Headers: DPoP-Nonce. Ask who runs it.`,
    { serverError: 'use_dpop_nonce' },
  )
}
