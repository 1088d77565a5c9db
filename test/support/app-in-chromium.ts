import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Page, Request } from 'playwright-core'
import { expect } from 'vitest'
import { type DemoApi, startApi } from '../../demo/servers/api.js'
import {
  type AuthorizationServerOptions,
  type DemoAuthorizationServer,
  type DemoClient,
  startAuthorizationServer,
} from '../../demo/servers/authorization-server.js'
import { hostilePage } from '../browsers/abuses.js'
import type { App } from '../chromium/pages/app.js'
import { type Pages, startPages } from './chromium.js'
import { type Evidence, gatherEvidence, overheard } from './page-evidence.js'
import { expectNothingFound } from './sweep.js'

declare const app: App

/** An application in real Chromium under a strict Content Security Policy, with oidc-provider, an API, and a host that is nobody's friend. */
export interface AppInChromium {
  readonly server: DemoAuthorizationServer
  readonly api: DemoApi
  readonly pages: Pages
  readonly evidence: Evidence
  readonly stranger: Stranger
  /** The application's document. */
  readonly html: string
  /** Documents in its place, by path: under the application's policy, or under none as those of another site (`localhost`). */
  readonly documents: Map<string, { readonly html: string; readonly policy: boolean }>
  /** The `Cross-Origin-Opener-Policy` of the application's own pages, by path. */
  openerPolicy: (path: string) => string | undefined
  /** The token requests of this test. */
  tokenRequests: Request[]
  /** Codes that were in the address of a page: the browser's history has them. */
  readonly codes: ReadonlySet<string>
  /** How sign-ins of pages that were left have settled. */
  readonly settled: string[]
  /** A new tab whose script has run. `before` runs in it ahead of every script. */
  open(path?: string, before?: () => void): Promise<Page>
  ready(tab: Page): Promise<Page>
  /** Leaves for the authorization server, and is at the callback, its response not yet taken up. */
  leaveAndReturn(
    tab: Page,
    how?: { readonly returnTo?: string; readonly scope?: readonly string[]; readonly prompt?: 'none' },
  ): Promise<Page>
  /** Resolves with what `resume` resolves with, or with the code of its failure. */
  resume(tab: Page): Promise<unknown>
  signIn(path?: string): Promise<Page>
  /** The origin's storage is emptied. */
  forget(tab: Page): Promise<void>
  /** Sweeps everything, fails on violations and on a word on the console, and leaves the browser as new. */
  endOfTest(): Promise<void>
  close(): Promise<void>
}

interface Stranger {
  readonly origin: string
  /** What came with its images' requests. */
  readonly referers: (string | undefined)[]
  close(): void
}

export interface AppOptions {
  /** Whether pages are kept as they were when they are left. Playwright does without, for it cannot follow such a page. */
  readonly backForwardCache?: boolean
  /** The page's tokens are bound, and the authorization server wants nonces. */
  readonly dpop?: boolean
  /** The page asks for signed responses (JARM). */
  readonly signedResponses?: boolean
  /** Whether windows are blocked that open by themselves. */
  readonly popupBlocker?: boolean
  /** Whether a page may call `gc()`. */
  readonly exposesGarbageCollection?: boolean
  /** The page's script, in the place of `app.ts`, which it imports. */
  readonly bundleEntry?: URL
  /** The `worker` of the session. */
  readonly worker?: string
  /** That of the session. Default: its own. */
  readonly deadlineSeconds?: number
  /** Answers a request for a script first; `undefined` leaves it to the page's own files. It may change its mind. */
  readonly script?: (path: string) => Script | undefined
  /** What the page's policy says of Trusted Types. Default `'none'`. */
  readonly trustedTypes?: string
  readonly server?: Partial<AuthorizationServerOptions>
  /** Which grants the page's client may use beside the usual ones. */
  readonly grants?: DemoClient['grants']
  /** Whether the page tells its address to a worker of its own, with the code that is in it. */
  readonly addressIsSaid?: boolean
  /** Another API that the page may call with its token. */
  readonly otherApi?: string
  /** How often a refresh token may have been used again in the end. Default: never. */
  readonly reuses?: (counted: number) => boolean
}

