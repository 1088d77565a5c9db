import type { IncomingMessage, ServerResponse } from 'node:http'
import { type TestContext, expect } from 'vitest'
import { type DemoAuthorizationServer, startAuthorizationServer } from '../../demo/servers/authorization-server.js'
import { listen, readText, sendJson } from '../../demo/servers/loopback.js'
import { type EchoApi, startEchoApi } from '../support/echo-api.js'
import { isolatedScript } from '../support/isolated-script.js'
import { bundlePage } from '../support/page-bundle.js'
import { expectNothingFound } from '../support/sweep.js'
import type { Browser, Tab } from './driver.js'
import { contentSecurityPolicy, documentWith } from './stage.js'

/** An application whose tokens are in a worker, with an authorization server and an API over HTTP/2: as new for each test. */
export interface IsolatedStage {
  /** Of the page. */
  readonly origin: string
  /** The page may call all of it. */
  readonly echo: EchoApi
  readonly server: DemoAuthorizationServer
  /** What the worker's script begins with. */
  before: string
  /** How sign-ins of pages that were left, or not, have settled. */
  readonly settled: readonly string[]
  /** Tokens, and what brings some: all that was issued but the codes, which every page sees in its address. */
  tokens(): readonly string[]
  open(path?: string): Promise<Tab>
  /** Leaves for the authorization server, and is at the callback, its response not yet taken up. */
  leaveAndReturn(tab: Tab): Promise<Tab>
  /** What taking up the session comes to: whether there is one, or the code of the failure. */
  resume(tab: Tab): Promise<unknown>
  signIn(path?: string): Promise<Tab>
}

/** Runs a function in a page: it has what is given, and the page's globals. */
export function inPage<Given extends readonly unknown[], T>(
  tab: Tab,
  run: (...given: Given) => T | Promise<T>,
  ...given: Given
): Promise<T> {
  return tab.evaluate<T>(`(${String(run)})(...${JSON.stringify(given)})`)
}

let bundled: Promise<readonly [files: ReadonlyMap<string, string>, script: string]> | undefined

/** Made in a test, it ends with it: then nothing has leaked, and no policy was violated. */
export async function isolatedStageFor({ onTestFinished }: Pick<TestContext, 'onTestFinished'>, browser: Browser): Promise<IsolatedStage> {
  bundled ??= Promise.all([bundlePage({ app: new URL('../chromium/pages/isolated.ts', import.meta.url) }), isolatedScript()])
  const [files, script] = await bundled
  const [settled, visited, violations, codes]: [string[], string[], string[], string[]] = [[], [], [], []]
  const echo = await startEchoApi()
  let config = {}
  let policy = ''

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { pathname, searchParams } = new URL(request.url ?? '/', pages.origin)
    const body = await readText(request)
    codes.push(...searchParams.getAll('code'))
    visited.push([request.method, pathname === '/callback' ? pathname : request.url, body].join(' '))
    if (pathname === '/violation') violations.push(body)
    if (pathname === '/settled') settled.push(body)
    if (pathname === '/violation' || pathname === '/settled') return void response.writeHead(204).end()
    if (pathname === '/config.json') return sendJson(response, 200, config)
    const file = pathname === '/tokens.js' ? self.before + script : files.get(pathname)
    response.writeHead(200, {
      'content-type': file === undefined ? 'text/html; charset=utf-8' : 'text/javascript; charset=utf-8',
      // That of the worker's script says whom the worker may reach.
      'content-security-policy': policy,
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-cache',
    })
    response.end(file ?? documentWith('/app.js'))
  }
  const pages = await listen({}, () => (request, response) => void answer(request, response).catch(() => response.destroy()))
  const server = await startAuthorizationServer({
    clients: [{ clientId: 'page', redirectUris: [`${pages.origin}/callback`] }],
    automatic: { account: 'ann' },
  })
  config = { issuer: server.issuer, api: 'https://api.example', otherApi: echo.origin, dpop: false }
  policy = contentSecurityPolicy([server.issuer, echo.origin], 'application')

  const ready = async (tab: Tab): Promise<Tab> => {
    await tab.waitFor('globalThis.app !== undefined')
    return tab
  }
  const self: IsolatedStage = {
    origin: pages.origin,
    echo,
    server,
    before: '',
    settled,
    tokens: () => server.issued().filter((text) => !codes.includes(text)),
    open: async (path = '/') => ready(await browser.open(new URL(path, pages.origin).href)),
    async leaveAndReturn(tab) {
      await tab.evaluate('app.leave()')
      await tab.waitFor(`new URLSearchParams(location.search).has('state')`)
      return ready(tab)
    },
    resume: (tab) => tab.evaluate('app.outcome((session) => session.resume())'),
    async signIn(path) {
      const tab = await self.leaveAndReturn(await self.open(path))
      expect(await self.resume(tab)).toBe(true)
      return tab
    },
  }
  onTestFinished(async () => {
    await browser.closeTabs()
    await Promise.all([pages.close(), server.close(), echo.close()])
    expect(server.errors).toEqual([])
    expect(server.counters.reuses).toBe(0)
    expect(violations).toEqual([])
    expectNothingFound(server.issued(), { visited, settled })
  })
  return self
}
