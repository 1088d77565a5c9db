import { createRemoteJWKSet, jwtVerify } from 'jose'
import type { DemoResource } from './resources.js'

/** What a good token says. */
export interface TokenFacts {
  readonly subject: string | undefined
  readonly scope: readonly string[]
  /** The thumbprint of the key that it is bound to (RFC 9449 section 6). */
  readonly boundTo: string | undefined
}

/** Resolves `undefined` for a token that is no good; rejects when the authorization server cannot be asked. */
export type AccessTokenCheck = (token: string, resource: DemoResource) => Promise<TokenFacts | undefined>

interface Settings {
  readonly issuer: string
  readonly resourceServer: { readonly clientId: string; readonly clientSecret: string }
}

interface Metadata {
  readonly introspection_endpoint: string
  readonly jwks_uri: string
}

export function accessTokenCheck(settings: Settings): AccessTokenCheck {
  const { issuer } = settings
  let known: Promise<{ readonly metadata: Metadata; readonly keys: ReturnType<typeof createRemoteJWKSet> }> | undefined
  const server = async () => {
    known ??= discover(issuer).then((metadata) => ({ metadata, keys: createRemoteJWKSet(new URL(metadata.jwks_uri)) }))
    try {
      return await known
    } catch (error) {
      known = undefined
      throw error
    }
  }
  return async (token, resource) => {
    const { metadata, keys } = await server()
    return resource.format === 'opaque'
      ? introspect(metadata.introspection_endpoint, token, resource, settings)
      : verify(keys, token, resource, issuer)
  }
}

async function discover(issuer: string): Promise<Metadata> {
  const response = await fetch(`${issuer}/.well-known/openid-configuration`)
  if (!response.ok) throw new Error(`The authorization server has no metadata (status ${response.status}).`)
  return (await response.json()) as Metadata
}

/** RFC 7662: the authorization server knows. */
async function introspect(
  endpoint: string,
  token: string,
  resource: DemoResource,
  { issuer, resourceServer }: Settings,
): Promise<TokenFacts | undefined> {
  const credentials = Buffer.from(`${resourceServer.clientId}:${resourceServer.clientSecret}`).toString('base64')
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: { authorization: `Basic ${credentials}` },
    body: new URLSearchParams({ token, token_type_hint: 'access_token' }),
  })
  // oidc-provider refuses to be asked about a JWT, which is no token of this resource anyway.
  if (response.status === 400) return undefined
  if (!response.ok) throw new Error(`The authorization server does not say what a token is worth (status ${response.status}).`)
  const facts = (await response.json()) as {
    active?: unknown
    aud?: unknown
    iss?: unknown
    scope?: unknown
    sub?: unknown
    cnf?: unknown
  }
  const good = facts.active === true && facts.iss === issuer && facts.aud === resource.identifier
  return good ? factsOf(facts) : undefined
}

/** RFC 9068: the signature says. */
async function verify(
  keys: ReturnType<typeof createRemoteJWKSet>,
  token: string,
  resource: DemoResource,
  issuer: string,
): Promise<TokenFacts | undefined> {
  if (token.split('.').length !== 3) return undefined
  try {
    const { payload } = await jwtVerify(token, keys, {
      issuer,
      audience: resource.identifier,
      typ: 'at+jwt',
      algorithms: ['ES256'],
      requiredClaims: ['exp', 'sub', 'client_id'],
    })
    return factsOf(payload)
  } catch (error) {
    // Only what jose finds wrong with the token counts against it: keys that cannot be fetched do not.
    const { code } = error as { code?: unknown }
    if (typeof code === 'string' && /^ERR_(JWT|JWS|JWKS_NO_MATCHING_KEY|JOSE_ALG|JOSE_NOT_SUPPORTED)/.test(code)) return undefined
    throw error
  }
}

interface Claims {
  readonly sub?: unknown
  readonly scope?: unknown
  readonly cnf?: unknown
}

/** Of a token that is bound in a way that is not known here nothing is believed. */
function factsOf({ sub, scope, cnf }: Claims): TokenFacts | undefined {
  const boundTo = typeof cnf === 'object' && cnf !== null && 'jkt' in cnf ? cnf.jkt : undefined
  if (cnf !== undefined && typeof boundTo !== 'string') return undefined
  return {
    subject: typeof sub === 'string' ? sub : undefined,
    scope: typeof scope === 'string' ? scope.split(' ') : [],
    boundTo: typeof boundTo === 'string' ? boundTo : undefined,
  }
}
