/** RFC 4648 section 5, without padding. */
export function base64url(bytes: Uint8Array): string {
  let text = ''
  // Spread into one call they would take five times as long, and every call with a bound token waits for it.
  for (const byte of bytes) text += String.fromCharCode(byte)
  return base64urlOfText(text)
}

/** Of ASCII. */
export function base64urlOfText(text: string): string {
  return btoa(text).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

/** Reads base64, of RFC 4648 section 4 or section 5, padded or not. Throws for what is neither. */
export function bytesOfBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (character) => character.charCodeAt(0))
}
