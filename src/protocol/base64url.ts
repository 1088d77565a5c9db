/** RFC 4648 section 5, without padding. */
export function base64url(bytes: Uint8Array): string {
  return base64urlOfText(String.fromCharCode(...bytes))
}

/** Of ASCII. */
export function base64urlOfText(text: string): string {
  return btoa(text).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}
