/** A JWT as it looks; its signature is nobody's, for in the code flow TLS stands for it. */
export function jwt(claims: Readonly<Record<string, unknown>>, header: Readonly<Record<string, unknown>> = { alg: 'RS256' }): string {
  return `${encode(header)}.${encode(claims)}.c2lnbmF0dXJl`
}

function encode(part: unknown): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url')
}

/** The claims of an ID token that is right in every way, but for what is said otherwise. `undefined` leaves a claim out. */
export function claimsFor(
  issuer: string,
  nonce: string | undefined,
  now: number,
  change: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> {
  const seconds = Math.floor(now / 1000)
  return { iss: issuer, sub: 'alice', aud: 'app', iat: seconds, exp: seconds + 300, nonce, ...change }
}
