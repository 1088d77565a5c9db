import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { type IncomingHttpHeaders, type IncomingMessage, createServer as createHttp } from 'node:http'
import { createServer as createHttps } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { type JWK, createLocalJWKSet, jwtVerify } from 'jose'
import type { ClientMetadata, Configuration, KoaContextWithOIDC, Provider } from 'oidc-provider'
import { expect, onTestFinished } from 'vitest'
import { providerStorage } from '../../demo/servers/provider-storage.js'
import { quietProvider } from '../../demo/servers/quiet-provider.js'
import { clientCertificate, selfSigned } from './certificate.js'

export const jwtBearerGrant = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
export const tokenExchangeGrant = 'urn:ietf:params:oauth:grant-type:token-exchange'

/** A request to the server, as it came. */
export interface ConfidentialRequest {
  readonly origin: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  /** The parameters of its form. */
  readonly form: Readonly<Record<string, unknown>>
}

export interface ConfidentialServer {
  readonly issuer: string
  /** Where `mtls_endpoint_aliases` points: there the certificate of the client is asked for. */
  readonly aliases: string
  readonly requests: readonly ConfidentialRequest[]
  to(path: string): readonly ConfidentialRequest[]
}

export interface ConfidentialServerOptions {
  /** oidc-provider's own words for a client. */
  readonly clients: readonly ClientMetadata[]
  /** https with `selfSigned`, and a second origin for mutual TLS. */
  readonly tls?: boolean
  /** Whose assertions and subject tokens are taken: the keys of a platform. */
  readonly platform?: Platform
  /** What a token exchange answers beside the token, or in its place. */
  readonly exchanged?:
    | Readonly<Record<string, unknown>>
    | ((form: Readonly<Record<string, unknown>>) => Promise<Readonly<Record<string, unknown>>>)
}

export interface Platform {
  readonly issuer: string
  readonly keys: readonly JWK[]
  /** What an assertion must be by its `typ`; its `jti` is then taken once. Default: anything, any number of times. */
  readonly typ?: string
}

/** The metadata of a client that has only its own right: no redirect URI, no users. */
export function jobClient(clientId: string, more: Partial<ClientMetadata>): ClientMetadata {
  return {
    client_id: clientId,
    grant_types: ['client_credentials'],
    response_types: [],
    redirect_uris: [],
    scope: 'reports:read reports:write',
    ...more,
  } as ClientMetadata
}

/** oidc-provider with every client authentication, client credentials, and the two grants by assertion registered. Closed when the test is over. */
export async function confidentialServer(options: ConfidentialServerOptions): Promise<ConfidentialServer> {
  const { Provider } = await quietProvider()
  const requests: ConfidentialRequest[] = []
  const errors: unknown[] = []
  const servers = [options.tls ? createHttps(selfSigned) : createHttp()]
  if (options.tls) servers.push(createHttps({ ...selfSigned, ca: [clientCertificate.cert], requestCert: true, rejectUnauthorized: false }))
  for (const server of servers) await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(async () => {
    for (const server of servers) server.closeAllConnections()
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
    expect(errors).toEqual([])
  })
  const [issuer = '', aliases = issuer] = servers.map(
    (server) => `${options.tls ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}`,
  )

  const provider = new Provider(issuer, configuration(options, aliases))
  register(provider, options, issuer)
  provider.on('server_error', (_ctx, error) => errors.push(error))
  provider.use(async (ctx: KoaContextWithOIDC, next) => {
    await next()
    requests.push({
      origin: `${ctx.secure ? 'https' : 'http'}://${ctx.host}`,
      path: ctx.path,
      headers: ctx.headers,
      form: Object.fromEntries(Object.entries(ctx.oidc?.params ?? {}).filter(([, value]) => value !== undefined)),
    })
  })
  for (const server of servers) server.on('request', provider.callback())
  return { issuer, aliases, requests, to: (path) => requests.filter((request) => request.path === path) }
}

function configuration(options: ConfidentialServerOptions, aliases: string): Configuration {
  return {
    adapter: providerStorage().adapter,
    clients: [...options.clients],
    clientAuthMethods: [
      'none',
      'client_secret_basic',
      'client_secret_post',
      'client_secret_jwt',
      'private_key_jwt',
      'tls_client_auth',
      'self_signed_tls_client_auth',
    ],
    // None at all: a client whose clock is wrong is refused.
    clockTolerance: 0,
    cookies: { keys: [randomBytes(32)] },
    discovery: options.tls
      ? { mtls_endpoint_aliases: { token_endpoint: `${aliases}/token`, revocation_endpoint: `${aliases}/token/revocation` } }
      : {},
    enabledJWA: { clientAuthSigningAlgValues: ['HS256', 'RS256', 'PS256', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'] },
    jwks: {
      keys: [{ ...generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'ES256' }],
    },
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    scopes: ['openid', 'reports:read', 'reports:write', 'admin'],
    ttl: { ClientCredentials: 600 },
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      revocation: { enabled: true, allowedPolicy: () => true },
      mTLS: {
        enabled: true,
        tlsClientAuth: true,
        selfSignedTlsClientAuth: true,
        getCertificate: (ctx) => certificateOf(ctx.req)?.toString(),
        certificateAuthorized: (ctx) => (ctx.req.socket as TLSSocket).authorized,
        certificateSubjectMatches: (ctx, property, expected) =>
          property === 'tls_client_auth_subject_dn' && certificateOf(ctx.req)?.subject === expected,
      },
    },
  }
}

function certificateOf(request: IncomingMessage) {
  return (request.socket as Partial<TLSSocket>).getPeerX509Certificate?.()
}

/** RFC 7523 and RFC 8693, as far as a client has to do with them. */
function register(provider: Provider, { platform, exchanged }: ConfidentialServerOptions, issuer: string): void {
  const taken = new Set<string>()
  const answer = async (ctx: KoaContextWithOIDC, assertion: unknown, more: object): Promise<void> => {
    const { client, params = {} } = ctx.oidc
    if (client === undefined) throw new Error('no client')
    try {
      if (platform === undefined) throw new Error('no platform')
      const { payload } = await jwtVerify(String(assertion), createLocalJWKSet({ keys: [...platform.keys] }), {
        issuer: platform.issuer,
        audience: issuer,
        ...(platform.typ === undefined ? {} : { typ: platform.typ }),
      })
      if (platform.typ !== undefined && (payload.jti === undefined || taken.has(payload.jti))) throw new Error('taken before')
      taken.add(payload.jti ?? '')
    } catch {
      throw Object.assign(new Error('invalid_grant'), { error: 'invalid_grant', status: 400, statusCode: 400, expose: true })
    }
    const token = new provider.ClientCredentials({ client, scope: String(params['scope'] ?? '') })
    ctx.body = { access_token: await token.save(), token_type: 'Bearer', expires_in: token.expiration, ...more }
  }
  provider.registerGrantType(jwtBearerGrant, (ctx) => answer(ctx, ctx.oidc.params?.['assertion'], {}), ['assertion', 'scope'])
  provider.registerGrantType(
    tokenExchangeGrant,
    async (ctx) => {
      const more = typeof exchanged === 'function' ? await exchanged({ ...ctx.oidc.params }) : exchanged
      await answer(ctx, ctx.oidc.params?.['subject_token'], more ?? { issued_token_type: 'urn:ietf:params:oauth:token-type:access_token' })
    },
    ['subject_token', 'subject_token_type', 'requested_token_type', 'scope', 'resource', 'audience'],
    ['resource', 'audience'],
  )
}
