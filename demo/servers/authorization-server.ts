import { randomBytes } from 'node:crypto'
import type { EventEmitter } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { KoaContextWithOIDC, Provider } from 'oidc-provider'
import { useDeviceCode } from './automatic-device.js'
import { type BackchannelPrompt, backchannel } from './backchannel.js'
import { type AutomaticUser, interactions } from './interactions.js'
import { listen } from './loopback.js'
import { type DemoClient, type DpopSettings, type LiveSettings, providerConfiguration } from './provider-configuration.js'
import { type ProviderStorage, providerStorage } from './provider-storage.js'
import { quietProvider } from './quiet-provider.js'
import { type RequestRecord, type ServerCounters, type TokenTrouble, requestLog } from './request-log.js'
import { type DemoResource, mailResource, notesResource } from './resources.js'

export type { AutomaticUser, DemoClient, DemoResource, RequestRecord, ServerCounters, TokenTrouble }
export { mailResource, notesResource }

export interface AuthorizationServerOptions {
  /** Default: a free one. */
  readonly port?: number | undefined
  /** Default `127.0.0.1`. */
  readonly host?: string | undefined
  /** Where the world reaches it, if a proxy stands in front. Default: where it listens. */
  readonly issuer?: string | undefined
  readonly clients: readonly DemoClient[]
  /** Default: notes (random strings) and mail (JWTs). A client that names none asks for all, and gets the first's token. */
  readonly resources?: readonly DemoResource[] | undefined
  /** Default 60; at least 1. */
  readonly accessTokenSeconds?: number | undefined
  /** How much longer than they say access tokens live. Default 0. */
  readonly leewaySeconds?: number | undefined
  /** Default: 14 days. */
  readonly refreshTokenSeconds?: number | undefined
  /** Each refresh token serves once, and its second use revokes the whole grant. Default true. */
  readonly rotation?: boolean | undefined
  /** How long a refresh token that was used may be used again, and is answered with another one each time. Default 0. */
  readonly graceSeconds?: number | undefined
  /** Whether what the user has consented to outlives the tokens when a refresh token is used twice. Default false. */
  readonly keepsConsent?: boolean | undefined
  /** Default `whole_grant`: every token has everything that was granted. `of_its_resource`: only what its resource knows (RFC 8707 section 2.2). */
  readonly tokenScope?: 'whole_grant' | 'of_its_resource' | undefined
  /** Origins of pages that may read answers, beside those of the clients' redirect URIs. */
  readonly origins?: readonly string[] | undefined
  readonly automatic?: AutomaticUser | undefined
  /** A file in which tokens and grants are remembered from one run to the next, in clear. */
  readonly memory?: string | undefined
  readonly dpop?: DpopSettings | undefined
  /** Authorization requests that are pushed (RFC 9126): it takes them, or takes no others. Default: it does not. */
  readonly pushedRequests?: 'taken' | 'required' | undefined
  /** It takes signed requests (RFC 9101), and signs its responses for who asks (JARM). Default false. */
  readonly messageSigning?: boolean | undefined
  /** The types of authorization details (RFC 9396) that may be asked for. Default: none. */
  readonly detailTypes?: readonly string[] | undefined
}

/** A real authorization server, oidc-provider, on this machine; the demo and the tests use the same. */
export interface DemoAuthorizationServer {
  readonly issuer: string
  /** Where it listens. */
  readonly origin: string
  /** The client with which the API asks the introspection endpoint. */
  readonly resourceServer: { readonly clientId: string; readonly clientSecret: string }
  /** Who signs in without being asked; may be changed at any time. */
  automatic: AutomaticUser | undefined
  /** The `Cross-Origin-Opener-Policy` of its pages; may be changed at any time. */
  openerPolicy: string | undefined
  /** Holds for tokens made from now on. */
  readonly live: LiveSettings
  readonly trouble: TokenTrouble
  /** Every request, in the order in which it was answered. */
  readonly log: readonly RequestRecord[]
  readonly counters: ServerCounters
  /** What the users' own devices were shown (OpenID Connect CIBA). */
  readonly prompts: readonly BackchannelPrompt[]
  /** What went wrong inside the server. A test that ends with any has found a mistake. */
  readonly errors: readonly unknown[]
  /** Every code, device code, code verifier, access, refresh and ID token that passed: what a sweep for leaks looks for. */
  issued(): readonly string[]
  /** Access tokens that are random strings are worth nothing from now on. */
  revokeAll(): void
  /** Refresh tokens and grants are gone: the next renewal is answered with `invalid_grant`. */
  revokeGrants(): void
  close(): Promise<void>
}

