/** RFC 4648 section 5, without padding. */
export function base64url(bytes: Uint8Array): string {
  return base64urlOfText(String.fromCharCode(...bytes))
}

/** Of ASCII. */
export function base64urlOfText(text: string): string {
  return btoa(text).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

/** Reads base64, of RFC 4648 section 4 or section 5, padded or not. Throws for what is neither. */
export function bytesOfBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (character) => character.charCodeAt(0))
}
