import { bare } from '../core/secret.js'

/** Asymmetric ones only: who checks a signature must not be able to make one. */
export const signingAlgorithms = [
  'RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519',
] as const // prettier-ignore

export type SigningAlgorithm = (typeof signingAlgorithms)[number]

/** With what a key of this algorithm is imported. */
export function parametersOf(algorithm: SigningAlgorithm): RsaHashedImportParams | EcKeyImportParams | Algorithm {
  const size = algorithm.slice(2)
  switch (algorithm.slice(0, 2)) {
    case 'RS':
      return bare({ name: 'RSASSA-PKCS1-v1_5', hash: `SHA-${size}` })
    case 'PS':
      return bare({ name: 'RSA-PSS', hash: `SHA-${size}` })
    case 'ES':
      return bare({ name: 'ECDSA', namedCurve: size === '512' ? 'P-521' : `P-${size}` })
    default:
      return bare({ name: 'Ed25519' })
  }
}
