import { clear, read, secret } from './codec.js'
import type { DpopKeyText } from './dpop.js'
import { type Nonces, dpopAlgorithms, readNonce, withNonce } from './dpop-values.js'
import { list, oneOf, strings } from './reading.js'
import { bare } from './secret.js'

// The texts in which a store holds a key and nonces, believed member by member as every record is.

export function encodeDpopKey(key: DpopKeyText): string {
  return JSON.stringify(clear(key))
}

export function decodeDpopKey(text: string): DpopKeyText | undefined {
  return read(text, (from) => bare({ algorithm: oneOf(from['algorithm'], dpopAlgorithms), jwk: secret(from['jwk']) }))
}

export function encodeNonces(nonces: Nonces): string {
  return JSON.stringify(clear({ nonces }))
}

/** What is no nonce is left out. */
export function decodeNonces(text: string): Nonces | undefined {
  return read(text, (from) =>
    list(from['nonces']).reduce<Nonces>((nonces, one) => {
      const [owner, nonce] = strings(one)
      return owner === undefined || readNonce(nonce ?? null) === undefined ? nonces : withNonce(nonces, owner, nonce ?? '')
    }, []),
  )
}
