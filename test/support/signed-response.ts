import { generateKeyPairSync, sign } from 'node:crypto'

// Authorization responses that are JWTs (JARM), as an authorization server makes them.

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })

/** What the `jwks_uri` of the server that signs here answers. */
export const signingKeys = { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'responses', use: 'sig', alg: 'ES256' }] }

export interface SignedResponseParts {
  readonly header: Readonly<Record<string, unknown>>
  readonly claims: Readonly<Record<string, unknown>>
}

/** The response that has as a JWT what this one has in its address; `change` makes another of it before it is signed. */
export function signedResponse(
  plain: URL,
  { issuer, clientId, now = Date.now() }: { readonly issuer: string; readonly clientId: string; readonly now?: number },
  change: (parts: SignedResponseParts) => SignedResponseParts & { readonly signature?: string } = (parts) => parts,
): URL {
  const claims = { iss: issuer, aud: clientId, exp: Math.floor(now / 1_000) + 120, ...Object.fromEntries(plain.searchParams) }
  const made = change({ header: { alg: 'ES256', kid: 'responses' }, claims })
  const text = [made.header, made.claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
  const signature = sign('sha256', Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')
  const response = new URL(plain.origin + plain.pathname)
  response.searchParams.set('response', `${text}.${made.signature ?? signature}`)
  return response
}
