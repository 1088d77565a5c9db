import type { AuthorizationServer } from '../core/client.js'
import { OAuthError, type OAuthErrorCode } from '../core/errors.js'
import { isObject, isText } from '../core/option.js'
import type { Clock } from '../core/ports.js'
import { missingScope, parseScope } from '../core/scope.js'
import { bare } from '../core/secret.js'
import { checkedProof, proofWindowSeconds } from '../protocol/dpop-proof-check.js'
import { introspect } from '../protocol/introspection.js'
import type { JsonObject } from '../protocol/json.js'
import { isJwtAccessToken, jwtClaims } from '../protocol/jwt-access-token.js'
import { systemClock } from '../system-clock.js'
import { introspectionCache } from './introspection-cache.js'
import { noncesBy } from './nonces.js'
import { type Presented, presentedIn } from './presented-token.js'
import { type Refusal, type Scheme, refusalResponse } from './refusal.js'
import { usedProofs } from './replay.js'
import { type Needed, type ResourceServerSettings, readNeeded, readSettings } from './settings.js'

/** An API that checks tokens. */
export interface ResourceServer {
  /**
   * Checks the access token that a request carries in `Authorization`. Resolves with what it says, or with the response that refuses it: 401 or 403
   * with `WWW-Authenticate` (RFC 6750 section 3, RFC 9449 section 7.1, RFC 9470), and 503 where the authorization server cannot be asked.
   */
  verifyAccessToken(request: Request, needed?: Needed): Promise<Verified | Refused>
}

/** A token that is good, and what it says. */
export interface Verified {
  readonly ok: true
  readonly subject?: string
  readonly clientId?: string
  readonly scope: readonly string[]
  /** All that the token, or the authorization server of it, says. */
  readonly claims: Readonly<Record<string, unknown>>
  /**
   * For the response to this request: `dpop-nonce`, where nonces are demanded and the token is bound (RFC 9449 section 8.2), else none. A page of
   * another origin can read it where the response exposes it: `Access-Control-Expose-Headers: DPoP-Nonce`.
   */
  readonly headers: Readonly<Record<string, string>>
}

/** `response` is ready to be sent: status and `WWW-Authenticate`. */
export interface Refused {
  readonly ok: false
  readonly response: Response
}

/**
 * The other side of a token, for the API that receives it. A JWT is checked by its signature and its claims (RFC 9068 section 4), a random string by
 * introspection (RFC 7662), both for issuer, `audience` and time. A token that is bound to a key needs a DPoP proof (RFC 9449 section 4.3), and each
 * proof serves once in this process. With `dpopNonceKey` it must repeat a nonce as well, and the answers to good requests tell the next one: send
 * `headers` with them.
 *
 * `verifyAccessToken` rejects only where this server is not set up well: with `client_refused` where it may not introspect, `issuer_mismatch` and
 * `not_supported` for what the metadata says or lacks, and `invalid_configuration` for a wrong `needed`.
 *
 * @throws OAuthError `invalid_configuration`, which names the option
 *
 * @example
 * const api = resourceServer({
 *   issuer: 'https://auth.example.com',
 *   audience: 'https://api.example.com/',
 *   introspection: { clientId: 'api', clientAuthentication: clientSecretBasic(process.env['API_SECRET']!) },
 * })
 * const handle = async (request: Request): Promise<Response> => {
 *   const token = await api.verifyAccessToken(request, { scope: ['notes:read'] })
 *   return token.ok ? Response.json({ hello: token.subject }, { headers: token.headers }) : token.response
 * }
 */
export function resourceServer(options: AuthorizationServer & ResourceServerSettings): ResourceServer {
  return resourceServerBy(options, systemClock)
}