export async function startAuthorizationServer(options: AuthorizationServerOptions): Promise<DemoAuthorizationServer> {
  const { Provider, interactionPolicy } = await quietProvider()
  const storage = providerStorage(options.memory, (options.graceSeconds ?? 0) * 1_000)
  const requests = requestLog()
  const errors: unknown[] = []
  const resourceServer = { clientId: 'demo-api', clientSecret: randomBytes(24).toString('base64url') }
  const live: LiveSettings = {
    accessTokenSeconds: options.accessTokenSeconds ?? 60,
    leewaySeconds: options.leewaySeconds ?? 0,
    refreshTokenSeconds: options.refreshTokenSeconds ?? 14 * 86_400,
  }
  let automatic = options.automatic
  let openerPolicy: string | undefined
  const devices = backchannel(() => automatic)
  let answerDevices = async (): Promise<void> => {}

  const server = await listen(options, (origin) => {
    const issuer = options.issuer ?? origin
    const configuration = providerConfiguration(
      {
        storage,
        clients: [...options.clients, resourceServer],
        resources: options.resources ?? [notesResource, mailResource],
        tokenScope: options.tokenScope ?? 'whole_grant',
        rotation: options.rotation ?? true,
        keepsConsent: options.keepsConsent ?? false,
        origins: options.origins ?? [],
        resourceServerClientId: resourceServer.clientId,
        live,
        automatic: () => automatic !== undefined,
        dpop: options.dpop ?? {},
        pushedRequests: options.pushedRequests,
        messageSigning: options.messageSigning ?? false,
        backchannel: devices.feature,
        detailTypes: options.detailTypes ?? [],
        cookiePrefix: `demo_${new URL(issuer).port}`,
      },
      interactionPolicy.base(),
    )
    const provider = new Provider(issuer, configuration)
    answerDevices = () => devices.answer(provider)
    provider.use(requests.middleware)
    provider.use(async (ctx: KoaContextWithOIDC, next) => {
      await next()
      const answer = ctx.body as { expires_in?: unknown } | undefined
      if (ctx.path === '/token' && typeof answer?.expires_in === 'number') answer.expires_in -= live.leewaySeconds
    })
    provider.use(async (ctx: KoaContextWithOIDC, next) => {
      await next()
      if (automatic === undefined || ctx.path !== '/device/auth' || ctx.status !== 200) return
      const { user_code: userCode } = ctx.body as { readonly user_code: string }
      void useDeviceCode(issuer, userCode, automatic.deny === true).catch((error: unknown) => errors.push(error))
    })
    listenForErrors(provider, errors, requests)
    const answerWithProvider = provider.callback()
    const answerInteraction = interactions(provider, () => automatic)
    const answer: AsyncListener = async (request, response) => {
      if (openerPolicy !== undefined) response.setHeader('cross-origin-opener-policy', openerPolicy)
      if (!(await answerInteraction(request, response))) await answerWithProvider(request, response)
    }
    return (request, response) => void answer(request, response).catch((error: unknown) => errors.push(error))
  })

  return {
    issuer: options.issuer ?? server.origin,
    origin: server.origin,
    resourceServer,
    get automatic() {
      return automatic
    },
    set automatic(user) {
      automatic = user
      void answerDevices().catch((error: unknown) => errors.push(error))
    },
    get openerPolicy() {
      return openerPolicy
    },
    set openerPolicy(policy) {
      openerPolicy = policy
    },
    live,
    trouble: requests.trouble,
    log: requests.log,
    counters: requests.counters,
    prompts: devices.prompts,
    errors,
    issued: () => [...storage.codes, ...requests.secrets],
    revokeAll: () => storage.forget('AccessToken', 'ClientCredentials'),
    revokeGrants: () => revokeGrants(storage),
    close: server.close,
  }
}

type AsyncListener = (request: IncomingMessage, response: ServerResponse) => Promise<void>

function revokeGrants(storage: ProviderStorage): void {
  storage.forget('AccessToken', 'RefreshToken', 'AuthorizationCode', 'DeviceCode', 'BackchannelAuthenticationRequest', 'Grant')
}

function listenForErrors(provider: Provider, errors: unknown[], requests: { readonly grantRevoked: () => void }): void {
  provider.on('grant.revoked', () => requests.grantRevoked())
  provider.on('server_error', (_ctx: KoaContextWithOIDC, error: unknown) => errors.push(error))
  // Koa prints what nobody listens for; that a browser goes away in the middle of an answer is no news.
  const koa: EventEmitter = provider
  koa.on('error', (error: unknown) => {
    const { code } = error as { code?: unknown }
    if (code !== 'ECONNRESET' && code !== 'EPIPE' && code !== 'ECONNABORTED') errors.push(error)
  })
}
