// Proofs of possession (RFC 9449): the ports behind which the keys, the nonces and the signing are. What is a matter of values is in dpop-values.ts,
// for a page of Bearer tokens loads none of it.

import type { WebCryptoKey } from './credentials.js'
import { OAuthError } from './errors.js'
import type { Store } from './ports.js'
import type { Secret } from './secret.js'

/** What a proof is signed with. The last two are one algorithm under two names (RFC 9864). */
export type DpopAlgorithm = 'ES256' | 'Ed25519' | 'EdDSA'

/** A pair of keys, the private one such that it cannot be read out. */
export interface DpopKey {
  readonly algorithm: DpopAlgorithm
  readonly privateKey: WebCryptoKey
  /** `kty`, `crv`, `x`, and `y` where there is one (RFC 7517). */
  readonly publicKey: Readonly<Record<string, string>>
}

/** A private key as a store holds it, sealed: a JWK. Made with `bare`. */
export interface DpopKeyText {
  readonly algorithm: DpopAlgorithm
  readonly jwk: Secret
}

/** Where keys are kept. Its operations reject with `store_unavailable`: a place that cannot be reached has lost nothing. */
export interface DpopKeys {
  /** `undefined` where it is known that there is none, or none that can be read. */
  get(name: string): Promise<DpopKey | undefined>
  /** The one that is there; where there is none a new one, the same for all who ask at once. */
  getOrMake(name: string, algorithm: DpopAlgorithm): Promise<DpopKey>
}

const places = new WeakMap<Store, () => Promise<DpopKeys> | undefined>()

/** Says of a store that it can keep keys as they are, not only texts. */
export function keepingKeys<S extends Store>(store: S, keys: () => Promise<DpopKeys> | undefined): S {
  places.set(store, keys)
  return store
}

export function keysBeside(store: Store): Promise<DpopKeys> | undefined {
  return places.get(store)?.()
}

/** The proofs of one client at one authorization server. A key is named by its thumbprint (RFC 7638). */
export interface Proofs {
  /** Whether the key is there. Rejects with `store_unavailable`. */
  holds(key: string): Promise<boolean>
  /** The key that new tokens are bound to, made where there is none. Rejects with `not_supported` and `store_unavailable`. */
  key(supported: unknown): Promise<string>
  /** A fresh proof for a request to the authorization server. Rejects with `dpop_key_lost` and `store_unavailable`. */
  proof(key: string, method: string, url: URL): Promise<string>
  /** Takes note of an answer of the authorization server; whether a fresh proof may be the answer to it, or why none can be made. */
  answered(url: URL, said: ProofAnswer): boolean | OAuthError
  /** The proofs of an access token that is bound to the key. */
  bind(key: string, accessToken: Secret): Binding
}

/** What an answer says of the proof that came with its request. */
export interface ProofAnswer {
  /** The `error`, where it could be read. */
  readonly error?: string | undefined
  readonly nonce: string | null
  /** The server's `Date`, in milliseconds since the epoch. */
  readonly serverTime?: number | undefined
}

/** An access token's bond to a key. */
export interface Binding {
  /** A fresh proof for one request that carries the token; a URL object is one that nobody changes meanwhile. Rejects with `dpop_key_lost`, `store_unavailable` and `invalid_configuration`. */
  proof(method: string, url: string | URL): Promise<string>
  /** Takes note of an answer; whether a fresh proof may be the answer to it. Throws `dpop_nonce_unreadable`. */
  answered(url: URL, response: Response): boolean
}

export function dpopKeyLost(): OAuthError {
  return new OAuthError('dpop_key_lost', 'The session ended: the key that it was bound to is gone. Call signIn().')
}
