import type { Page } from 'playwright-core'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type DemoApi, startApi } from '../../demo/servers/api.js'
import { type DemoAuthorizationServer, startAuthorizationServer } from '../../demo/servers/authorization-server.js'
import { type Pages, startPages } from '../support/chromium.js'
import { expectNothingFound } from '../support/sweep.js'
import type { CallerConfig, Seen } from './pages/caller.js'

// Real Chromium against oidc-provider with rotation and reuse detection, tokens of 5 seconds. These runs count, they do not measure.
// In `npm test` they are short; `npm run soak` is the whole of it: 60 seconds each.

const soakSeconds = Number(process.env['SOAK_SECONDS'] ?? 13)
const lifetimeSeconds = 5

let server: DemoAuthorizationServer
let api: DemoApi
let pages: Pages
const said: string[] = []

beforeEach(async () => {
  let config: CallerConfig | undefined
  pages = await startPages({
    bundleEntry: new URL('pages/caller.ts', import.meta.url),
    answer: (request, response) => {
      if (request.url !== '/config.json') return false
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(config))
      return true
    },
  })
  server = await startAuthorizationServer({
    clients: [{ clientId: 'page', redirectUris: [`${pages.origin}/callback`] }],
    accessTokenSeconds: lifetimeSeconds,
    automatic: { account: 'ann' },
  })
  api = await startApi({ issuer: server.issuer, resourceServer: server.resourceServer, origins: [pages.origin] })
  config = { issuer: server.issuer, api: api.origin, betweenCallsMilliseconds: 100 }
})

afterEach(async () => {
  expectNothingFound(server.issued(), { console: said, 'log of the API': api.log })
  await Promise.all([pages.close(), api.close(), server.close()])
  expect(server.errors).toEqual([])
})

async function openTab(): Promise<Page> {
  const tab = await pages.open()
  tab.on('console', (message) => said.push(message.text()))
  await calling(tab)
  return tab
}

async function calling(tab: Page): Promise<void> {
  await tab.waitForFunction(() => (globalThis as { seen?: Seen }).seen?.ready === true)
}

/** The next renewal is seconds away: a page that is left during one would need a server with some grace. */
async function justRenewed(tab: Page): Promise<void> {
  const finished = ({ events }: Seen) => events.filter(({ type }) => type === 'renewal_finished').length
  const before = finished(await seenBy(tab))
  await tab.waitForFunction(
    (count) => (globalThis as unknown as { seen: Seen }).seen.events.filter(({ type }) => type === 'renewal_finished').length > count,
    before,
  )
}

const seenBy = (tab: Page): Promise<Seen> => tab.evaluate(() => (globalThis as unknown as { seen: Seen }).seen)
const pause = (seconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, seconds * 1_000))

test(
  'a page that signs in, calls, reloads, and is opened again after a restart of the browser sees no 401 and reuses no refresh token',
  { timeout: (soakSeconds + 60) * 1_000 },
  async () => {
    let tab = await openTab()
    const looks: Seen[] = []
    const parts = 4
    for (let part = 0; part < parts; part++) {
      await pause(soakSeconds / parts)
      await justRenewed(tab)
      looks.push(await seenBy(tab))
      if (part === 1) {
        await pages.restart()
        tab = await openTab()
      } else {
        await tab.reload()
        await calling(tab)
      }
    }
    looks.push(await seenBy(tab))
    for (const { statuses, errors } of looks) {
      expect(Object.keys(statuses)).toEqual(['200'])
      expect(errors).toEqual([])
    }
    expect(server.counters.reuses).toBe(0)
    expect(server.counters.grantsRevoked).toBe(0)
    expect(server.counters.refreshes).toBeGreaterThanOrEqual(Math.floor(soakSeconds / lifetimeSeconds))
    expect(server.log.filter(({ grantType }) => grantType === 'authorization_code')).toHaveLength(1)
  },
)

test(
  'R6 six tabs of one session renew once for all, at most 1.35 times a lifetime, and none is signed out',
  { timeout: (soakSeconds + 90) * 1_000 },
  async () => {
    const tabs = [await openTab()]
    while (tabs.length < 6) tabs.push(await openTab())
    const before = { refreshes: server.counters.refreshes, tokenRequests: server.counters.tokenRequests, at: performance.now() }
    await pause(soakSeconds)
    const refreshes = server.counters.refreshes - before.refreshes
    const lifetimes = (performance.now() - before.at) / 1_000 / lifetimeSeconds
    const looks = await Promise.all(tabs.map(seenBy))
    for (const { statuses, errors, events } of looks) {
      expect(Object.keys(statuses)).toEqual(['200'])
      expect(errors).toEqual([])
      expect(events.filter(({ type }) => type === 'session_ended')).toEqual([])
    }
    // Each request was answered with a new generation: none was made in vain.
    expect(server.counters.tokenRequests - before.tokenRequests).toBe(refreshes)
    // One renewal may be under way at either end of the count.
    expect(refreshes).toBeLessThanOrEqual(Math.ceil(1.35 * lifetimes) + 1)
    expect(server.counters.reuses).toBe(0)
  },
)
