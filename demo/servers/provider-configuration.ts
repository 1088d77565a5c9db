import { generateKeyPairSync, randomBytes } from 'node:crypto'
import type { ClientMetadata, Configuration, KoaContextWithOIDC, interactionPolicy as InteractionPolicy } from 'oidc-provider'
import { askStronger, authenticationClaims, strongSignIn, usualSignIn } from './authentication.js'
import type { Backchannel } from './backchannel.js'
import { confirmCodePage, deviceDonePage, enterCodePage, signedOutPage, signOutPage, troublePage } from './interaction-pages.js'
import type { DemoResource } from './resources.js'
import { richAuthorization } from './rich-authorization.js'
import type { ProviderStorage } from './provider-storage.js'

/** A client that the authorization server knows. Without a secret it is a public one, such as a page. */
export interface DemoClient {
  readonly clientId: string
  readonly clientSecret?: string | undefined
  /** What people see. */
  readonly name?: string | undefined
  readonly redirectUris?: readonly string[] | undefined
  readonly postLogoutRedirectUris?: readonly string[] | undefined
  /** Beside the code and refresh token grants, which every client with a redirect URI may use. */
  readonly grants?: readonly ('client_credentials' | 'device_code' | 'ciba')[] | undefined
  /** What else is registered of it, in oidc-provider's own words: another client authentication, keys, … */
  readonly metadata?: Readonly<Partial<ClientMetadata>> | undefined
}

/** What may change while the server runs. */
export interface LiveSettings {
  accessTokenSeconds: number
  /** How much longer than they say access tokens live. oidc-provider counts whole seconds, and up to one of them is over when a token is made. */
  leewaySeconds: number
  refreshTokenSeconds: number
}

/** Tokens that are bound to a key (RFC 9449), for clients that prove one. */
export interface DpopSettings {
  /** Default true. */
  readonly enabled?: boolean | undefined
  /** 32 bytes, from which nonces are made. Without it there are none. */
  readonly nonceSecret?: Buffer | undefined
  /** Whether a proof must have a nonce. Default: never. */
  readonly requireNonce?: (() => boolean) | undefined
  /** Default: ES256, Ed25519 and EdDSA. */
  readonly algorithms?: readonly ('ES256' | 'Ed25519' | 'EdDSA')[] | undefined
}

export interface ProviderSettings {
  readonly storage: ProviderStorage
  readonly clients: readonly DemoClient[]
  readonly resources: readonly DemoResource[]
  readonly tokenScope: 'whole_grant' | 'of_its_resource'
  readonly rotation: boolean
  readonly keepsConsent: boolean
  readonly origins: readonly string[]
  readonly resourceServerClientId: string
  readonly live: LiveSettings
  /** Sign-out asks nobody. */
  readonly automatic: () => boolean
  readonly dpop: DpopSettings
  readonly pushedRequests: 'taken' | 'required' | undefined
  readonly messageSigning: boolean
  readonly backchannel: Backchannel['feature']
  /** The types of authorization details (RFC 9396) that may be asked for. */
  readonly detailTypes: readonly string[]
  /** Cookies know no ports: servers on one host need names of their own. */
  readonly cookiePrefix: string
}

/** The scopes of OpenID Connect that are known here, beside those of the resources. */
const identityScopes = ['openid', 'profile', 'email', 'offline_access']
const dayInSeconds = 86_400

