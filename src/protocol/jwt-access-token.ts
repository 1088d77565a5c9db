import type { Client } from '../core/client.js'
import { isText } from '../core/option.js'
import type { JsonObject } from './json.js'
import { readJws } from './jws.js'
import { isSignedByServer } from './server-signature.js'

// The library verifies JWT access tokens too, but with each of them its DPoP proof, and does not say which of the two was wrong.

/** Whether it says of itself that it is a JWT access token (RFC 9068 section 2.1): `application/` may stand before the type. */
export function isJwtAccessToken(token: string): boolean {
  const typ = readJws(token)?.header['typ']
  return typeof typ === 'string' && /^(?:application\/)?at\+jwt$/i.test(typ)
}

/**
 * The claims of a JWT access token (RFC 9068 section 4): issuer, audience, time, and the signature by a key of the authorization server are checked.
 * `undefined` for one that is no good. Rejects as `serverKeys` does.
 */
export async function jwtClaims(client: Client, token: string, audience: string): Promise<JsonObject | undefined> {
  const jws = readJws(token)
  if (jws === undefined || !isForHere(client, jws.claims, audience)) return undefined
  return (await isSignedByServer(client, jws)) ? jws.claims : undefined
}

/** RFC 9068 section 2.2: what every such token says. */
function isForHere({ server, clock }: Client, claims: JsonObject, audience: string): boolean {
  const { iss, aud, exp, nbf, iat } = claims
  const now = clock.now() / 1_000
  if (iss !== server.issuer || !(Array.isArray(aud) ? aud : [aud]).includes(audience)) return false
  if (!['sub', 'client_id', 'jti'].every((name) => isText(claims[name]))) return false
  if (typeof exp !== 'number' || !(now < exp) || typeof iat !== 'number' || iat > now + tolerance) return false
  return nbf === undefined || (typeof nbf === 'number' && nbf <= now + tolerance)
}

/** How far the authorization server's clock may be ahead, in seconds. Nothing lives longer for it. */
const tolerance = 60
