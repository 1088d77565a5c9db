import type { WebCrypto } from '../core/client.js'
import { randomBytes } from '../core/random-bytes.js'

/** Fresh, unguessable text: 128 bits. Throws `not_supported` where there is no randomness. */
export function fresh(from: Pick<WebCrypto, 'getRandomValues'> = crypto): string {
  return [...randomBytes(16, from)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** A random number in [0, 1), for what need not be unguessable: jitter. */
export function draw(): number {
  return Math.random()
}
