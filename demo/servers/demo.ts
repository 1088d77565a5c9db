import { type DemoApi, startApi } from './api.js'
import { type DemoAuthorizationServer, startAuthorizationServer } from './authorization-server.js'
import { type PageConfig, type PageContent, type PageServer, type TroubleDesk, startPage } from './page.js'
import { scopeInWords } from './resources.js'

export interface DemoOptions {
  /** The page's; default: a free one. */
  readonly port?: number | undefined
  /** The page's files, by path. */
  readonly files: PageContent['files']
  /** How long access tokens of the demo's own server live; default 60. */
  readonly tokenSeconds?: number | undefined
  /** A real authorization server and API in the place of the demo's own. */
  readonly real?: RealServers | undefined
}

export interface RealServers {
  readonly issuer: string
  readonly clientId: string
  readonly api: string
  readonly scope: readonly string[]
}

export interface Demo {
  readonly address: string
  /** What to tell whoever started it. */
  readonly advice: readonly string[]
  close(): Promise<void>
}

const clientId = 'notes-page'

export async function startDemo(options: DemoOptions): Promise<Demo> {
  const page = await startPage({ port: options.port })
  return options.real === undefined ? withOwnServers(page, options) : withRealServers(page, options.files, options.real)
}

async function withOwnServers(page: PageServer, { files, tokenSeconds = 60 }: DemoOptions): Promise<Demo> {
  const server = await startAuthorizationServer({
    accessTokenSeconds: tokenSeconds,
    clients: [
      {
        clientId,
        name: 'Valetkey demo',
        redirectUris: [`${page.origin}/callback`],
        postLogoutRedirectUris: [`${page.origin}/`],
      },
    ],
  })
  const api = await startApi({ issuer: server.issuer, resourceServer: server.resourceServer, origins: [page.origin] })
  page.open({ files, config: ownConfig(server, api), connect: [server.issuer, api.origin], trouble: troubleDesk(server, api) })
  return {
    address: page.origin,
    advice: [
      `Authorization server ${server.issuer} (tokens of ${tokenSeconds} seconds, each refresh token serves once), API ${api.origin}.`,
      'Sign in as Ada, take a scope away on the consent page, then call the notes and the mail.',
      'Revoke the tokens, or send a copy of one: what is it still worth? Then sign in with tokens that are bound to the browser, and try again.',
      'Open a second tab, let both read, slow the token endpoint down and revoke the tokens: one renews, the other waits.',
      'Ctrl-C stops everything.',
    ],
    close: async () => {
      await Promise.all([page.close(), api.close(), server.close()])
    },
  }
}

async function withRealServers(page: PageServer, files: PageContent['files'], real: RealServers): Promise<Demo> {
  const config: PageConfig = {
    issuer: real.issuer,
    clientId: real.clientId,
    scope: real.scope.map((value) => ({ value, words: scopeInWords[value] ?? value, chosen: true })),
    calls: [{ label: 'Call the API', method: 'GET', url: real.api, api: 'API' }],
    trouble: false,
  }
  page.open({ files, config, connect: [new URL(real.api).origin, ...(await originsOf(real.issuer))] })
  return {
    address: page.origin,
    advice: [
      `Client ${real.clientId} of ${real.issuer}, API ${real.api}.`,
      `The authorization server must know the redirect URI ${page.origin}/callback, and both must allow calls from ${page.origin}.`,
      'Ctrl-C stops it.',
    ],
    close: page.close,
  }
}

function ownConfig(server: DemoAuthorizationServer, api: DemoApi): PageConfig {
  const scope = ['openid', 'profile', ...api.notes.scope, ...api.mail.scope]
  const notes = { api: 'Notes', url: `${api.origin}/notes`, resource: api.notes.identifier, format: api.notes.format }
  const mail = { api: 'Mail', url: `${api.origin}/mail`, resource: api.mail.identifier, format: api.mail.format }
  return {
    issuer: server.issuer,
    clientId,
    scope: scope.map((value) => ({ value, words: scopeInWords[value] ?? value, chosen: value !== 'mail:send' })),
    calls: [
      { ...notes, label: 'Read notes', method: 'GET' },
      { ...notes, label: 'Write a note', method: 'POST', body: 'Look at the timeline' },
      { ...mail, label: 'Read mail', method: 'GET' },
      { ...mail, label: 'Send mail', method: 'POST', body: 'Hello' },
    ],
    trouble: true,
  }
}

function troubleDesk(server: DemoAuthorizationServer, api: DemoApi): TroubleDesk {
  return {
    read: () => ({
      tokenEndpointDown: server.trouble.tokenEndpoint === '503',
      tokenEndpointSlow: server.trouble.answerDelayMilliseconds > 0,
      seen: server.counters,
    }),
    change: (wish) => {
      if (wish['refuse'] === 'token') api.trouble.refuse = 'token'
      if (typeof wish['tokenEndpointDown'] === 'boolean') server.trouble.tokenEndpoint = wish['tokenEndpointDown'] ? '503' : 'none'
      if (typeof wish['tokenEndpointSlow'] === 'boolean') server.trouble.answerDelayMilliseconds = wish['tokenEndpointSlow'] ? 3_000 : 0
      if (wish['revoke'] === 'access_tokens') server.revokeAll()
      if (wish['revoke'] === 'grants') server.revokeGrants()
    },
  }
}

/** Where a real authorization server's endpoints are: not always at its issuer. */
async function originsOf(issuer: string): Promise<readonly string[]> {
  const base = new URL(issuer)
  const places = [
    `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`,
    `${base.origin}/.well-known/oauth-authorization-server${base.pathname}`,
  ]
  for (const place of places) {
    try {
      const metadata = (await (await fetch(place, { signal: AbortSignal.timeout(5_000) })).json()) as Record<string, unknown>
      const endpoints = [metadata['token_endpoint'], metadata['revocation_endpoint'], metadata['jwks_uri']]
      return [base.origin, ...endpoints.filter((endpoint) => typeof endpoint === 'string').map((endpoint) => new URL(endpoint).origin)]
    } catch {
      // The page will say what is wrong with this server; here it only means that nothing more is known.
    }
  }
  return [base.origin]
}
