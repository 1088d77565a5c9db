/** Fresh, unguessable text: 128 bits. */
export function fresh(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** A random number in [0, 1), for what need not be unguessable: jitter. */
export function draw(): number {
  return Math.random()
}