/** `resourceServer`, by a clock that a test can move. */
export function resourceServerBy(options: AuthorizationServer & ResourceServerSettings, clock: Clock): ResourceServer {
  const { client, audience, introspects, cacheSeconds, dpop, nonceKey } = readSettings(options, clock)
  const schemes: readonly Scheme[] = dpop === 'accepted' ? ['Bearer', 'DPoP'] : dpop === 'required' ? ['DPoP'] : ['Bearer']
  const proofs = usedProofs(clock, proofWindowSeconds)
  const nonces = nonceKey === undefined ? undefined : noncesBy(nonceKey, clock)
  const ask = introspectionCache((token) => introspect(client, token), cacheSeconds, clock)

  async function verify(request: Request, needed: Needed): Promise<Refusal | Verified> {
    const presented = presentedIn(request)
    if (presented === 'nothing') return { status: 401 }
    if (presented === 'malformed')
      return { status: 400, error: 'invalid_request', description: 'Authorization holds no access token, or two' }
    if (!schemes.includes(presented.scheme)) return invalidToken(`This API takes no ${presented.scheme} tokens`)
    const claims = await claimsOf(presented.token)
    if (claims === undefined) return invalidToken('The token is expired, revoked, or of no use here')
    const refusal = (await wrongSender(request, presented, claims)) ?? tooLittle(claims, needed, clock.now())
    return refusal ?? verified(claims, presented.scheme === 'DPoP' ? await nonces?.newest() : undefined)
  }

  async function claimsOf(token: string): Promise<JsonObject | undefined> {
    if (isJwtAccessToken(token)) return jwtClaims(client, token, audience)
    const claims = introspects ? await ask(token) : undefined
    return claims !== undefined && isForHere(claims) ? claims : undefined
  }

  function isForHere({ iss, aud, exp, nbf, token_type: type }: JsonObject): boolean {
    const now = clock.now() / 1_000
    if (iss !== undefined && iss !== client.server.issuer) return false
    if (!(Array.isArray(aud) ? aud : [aud]).includes(audience)) return false
    if (type !== undefined && !/^(?:bearer|dpop)$/i.test(String(type))) return false
    return (exp === undefined || (typeof exp === 'number' && now < exp)) && (nbf === undefined || (typeof nbf === 'number' && nbf <= now))
  }

  /** Whether it is in other hands than those that it was bound to. */
  async function wrongSender(request: Request, { scheme, token, proof }: Presented, { cnf }: JsonObject): Promise<Refusal | undefined> {
    if (cnf === undefined) return scheme === 'DPoP' ? invalidToken('The token is bound to no key: send it as Bearer') : undefined
    const thumbprint = isObject(cnf) ? cnf['jkt'] : undefined
    // Bound in a way that cannot be checked here is not unbound.
    if (!isText(thumbprint) || Object.keys(cnf as object).length !== 1)
      return invalidToken('The token is bound in a way that this API cannot check')
    if (scheme === 'Bearer') return invalidToken('The token is bound to a key: send it as DPoP, with a proof')
    const expected = { method: request.method, url: request.url, token, thumbprint, now: clock.now() }
    const checked = proof === undefined ? undefined : await checkedProof(proof, expected)
    if (checked === undefined)
      return invalidProof('The DPoP proof is missing, or is not one for this request, token and key, made just now')
    if (nonces !== undefined && !(await nonces.isGood(checked.nonce)))
      return { status: 401, error: 'use_dpop_nonce', description: 'The DPoP proof must repeat the nonce of DPoP-Nonce' }
    return proofs.use(thumbprint, checked.jti) ? undefined : invalidProof('The DPoP proof was used before')
  }

  return {
    async verifyAccessToken(request, needed) {
      const wanted = readNeeded(needed)
      const result = await verify(request, wanted).catch(unavailable)
      if ('ok' in result) return result
      // Once a token was shown, the challenge is of its scheme.
      const presented = presentedIn(request)
      const shown = typeof presented === 'string' || !schemes.includes(presented.scheme) ? schemes : [presented.scheme]
      const nonce = shown.includes('DPoP') ? await nonces?.newest() : undefined
      return { ok: false, response: refusalResponse(result, shown, nonce) }
    },
  }
}

function tooLittle(claims: JsonObject, { scope, acrValues, maxAgeSeconds }: Needed, now: number): Refusal | undefined {
  if (scope !== undefined && missingScope(scopeOf(claims), scope).length > 0)
    return { status: 403, error: 'insufficient_scope', description: 'The token does not allow this', scope }
  const { acr, auth_time: authenticatedAt } = claims
  const isWeak = acrValues !== undefined && !acrValues.includes(String(acr))
  const isOld = maxAgeSeconds !== undefined && !(typeof authenticatedAt === 'number' && now / 1_000 - authenticatedAt <= maxAgeSeconds)
  if (!isWeak && !isOld) return undefined
  return {
    status: 401,
    error: 'insufficient_user_authentication',
    description: isWeak ? 'A stronger sign-in is needed' : 'A more recent sign-in is needed',
    ...(acrValues === undefined ? {} : { acrValues }),
    ...(maxAgeSeconds === undefined ? {} : { maxAgeSeconds }),
  }
}

function verified(claims: JsonObject, nonce: string | undefined): Verified {
  const { sub, client_id: clientId } = claims
  return {
    ok: true,
    ...(isText(sub) ? { subject: sub } : {}),
    ...(isText(clientId) ? { clientId } : {}),
    scope: scopeOf(claims),
    claims,
    headers: nonce === undefined ? bare({}) : bare({ 'dpop-nonce': nonce }),
  }
}

function scopeOf({ scope }: JsonObject): readonly string[] {
  return isText(scope) ? parseScope(scope) : []
}

function invalidToken(description: string): Refusal {
  return { status: 401, error: 'invalid_token', description }
}

function invalidProof(description: string): Refusal {
  return { status: 401, error: 'invalid_dpop_proof', description }
}

/** What time may cure is no reason to call a token bad; what only its operator can cure is said to the operator. */
const passing: readonly OAuthErrorCode[] = ['network', 'timed_out', 'server_unavailable', 'discovery_failed']

function unavailable(error: unknown): Refusal {
  if (!(error instanceof OAuthError) || !passing.includes(error.code)) throw error
  return { status: 503, error: 'temporarily_unavailable', description: 'The token cannot be checked at the moment' }
}