export function providerConfiguration(settings: ProviderSettings, policy: InteractionPolicy.DefaultPolicy): Configuration {
  const { live } = settings
  return {
    acrValues: [usualSignIn, strongSignIn],
    adapter: settings.storage.adapter,
    clients: settings.clients.map(clientMetadata),
    clientDefaults: {
      id_token_signed_response_alg: 'ES256',
      ...(settings.messageSigning ? { authorization_signed_response_alg: 'ES256' } : {}),
    },
    clientBasedCORS: (_ctx, origin, client) =>
      settings.origins.includes(origin) || (client.redirectUris ?? []).some((uri) => new URL(uri).origin === origin),
    clockTolerance: 0,
    cookies: {
      keys: [randomBytes(32)],
      names: {
        session: `${settings.cookiePrefix}_session`,
        interaction: `${settings.cookiePrefix}_interaction`,
        resume: `${settings.cookiePrefix}_resume`,
      },
    },
    scopes: [...identityScopes, ...settings.resources.flatMap((resource) => resource.scope)],
    claims: { openid: ['sub'], profile: ['name', 'preferred_username'], email: ['email'] },
    conformIdTokenClaims: false,
    findAccount: (_ctx, sub) => ({
      accountId: sub,
      claims: () => ({ sub, name: displayName(sub), preferred_username: sub, email: `${sub}@example.com` }),
    }),
    interactions: { policy: askAgain(askStronger(policy)), url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
    jwks: {
      keys: [{ ...generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'ES256' }],
    },
    expiresWithSession: () => false,
    extraTokenClaims: authenticationClaims,
    issueRefreshToken: (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    rotateRefreshToken: settings.rotation,
    revokeGrantPolicy: () => !settings.keepsConsent,
    renderError: (ctx, out) => void page(ctx, troublePage(out.error, out.error_description)),
    ttl: {
      AccessToken: () => live.accessTokenSeconds + live.leewaySeconds,
      RefreshToken: () => live.refreshTokenSeconds,
      AuthorizationCode: 60,
      IdToken: 3_600,
      Interaction: 3_600,
      Session: 14 * dayInSeconds,
      Grant: 14 * dayInSeconds,
      ClientCredentials: () => live.accessTokenSeconds + live.leewaySeconds,
      DeviceCode: 600,
      BackchannelAuthenticationRequest: 600,
    },
    enabledJWA: { dPoPSigningAlgValues: [...(settings.dpop.algorithms ?? (['ES256', 'Ed25519', 'EdDSA'] as const))] },
    features: {
      dPoP: {
        enabled: settings.dpop.enabled ?? true,
        nonceSecret: settings.dpop.nonceSecret,
        requireNonce: settings.dpop.requireNonce ?? (() => false),
      },
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      ciba: settings.backchannel,
      richAuthorizationRequests: richAuthorization(settings.detailTypes),
      deviceFlow: {
        enabled: true,
        userCodeInputSource: (ctx, form, _out, error) => void page(ctx, enterCodePage(form, error?.name)),
        userCodeConfirmSource: (ctx, form, client, _device, code) =>
          void page(ctx, confirmCodePage(form, client.clientName ?? client.clientId, code)),
        successSource: (ctx) => void page(ctx, deviceDonePage(ctx.oidc.client?.clientName ?? 'the application')),
      },
      introspection: {
        enabled: true,
        allowedPolicy: (_ctx, client, token) => client.clientId === settings.resourceServerClientId || token.clientId === client.clientId,
      },
      revocation: { enabled: true, allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId },
      pushedAuthorizationRequests: {
        enabled: settings.pushedRequests !== undefined,
        requirePushedAuthorizationRequests: settings.pushedRequests === 'required',
      },
      requestObjects: { enabled: settings.messageSigning },
      jwtResponseModes: { enabled: settings.messageSigning },
      resourceIndicators: resourceIndicators(settings),
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: (ctx, form) => void page(ctx, signOutPage(form, settings.automatic())),
        postLogoutSuccessSource: (ctx) => void page(ctx, signedOutPage()),
      },
    },
  }
}

function clientMetadata(client: DemoClient): ClientMetadata {
  const redirects = client.redirectUris !== undefined && client.redirectUris.length > 0
  return {
    client_id: client.clientId,
    ...(client.name === undefined ? {} : { client_name: client.name }),
    ...(client.clientSecret === undefined
      ? { token_endpoint_auth_method: 'none' as const }
      : { client_secret: client.clientSecret, token_endpoint_auth_method: 'client_secret_basic' as const }),
    redirect_uris: [...(client.redirectUris ?? [])],
    post_logout_redirect_uris: [...(client.postLogoutRedirectUris ?? [])],
    grant_types: grantTypes(client, redirects),
    response_types: redirects ? ['code'] : [],
    ...(client.grants?.includes('ciba') === true ? { backchannel_token_delivery_mode: 'poll' as const } : {}),
    ...client.metadata,
  }
}

function grantTypes(client: DemoClient, redirects: boolean): string[] {
  const grants = client.grants ?? []
  return [
    ...(redirects ? ['authorization_code'] : []),
    ...(redirects || grants.includes('device_code') || grants.includes('ciba') ? ['refresh_token'] : []),
    ...(grants.includes('client_credentials') ? ['client_credentials'] : []),
    ...(grants.includes('device_code') ? ['urn:ietf:params:oauth:grant-type:device_code'] : []),
    ...(grants.includes('ciba') ? ['urn:openid:params:grant-type:ciba'] : []),
  ]
}

/**
 * Who names no resource when asking for authorization asks for all; a token request that names none of several gets the first's token.
 * A token's scope is the whole grant's, or (`of_its_resource`) only what its own resource knows: then `scope` in a token response says less
 * than was granted, because a token of another resource has the rest.
 */
function resourceIndicators(settings: ProviderSettings): NonNullable<Configuration['features']>['resourceIndicators'] {
  const everything = [...identityScopes, ...settings.resources.flatMap((resource) => resource.scope)]
  return {
    enabled: true,
    defaultResource: (ctx, _client, oneOf) => {
      const all = settings.resources.map(({ identifier }) => identifier)
      // A token in the application's own right is for one.
      return oneOf?.[0] ?? (ctx.oidc.params?.['grant_type'] === 'client_credentials' ? (all[0] ?? all) : all)
    },
    useGrantedResource: () => true,
    getResourceServerInfo: (_ctx, identifier) => {
      const resource = settings.resources.find((known) => known.identifier === identifier)
      if (resource === undefined) throw invalidTarget()
      const scope = settings.tokenScope === 'whole_grant' ? everything : resource.scope
      const signed = resource.format === 'jwt' ? { jwt: { sign: { alg: 'ES256' as const } } } : {}
      return { scope: scope.join(' '), audience: identifier, accessTokenFormat: resource.format, ...signed }
    },
  }
}

/** RFC 8707 section 2, in the form in which oidc-provider reports what it throws. */
function invalidTarget(): Error {
  return Object.assign(new Error('invalid_target'), {
    error: 'invalid_target',
    error_description: 'This authorization server does not know that resource.',
    status: 400,
    statusCode: 400,
    expose: true,
    allow_redirect: true,
  })
}

/** Who declined something may be asked for it once more: a second request for it shows the consent page again. */
function askAgain(policy: InteractionPolicy.DefaultPolicy): InteractionPolicy.DefaultPolicy {
  const consent = policy.get('consent')
  const again = consent?.checks.get('op_scopes_missing')
  if (consent === undefined || again === undefined) return policy
  const { check } = again
  again.check = async (ctx) => {
    if (await check(ctx)) return true
    const grant = ctx.oidc.entities.Grant
    if (grant === undefined || ctx.oidc.result?.consent !== undefined || ctx.oidc.prompts.has('none')) return false
    const declined = new Set([
      ...grant.getRejectedOIDCScope().split(' '),
      ...Object.keys(grant.rejected?.resources ?? {}).flatMap((resource) => grant.getRejectedResourceScope(resource).split(' ')),
    ])
    return [...ctx.oidc.requestParamScopes].some((scope) => declined.has(scope))
  }
  return policy
}

function page(ctx: KoaContextWithOIDC, html: string): void {
  ctx.type = 'html'
  ctx.body = html
}

function displayName(account: string): string {
  return account.charAt(0).toUpperCase() + account.slice(1)
}
