import type { Clock } from '../core/ports.js'
import { bare } from '../core/secret.js'
import { base64url } from '../protocol/base64url.js'
import { proofWindowSeconds } from '../protocol/dpop-proof-check.js'

/** The nonces that a proof must repeat (RFC 9449 section 9), so that none is made long before it is used. */
export interface Nonces {
  /** The one that is told to clients now. */
  newest(): Promise<string>
  isGood(nonce: unknown): Promise<boolean>
}

/** For so long a nonce is the newest, in milliseconds; it is good until the next one is no longer. */
const turn = (proofWindowSeconds / 2) * 1_000

/**
 * Made from a key and the time, so that all who have the key know the same ones and nothing is kept. They are not made for an audience: a client keeps
 * one nonce for an origin, and APIs that share one would otherwise refuse each other's.
 */
export function noncesBy(key: Uint8Array<ArrayBuffer>, clock: Pick<Clock, 'now'>): Nonces {
  let imported: Promise<CryptoKey> | undefined

  async function nonceOf(count: number): Promise<string> {
    imported ??= crypto.subtle.importKey('raw', key, bare({ name: 'HMAC', hash: 'SHA-256' }), false, ['sign'])
    const text = new TextEncoder().encode(`DPoP nonce ${count}`)
    return base64url(new Uint8Array(await crypto.subtle.sign('HMAC', await imported, text)))
  }
  const turnOfNow = () => Math.floor(clock.now() / turn)

  return {
    newest: () => nonceOf(turnOfNow()),
    async isGood(nonce) {
      const now = turnOfNow()
      // The one to come as well: another process of this API may have a clock that is ahead.
      for (const count of [now, now - 1, now + 1]) if ((await nonceOf(count)) === nonce) return true
      return false
    },
  }
}
