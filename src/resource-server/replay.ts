import type { Clock } from '../core/ports.js'

/** Knows the proofs that were used: each serves once (RFC 9449 section 11.1). */
export interface UsedProofs {
  /** False when this one was used before. */
  use(thumbprint: string, jti: string): boolean
}

/** As many as are remembered, in this process. Whoever has more in their window forgets the oldest. */
const most = 100_000

export function usedProofs(clock: Pick<Clock, 'monotonic'>, windowSeconds: number): UsedProofs {
  // In the order in which they came, which is the order in which they end.
  const used = new Map<string, number>()
  // A proof from a clock that is ahead is good for two windows.
  const kept = 2 * windowSeconds * 1_000

  return {
    use(thumbprint, jti) {
      const now = clock.monotonic()
      for (const [oldest, until] of used) {
        if (until > now && used.size < most) break
        used.delete(oldest)
      }
      const name = `${thumbprint} ${jti}`
      if (used.has(name)) return false
      used.set(name, now + kept)
      return true
    },
  }
}
