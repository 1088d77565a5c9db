import type { WebCrypto } from '../core/client.js'

/** Fresh, unguessable text: 128 bits. */
export function fresh(from: Pick<WebCrypto, 'getRandomValues'> = crypto): string {
  return [...from.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** A random number in [0, 1), for what need not be unguessable: jitter. */
export function draw(): number {
  return Math.random()
}