export interface Script {
  readonly status?: number
  readonly type?: string
  readonly text: string
}

export async function startApp(options: AppOptions = {}): Promise<AppInChromium> {
  const stranger = await startStranger()
  let headers: Record<string, string> = {}
  let config = {}
  const documents: AppInChromium['documents'] = new Map()
  const html = documentWith(stranger.origin)
  const settled: string[] = []
  const pages = await startPages({
    bundleEntry: new URL('../chromium/pages/app.ts', import.meta.url),
    ...options,
    answer: (request, response) => {
      const script = options.script?.(request.url ?? '')
      if (script !== undefined) {
        // Under the page's own policy, which also says whom the worker may reach.
        response.writeHead(script.status ?? 200, { ...headers, 'content-type': script.type ?? 'text/javascript' }).end(script.text)
        return true
      }
      if (request.url?.endsWith('.js') === true) return false
      if (request.url === '/settled') {
        request.on('data', (chunk: Buffer) => settled.push(chunk.toString()))
        response.writeHead(204).end()
      } else if (request.url === '/config.json') response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(config))
      else {
        const openerPolicy = self.openerPolicy(new URL(request.url ?? '/', pages.origin).pathname)
        if (openerPolicy !== undefined) response.setHeader('cross-origin-opener-policy', openerPolicy)
        const document = documents.get(request.url ?? '') ?? { html, policy: true }
        response.writeHead(200, document.policy ? headers : { 'content-type': 'text/html' }).end(document.html)
      }
      return true
    },
  })
  const server = await startAuthorizationServer({
    clients: [
      {
        clientId: 'page',
        redirectUris: [`${pages.origin}/callback`],
        postLogoutRedirectUris: [`${pages.origin}/bye`],
        grants: options.grants,
      },
    ],
    automatic: { account: 'ann' },
    ...(options.dpop === true ? { dpop: { nonceSecret: randomBytes(32), requireNonce: () => true } } : {}),
    ...options.server,
  })
  const api = await startApi({ issuer: server.issuer, resourceServer: server.resourceServer, origins: [pages.origin] })
  const { worker, deadlineSeconds, dpop = false, signedResponses = false } = options
  const otherApis = options.otherApi === undefined ? [] : [options.otherApi]
  config = { issuer: server.issuer, api: api.origin, otherApi: options.otherApi, worker, deadlineSeconds, dpop, signedResponses }
  headers = {
    'content-type': 'text/html',
    'content-security-policy': policy([server.issuer, api.origin, ...otherApis], stranger.origin, options.trustedTypes ?? "'none'"),
    // The worst that a page can ask for, so that what is seen of Referer is valetkey's doing.
    'referrer-policy': 'unsafe-url',
  }
  // The page's own server sees the response anyway: it is the navigation to the callback.
  const mayCarry = (request: Request) => [server.issuer, api.origin, pages.origin, ...otherApis].includes(new URL(request.url()).origin)
  const evidence = await gatherEvidence(pages.context(), mayCarry)
  const codes = new Set<string>()
  pages.context().on('request', (request) => {
    codes.add(new URL(request.url()).searchParams.get('code') ?? '')
    if (request.url() === `${server.issuer}/token` && request.method() === 'POST') self.tokenRequests.push(request)
  })

  const ready = async (tab: Page): Promise<Page> => {
    await tab.waitForFunction(() => typeof app === 'object' && 'session' in app)
    return tab
  }
  const open = async (path = '/', before?: () => void): Promise<Page> => {
    const tab = await pages.context().newPage()
    if (before !== undefined) await tab.addInitScript(before)
    await tab.goto(new URL(path, pages.origin).href)
    return ready(tab)
  }
  const leaveAndReturn: AppInChromium['leaveAndReturn'] = async (tab, how) => {
    await tab.evaluate((options) => app.leave(options), how)
    await tab.waitForURL((url) => url.origin === pages.origin && (url.searchParams.has('state') || url.searchParams.has('response')))
    return ready(tab)
  }
  const resume = (tab: Page) => tab.evaluate(() => app.outcome((session) => session.resume()))
  const forget = (tab: Page) =>
    tab.evaluate(async () => {
      sessionStorage.clear()
      localStorage.clear()
      for (const registration of (await globalThis.navigator.serviceWorker?.getRegistrations()) ?? []) await registration.unregister()
      for (const { name = '' } of (await globalThis.indexedDB?.databases()) ?? []) {
        await new Promise((onsuccess, reject) =>
          Object.assign(indexedDB.deleteDatabase(name), { onsuccess, onerror: reject, onblocked: reject }),
        )
      }
    })

  const self: AppInChromium = {
    server,
    api,
    pages,
    evidence,
    stranger,
    html,
    documents,
    openerPolicy: () => undefined,
    tokenRequests: [],
    codes,
    settled,
    open,
    ready,
    leaveAndReturn,
    resume,
    forget,
    async signIn(path) {
      const tab = await leaveAndReturn(await open(path))
      expect(await resume(tab)).toBe(true)
      return tab
    },
    async endOfTest() {
      const tabs = pages.context().pages()
      const thrown = await Promise.all(tabs.map((tab) => tab.evaluate(() => app.thrown).catch(() => [])))
      const places = { ...(await evidence.places()), thrown, 'log of the API': api.log, Referer: stranger.referers, settled }
      for (const tab of tabs) if (tab.url().startsWith(pages.origin)) await forget(tab).catch(() => {})
      for (const tab of tabs) await tab.close()
      await pages.context().clearCookies()
      server.automatic = { account: 'ann' }
      server.openerPolicy = undefined
      self.openerPolicy = () => undefined
      self.tokenRequests = []
      documents.clear()
      const isCode = (text: string) => codes.has(text)
      const heard = options.addressIsSaid === true ? { [overheard]: undefined } : {}
      expectNothingFound(server.issued().filter(isCode), { ...places, ...heard })
      expectNothingFound(
        server.issued().filter((text) => !isCode(text)),
        places,
      )
      expect(evidence.violations.splice(0)).toEqual([])
      expect(evidence.console.splice(0)).toEqual([])
    },
    async close() {
      await Promise.all([pages.close(), api.close(), server.close()])
      stranger.close()
      expect(server.errors).toEqual([])
      expect(server.counters.reuses).toSatisfy(options.reuses ?? ((counted) => counted === 0))
    },
  }
  return self
}

