import { isText } from '../core/option.js'
import { bare } from '../core/secret.js'
import type { JsonObject } from './json.js'
import { isSignedBy, readJws, sha256 } from './jws.js'
import type { SigningAlgorithm } from './signing-algorithms.js'

/** What a proof is held against (RFC 9449 section 4.3). */
export interface ProofExpectation {
  readonly method: string
  readonly url: string
  readonly token: string
  /** The key that the token is bound to (`cnf.jkt`). */
  readonly thumbprint: string
  /** Milliseconds since the epoch. */
  readonly now: number
}

/** How far from now a proof may have been made, in seconds, either way: clocks differ, and a request travels. */
export const proofWindowSeconds = 300

/** Asymmetric ones only: whoever checks a proof must not be able to make one. */
export const proofAlgorithms: readonly SigningAlgorithm[] = ['ES256', 'Ed25519', 'EdDSA', 'ES384', 'ES512', 'PS256', 'RS256']

/** What is left to be judged of a proof that is good for its request. */
export interface CheckedProof {
  /** By which its second use is known. */
  readonly jti: string
  /** The server's nonce that it repeats, if it does (RFC 9449 section 9). */
  readonly nonce: unknown
}

/** `undefined` for a proof that is not good. */
export async function checkedProof(proof: string, expected: ProofExpectation): Promise<CheckedProof | undefined> {
  const jws = readJws(proof)
  if (jws === undefined) return undefined
  const { header, claims } = jws
  const algorithm = proofAlgorithms.find((one) => one === header['alg'])
  const jwk = publicPart(header['jwk'])
  if (header['typ'] !== 'dpop+jwt' || algorithm === undefined || jwk === undefined) return undefined
  const { jti, htm, htu, iat, ath, nonce } = claims
  if (!isText(jti) || jti.length > longestId || htm !== expected.method) return undefined
  if (!isText(htu) || withoutQuery(htu) === undefined || withoutQuery(htu) !== withoutQuery(expected.url)) return undefined
  if (typeof iat !== 'number' || !(Math.abs(expected.now / 1_000 - iat) <= proofWindowSeconds)) return undefined
  if (ath !== (await sha256(expected.token)) || (await thumbprint(jwk)) !== expected.thumbprint) return undefined
  return (await isSignedBy(jws, jwk, algorithm)) ? bare({ jti, nonce }) : undefined
}

const longestId = 256

/** The members of a public key that its thumbprint is made of, in that order (RFC 7638 section 3.2, RFC 8037 section 2). */
const members: Readonly<Record<string, readonly string[]>> = bare({
  EC: ['crv', 'kty', 'x', 'y'],
  OKP: ['crv', 'kty', 'x'],
  RSA: ['e', 'kty', 'n'],
})

/** Those members and no others; `undefined` for a key that is none, or shows its private part. */
function publicPart(value: unknown): JsonObject | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const jwk = value as JsonObject
  const names = members[String(jwk['kty'])]
  if (names === undefined || 'd' in jwk || 'k' in jwk || !names.every((name) => isText(jwk[name]))) return undefined
  return bare(Object.fromEntries(names.map((name) => [name, jwk[name]])))
}

function thumbprint(jwk: JsonObject): Promise<string> {
  return sha256(JSON.stringify(jwk))
}

/** RFC 9449 section 4.3: compared without query and fragment, after the normalisation of RFC 3986 that `URL` does. */
function withoutQuery(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined
  const url = new URL(text)
  url.search = ''
  url.hash = ''
  return url.href
}
