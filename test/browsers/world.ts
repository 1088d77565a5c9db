import type { IncomingMessage, ServerResponse } from 'node:http'
import { type TestContext, expect } from 'vitest'
import { startAuthorizationServer } from '../../demo/servers/authorization-server.js'
import { listen, readText, sendJson } from '../../demo/servers/loopback.js'
import { bundlePage } from '../support/page-bundle.js'
import { expectNothingFound } from '../support/sweep.js'
import { type World, hostilePage } from './abuses.js'
import type { Browser } from './driver.js'
import { contentSecurityPolicy, documentWith } from './stage.js'

let bundled: Promise<ReadonlyMap<string, string>> | undefined

/** What the abuses need, in a browser of any engine: its origins are as new as their ports, so that they keep nothing from one abuse to the next. */
export async function worldFor({ onTestFinished }: Pick<TestContext, 'onTestFinished'>, browser: Browser): Promise<World> {
  bundled ??= bundlePage({ app: new URL('../chromium/pages/app.ts', import.meta.url) })
  const files = await bundled
  const violations: string[] = []
  const strangerSaw: string[] = []
  let issuer = ''

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { pathname } = new URL(request.url ?? '/', pages.origin)
    const body = await readText(request)
    if (pathname === '/violation') violations.push(body)
    if (pathname === '/violation' || pathname === '/settled') return void response.writeHead(204).end()
    if (pathname === '/config.json') return sendJson(response, 200, { issuer, api: pages.origin, dpop: false })
    const file = files.get(pathname)
    response.writeHead(200, {
      'content-type': file === undefined ? 'text/html; charset=utf-8' : 'text/javascript; charset=utf-8',
      'content-security-policy': contentSecurityPolicy([issuer]),
      // The worst that a page can ask for, so that what a stranger sees of Referer is valetkey's doing.
      'referrer-policy': 'unsafe-url',
      'cache-control': 'no-cache',
    })
    response.end(file ?? documentWith('/app.js'))
  }
  const pages = await listen({}, () => (request, response) => void answer(request, response).catch(() => response.destroy()))
  const stranger = await listen({}, () => (request, response) => {
    strangerSaw.push(`${request.url} ${request.headers.referer ?? ''}`)
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' })
    response.end(request.url === '/hostile' ? hostilePage : documentWith(undefined))
  })
  const server = await startAuthorizationServer({
    clients: [{ clientId: 'page', redirectUris: [`${pages.origin}/callback`] }],
    automatic: { account: 'ann' },
  })
  issuer = server.issuer

  onTestFinished(async () => {
    await browser.closeTabs()
    await Promise.all([pages.close(), stranger.close(), server.close()])
    expect(server.errors).toEqual([])
    expect(violations).toEqual([])
    expectNothingFound(server.issued(), { strangerSaw })
  })
  return {
    origin: pages.origin,
    stranger: stranger.origin,
    open: (url) => browser.open(url, 'window'),
    exchanges: () => server.log.filter(({ grantType }) => grantType !== undefined).length,
  }
}
