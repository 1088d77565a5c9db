import type { Client, SignedResponses } from '../core/client.js'
import { OAuthError } from '../core/errors.js'
import { bare } from '../core/secret.js'
import type { JsonObject } from './json.js'
import { readJws } from './jws.js'
import type { ServerMetadata } from './library.js'
import { verifyingBy } from './message-signing.js'
import { isSignedByServer } from './server-signature.js'

/** How far apart the two clocks may be, in seconds. */
const tolerance = 60

/**
 * Signed authorization responses (JARM), for servers that offer them: `signIn` asks for one (`response_mode` `jwt`), and nothing that comes back is used
 * before it is known to be signed by a key of the server (`jwks_uri`), for this client, and not expired. A response that is not signed is refused.
 * `signIn` rejects with `not_supported` where the server signs none, before anybody is sent there; `signIn` and `resume` with
 * `authorization_response_invalid` where a response does not hold, and with `server_unavailable`, `network` or `timed_out` where the keys cannot be had.
 *
 * @example
 * const session = userSession({ issuer, clientId, signedResponses: signedResponses() })
 */
export function signedResponses(): SignedResponses {
  return verifyingBy(async (client, server, response) => {
    const jws = readJws(response)
    if (jws === undefined) throw invalid('is no signed JWT')
    if (!isAllowed(server, jws.header['alg'])) throw invalid('is signed with an algorithm that the server does not name')
    checkClaims(client, jws.claims)
    if (!(await isSignedByServer(client, jws))) throw invalid('is not signed by a key of the server')
    return bare({ parameters: parametersIn(jws.claims) })
  })
}

/** `none` and those of shared keys are never allowed, whatever is named: no key of the server is of that kind. */
function isAllowed(server: ServerMetadata, algorithm: unknown): boolean {
  const named: unknown = server['authorization_signing_alg_values_supported']
  return !Array.isArray(named) || named.includes(algorithm)
}

/** JARM section 2.4. Nothing of it is shown: as long as it is not verified it may be anybody's. */
function checkClaims({ server, clientId, clock }: Client, { iss, aud, exp, nbf }: JsonObject): void {
  const now = clock.now() / 1_000
  if (iss !== server.issuer) throw invalid('is of another issuer')
  if (!(Array.isArray(aud) ? aud : [aud]).includes(clientId)) throw invalid('is for another client')
  if (typeof exp !== 'number' || !(now < exp + tolerance)) throw invalid('has expired. Check the clock of this machine')
  if (nbf !== undefined && !(typeof nbf === 'number' && nbf <= now + tolerance))
    throw invalid('is not valid yet. Check the clock of this machine')
}

/** What a response that is not signed has in its address. */
function parametersIn(claims: JsonObject): URLSearchParams {
  const texts = Object.entries(claims).filter((claim): claim is [string, string] => typeof claim[1] === 'string' && claim[0] !== 'aud')
  return new URLSearchParams(texts)
}

function invalid(what: string): OAuthError {
  return new OAuthError(
    'authorization_response_invalid',
    `The signed authorization response ${what}. Nothing of it is used; sign in again.`,
  )
}
