import type { IncomingMessage, ServerResponse } from 'node:http'
import { type TestContext, expect } from 'vitest'
import { type DemoApi, startApi } from '../../demo/servers/api.js'
import {
  type AuthorizationServerOptions,
  type DemoAuthorizationServer,
  startAuthorizationServer,
} from '../../demo/servers/authorization-server.js'
import { listen, readText, sendJson } from '../../demo/servers/loopback.js'
import { bundlePage } from '../support/page-bundle.js'
import { expectNothingFound } from '../support/sweep.js'
import { workerScript } from '../support/worker-script.js'
import type { Browser, Tab } from './driver.js'
import { until } from './drivers/waiting.js'
import { type FaultProxy, type Passed, startFaultProxy } from './fault-proxy.js'
import type { Call } from './pages/app.js'
import type { PageConfig, Report } from './pages/first.js'

/** How long an access token lives. */
export const lifetimeSeconds = 5

/** One application of its own origin, with an authorization server, an API, and what stands in between: as new for each test. */
export interface Stage {
  /** Of the page. */
  readonly origin: string
  readonly server: DemoAuthorizationServer
  readonly api: DemoApi
  /** In front of the authorization server, and of the API. */
  readonly proxies: { readonly server: FaultProxy; readonly api: FaultProxy }
  /** What a page is told when it is loaded. */
  readonly config: { -readonly [K in keyof PageConfig]: PageConfig[K] }
  /** Every request that came to the page's own server, its Referer and its body. */
  readonly visited: string[]
  /** Codes that were in the address of a page: the browser's history has them, used up as they are. */
  readonly codes: string[]
  readonly reports: { readonly overheard: unknown[]; readonly violations: string[]; readonly said: string[]; readonly restored: string[] }
  /** A tab whose page has taken up what there is of a session. As a window of its own it may open others. */
  open(path?: string, as?: 'tab' | 'window'): Promise<Tab>
  ready(tab: Tab): Promise<Tab>
  signIn(tab: Tab): Promise<Tab>
  /** Token requests that renew; since then, on the clock of the tests. */
  renewals(since?: number): readonly Passed[]
  /** Waits for the next of them, and says when it came. */
  nextRenewal(): Promise<number>
  /** There is no network. */
  offline: boolean
}

export const callsOf = (tab: Tab): Promise<readonly Call[]> => tab.evaluate('app.calls')
export const now = (): number => Date.now()
export const pause = (seconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, seconds * 1_000))
/** A line for whoever waits. */
export const progress = (text: string): void => void process.stderr.write(`… ${text}\n`)

export interface StageOptions extends Partial<AuthorizationServerOptions> {
  /** Whether the page has a worker that renews. Default false. */
  readonly worker?: boolean
  /** Where the page is, of this machine's addresses. Default 127.0.0.1, as all else. */
  readonly host?: string
}

let bundled: Promise<ReadonlyMap<string, string>> | undefined

async function bundle(): Promise<ReadonlyMap<string, string>> {
  const pages = bundlePage({ app: new URL('pages/app.ts', import.meta.url), spy: new URL('pages/spy.ts', import.meta.url) })
  return new Map([...(await pages), ['/worker.js', await workerScript()]])
}

