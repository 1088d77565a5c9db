import type { Page } from 'playwright-core'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type DemoApi, startApi } from '../../demo/servers/api.js'
import { type DemoAuthorizationServer, startAuthorizationServer } from '../../demo/servers/authorization-server.js'
import { type TestBrowser, type TestPage, startBrowser, startTestPage } from '../support/chromium.js'
import { expectNothingFound } from '../support/sweep.js'
import type { CallerConfig, Seen } from './pages/caller.js'

// Real Chromium against oidc-provider with rotation and reuse detection, tokens of 5 seconds. These runs count, they do not measure.
// In `npm test` they are short; `npm run soak` is the whole of it: 60 seconds each.

const soakSeconds = Number(process.env['SOAK_SECONDS'] ?? 13)
const lifetimeSeconds = 5

let server: DemoAuthorizationServer
let api: DemoApi
let page: TestPage
let browser: TestBrowser
const said: string[] = []

beforeEach(async () => {
  page = await startTestPage('test/chromium/pages/caller.ts')
  server = await startAuthorizationServer({
    clients: [{ clientId: 'page', redirectUris: [`${page.origin}/callback`] }],
    accessTokenSeconds: lifetimeSeconds,
    automatic: { account: 'ann' },
  })
  api = await startApi({ issuer: server.issuer, resourceServer: server.resourceServer, origins: [page.origin] })
  const config: CallerConfig = { issuer: server.issuer, api: api.origin, betweenCallsMilliseconds: 100 }
  page.open({ config, connect: [server.issuer, api.origin] })
  browser = await startBrowser()
})

afterEach(async () => {
  expectNothingFound(server.issued(), { console: said, 'log of the API': api.log })
  await browser.close()
  await Promise.all([page.close(), api.close(), server.close()])
  expect(server.errors).toEqual([])
})

async function openTab(): Promise<Page> {
  const tab = await browser.context.newPage()
  tab.on('console', (message) => said.push(message.text()))
  await tab.goto(`${page.origin}/`)
  await tab.waitForFunction(() => (globalThis as { seen?: Seen }).seen?.ready === true)
  return tab
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
      looks.push(await seenBy(tab))
      if (part === 1) {
        await browser.restart()
        tab = await openTab()
      } else {
        await tab.reload()
        await tab.waitForFunction(() => (globalThis as { seen?: Seen }).seen?.ready === true)
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
  'six tabs of one session renew once for all, at most 1.35 times a lifetime, and none is signed out',
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