function policy(connect: readonly string[], images: string, trustedTypes: string): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    `connect-src 'self' ${connect.join(' ')}`,
    `img-src ${images}`,
    "require-trusted-types-for 'script'",
    `trusted-types ${trustedTypes}`,
  ].join('; ')
}

/** The form is named as the script's own global: a page must not stumble over it (attack 48). */
function documentWith(stranger: string): string {
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>app</title><link rel="stranger" href="${stranger}/pixel.gif">
<form name="app"></form><form name="session"></form><script type="module" src="/entry.js"></script></html>`
}

async function startStranger(): Promise<Stranger> {
  const referers: (string | undefined)[] = []
  const page = '<!doctype html><html lang="en"><meta charset="utf-8"><title>stranger</title></html>'
  const pixel = Buffer.from('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7', 'base64')
  const http = createServer((request, response) => {
    if (request.url === '/hostile') return void response.writeHead(200, { 'content-type': 'text/html' }).end(hostilePage)
    if (request.url === '/') return void response.writeHead(200, { 'content-type': 'text/html' }).end(page)
    referers.push(request.headers.referer)
    response.writeHead(200, { 'content-type': 'image/gif' }).end(pixel)
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  return { origin: `http://127.0.0.1:${(http.address() as AddressInfo).port}`, referers, close: () => http.close() }
}