/** Made in a test, it ends with it: then nothing has leaked, nothing was said, and no policy was violated. */
export async function stageFor(
  { onTestFinished }: Pick<TestContext, 'onTestFinished'>,
  browser: Browser,
  { worker = false, host, ...options }: StageOptions = {},
): Promise<Stage> {
  bundled ??= bundle()
  const files = await bundled
  const proxies = { server: await startFaultProxy(), api: await startFaultProxy() }
  const reports = { overheard: [] as unknown[], violations: [] as string[], said: [] as string[], restored: [] as string[] }
  const [visited, codes]: [string[], string[]] = [[], []]
  const config = { issuer: proxies.server.origin, api: proxies.api.origin, clockOffset: 0, ...(worker ? { worker: '/worker.js' } : {}) }
  const policy = contentSecurityPolicy([config.issuer, config.api], worker ? 'valetkey' : undefined)

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { pathname, searchParams } = new URL(request.url ?? '/', pages.origin)
    const body = await readText(request)
    codes.push(...searchParams.getAll('code'))
    const [from, isCallback] = [request.headers.referer ?? '', pathname === '/callback']
    // The response is in the address of the callback, and nowhere else.
    visited.push([request.method, isCallback ? pathname : request.url, from, body].join(' '))
    if (pathname === '/report' || pathname === '/violation') return (note(pathname, body, reports), void response.writeHead(204).end())
    if (pathname === '/config.json') return sendJson(response, 200, config)
    if (pathname === '/spy.json') return sendJson(response, 200, { channels: ['valetkey valetkey', 'valetkey', 'oauth'] })
    const file = files.get(pathname)
    response.writeHead(200, {
      'content-type': file === undefined ? 'text/html; charset=utf-8' : 'text/javascript; charset=utf-8',
      'content-security-policy': policy,
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-cache',
    })
    response.end(file ?? documentWith(pathname === '/spy' ? '/spy.js' : pathname === '/elsewhere' ? undefined : '/app.js'))
  }
  const pages = await listen({ host }, () => (request, response) => void answer(request, response).catch(() => response.destroy()))
  const server = await startAuthorizationServer({
    clients: [{ clientId: 'page', redirectUris: [`${pages.origin}/callback`], postLogoutRedirectUris: [`${pages.origin}/`] }],
    accessTokenSeconds: lifetimeSeconds,
    // It counts whole seconds: without this, many a token would be dead after four.
    leewaySeconds: 1,
    automatic: { account: 'ann' },
    ...options,
    issuer: proxies.server.origin,
  })
  proxies.server.forwardTo(server)
  const api = await startApi({ issuer: server.issuer, resourceServer: server.resourceServer, origins: [pages.origin] })
  proxies.api.forwardTo(api)
  const tabs = new Set<Tab>()

  const self: Stage = {
    origin: pages.origin,
    server,
    api,
    proxies,
    config,
    visited,
    codes,
    reports,
    async open(path = '/', as = 'tab') {
      const tab = await browser.open(new URL(path, pages.origin).href, as)
      tabs.add(tab)
      return path === '/spy' ? tab : self.ready(tab)
    },
    async ready(tab) {
      await tab.waitFor('globalThis.app !== undefined')
      return tab
    },
    async signIn(tab) {
      await tab.evaluate('app.signIn()')
      await tab.waitFor('globalThis.app?.state === true && !app.leaving')
      return tab
    },
    renewals: (since = 0) => proxies.server.log.filter(({ grantType, at }) => grantType === 'refresh_token' && at >= since),
    async nextRenewal() {
      const before = self.renewals().length
      await until(async () => self.renewals().length > before, 20_000, 'a page renews')
      return self.renewals().at(-1)?.at ?? 0
    },
    get offline() {
      return proxies.server.offline
    },
    set offline(is) {
      proxies.server.offline = proxies.api.offline = is
    },
  }
  onTestFinished(async () => {
    for (const tab of tabs) await tab.close().catch(() => {})
    await Promise.all([pages.close(), api.close(), server.close(), proxies.server.close(), proxies.api.close()])
    expect(server.errors).toEqual([])
    expect(reports.said).toEqual([])
    expect(reports.violations).toEqual([])
    expectNothingFound(server.issued(), { reports, visited, 'log of the API': api.log })
  })
  return self
}

function note(path: string, body: string, reports: Stage['reports']): void {
  const told = JSON.parse(body) as Report & { readonly 'csp-report'?: unknown }
  if (path === '/violation') reports.violations.push(JSON.stringify(told['csp-report']))
  else if ('overheard' in told) reports.overheard.push(told.overheard)
  else if ('violation' in told) reports.violations.push(told.violation)
  else if ('said' in told) reports.said.push(told.said)
  else reports.restored.push(told.restored)
}

/** As strict as it can be, and what violates it is reported. */
export function contentSecurityPolicy(connect: readonly string[], trustedTypes = "'none'"): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    `connect-src 'self' ${connect.join(' ')}`,
    // What a browser asks for by itself: an icon.
    "img-src 'self'",
    "form-action 'none'",
    "base-uri 'none'",
    "require-trusted-types-for 'script'",
    `trusted-types ${trustedTypes}`,
    'report-uri /violation',
  ].join('; ')
}

/** Has this script, or none. */
export function documentWith(script: string | undefined): string {
  const element = script === undefined ? '' : `<script type="module" src="${script}"></script>`
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>app</title>${element}</html>`
}
