import type { WebCrypto } from './client.js'
import { OAuthError } from './errors.js'

/**
 * Bytes that nobody can guess. Asked for twice: a source that has been replaced or is broken, and says the same again, is noticed before anything is
 * built on it. (One that only its maker can predict looks like any other.) Throws `not_supported` then.
 */
export function randomBytes(length: number, by: Pick<WebCrypto, 'getRandomValues'>): Uint8Array<ArrayBuffer> {
  const [before, bytes] = [by.getRandomValues(new Uint8Array(length)), by.getRandomValues(new Uint8Array(length))]
  if (bytes.some((byte, index) => byte !== before[index])) return bytes
  throw new OAuthError(
    'not_supported',
    'There is no randomness here: crypto.getRandomValues gives the same bytes again and again, and what they make anybody could guess. Look for what has replaced it.',
  )
}
