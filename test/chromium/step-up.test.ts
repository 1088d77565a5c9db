import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { strongSignIn, usualSignIn } from '../../demo/servers/authentication.js'
import { notesResource } from '../../demo/servers/authorization-server.js'
import { type AppInChromium, startApp } from '../support/app-in-chromium.js'
import { type PaymentsApi, startPaymentsApi } from '../support/payments-api.js'
import type { App } from './pages/app.js'

// Step-up (RFC 9470, RFC 6750 section 3.1) in real Chromium with its popup blocker on: oidc-provider, and an API over `valetkey/resource-server`.

declare const app: App

let here: AppInChromium
let api: PaymentsApi
/** The queries of the authorization requests. */
let requests: URLSearchParams[] = []

beforeAll(async () => {
  api = await startPaymentsApi()
  here = await startApp({ popupBlocker: true, bundleEntry: new URL('./pages/step-up.ts', import.meta.url), otherApi: api.origin })
  api.trust(here.server, notesResource.identifier)
  here.pages.context().on('request', (request) => {
    const { origin, pathname, searchParams } = new URL(request.url())
    if (origin === here.server.issuer && pathname === '/auth') requests.push(searchParams)
  })
})
afterEach(async () => {
  const said = here.evidence.console.splice(0)
  api.attempts.length = 0
  api.accepted.length = 0
  api.needed = {}
  await here.endOfTest()
  // Of a refusal Chromium writes a line, and nothing else has anything to say.
  expect(said.filter((line) => !/status of 40[13]/.test(line))).toEqual([])
})
afterAll(async () => {
  await here?.close()
  await api?.close()
})

/** A tab whose user signed in with a name, marked so that a navigation would be seen. */
async function signedIn(): Promise<Page> {
  const tab = await here.open('/shop')
  await tab.evaluate(() => Object.assign(globalThis, { marked: true }))
  await inWindow(tab, () => tab.evaluate(() => app.leave()))
  await expect.poll(() => here.settled.splice(0), { timeout: 20_000 }).toEqual(['resolved'])
  requests = []
  return tab
}

/** Does what opens a window, in which the user signs in at once; resolves when that is closed. */
async function inWindow(tab: Page, act: () => Promise<unknown>): Promise<void> {
  const opened = here.pages.context().waitForEvent('page')
  await act()
  const window = await opened
  await expect.poll(() => window.isClosed(), { timeout: 20_000 }).toBe(true)
  expect(tab.isClosed()).toBe(false)
}

const shown = (tab: Page, id: string) => expect.poll(() => tab.textContent(`#${id}`), { timeout: 20_000 })
/** The page is the one that it was, at its address. */
async function expectUnmoved(tab: Page): Promise<void> {
  expect(tab.url()).toBe(`${here.pages.origin}/shop`)
  expect(await tab.evaluate(() => 'marked' in globalThis)).toBe(true)
}

test('F11 an API that wants a stronger sign-in gets it through the popup, and the body of the call arrives once', async () => {
  const tab = await signedIn()
  api.needed = { acrValues: [strongSignIn], maxAgeSeconds: 600 }
  await inWindow(tab, () => tab.click('#pay-stepping-up'))
  await shown(tab, 'pay-stepping-up').toBe('201')
  expect(api.accepted).toEqual(['one coin'])
  expect(api.attempts.map(({ status }) => status)).toEqual([401, 201])
  // Asked for once, and exactly this.
  expect(requests.map((query) => ['scope', 'acr_values', 'max_age', 'prompt'].map((name) => query.get(name)))).toEqual([
    ['openid notes:read', strongSignIn, '600', null],
  ])
  expect(await tab.evaluate(() => app.session.snapshot().idTokenClaims?.['acr'])).toBe(strongSignIn)
  await expectUnmoved(tab)
})

test('F10 M10 more scope is asked for together with what is granted, and the call is repeated once', async () => {
  const tab = await signedIn()
  api.needed = { scope: ['notes:write'] }
  await inWindow(tab, () => tab.click('#pay-stepping-up'))
  await shown(tab, 'pay-stepping-up').toBe('201')
  expect(api.accepted).toEqual(['one coin'])
  expect(api.attempts.map(({ status }) => status)).toEqual([403, 201])
  expect(requests.map((query) => query.get('scope'))).toEqual(['openid notes:read notes:write'])
  expect(await tab.evaluate(() => app.session.missingScope(['notes:read', 'notes:write']))).toEqual([])
  await expectUnmoved(tab)
})

test('M10 a sign-in that is not strong enough ends there: the refusal comes back, and nobody is asked again', async () => {
  const tab = await signedIn()
  api.needed = { acrValues: [strongSignIn] }
  here.server.automatic = { account: 'ann', acr: usualSignIn }
  await inWindow(tab, () => tab.click('#pay-stepping-up'))
  await shown(tab, 'pay-stepping-up').toBe('401')
  expect(api.accepted).toEqual([])
  expect(api.attempts.map(({ status }) => status)).toEqual([401, 401])
  expect(requests).toHaveLength(1)
  expect(await tab.evaluate(() => app.session.snapshot().idTokenClaims?.['acr'])).toBe(usualSignIn)
})

test('F10 F11 a refusal moves nothing by itself: no window, no navigation, no request to the authorization server, no second call', async () => {
  const tab = await signedIn()
  const before = here.server.log.length
  const pages = here.pages.context().pages().length
  for (const needed of [{ acrValues: [strongSignIn], maxAgeSeconds: 0 }, { scope: ['notes:write'] }]) {
    api.needed = needed
    await tab.click('#pay')
    await shown(tab, 'pay').toMatch(/^40/)
  }
  expect(api.attempts.map(({ status }) => status)).toEqual([401, 403])
  expect(here.server.log.slice(before).filter(({ path }) => path !== '/token/introspection')).toEqual([])
  expect(requests).toEqual([])
  expect(here.pages.context().pages()).toHaveLength(pages)
  await expectUnmoved(tab)
})

test('a scope that the user takes away on the consent page is missing, exactly that, and no token is passed off as having it', async () => {
  here.server.automatic = undefined
  const tab = await here.open('/shop')
  const opened = here.pages.context().waitForEvent('page')
  await tab.evaluate(() => app.leave({ scope: ['openid', 'notes:read', 'notes:write'] }))
  const window = await opened
  await window.click('button[value="ada"]')
  await window.uncheck('input[value="notes:write"]')
  await window.click('button[value="allow"]')
  await expect.poll(() => here.settled.splice(0), { timeout: 20_000 }).toEqual(['resolved'])
  const seen = await tab.evaluate(async () => {
    const { session, events } = app
    const both = { scope: ['notes:read', 'notes:write'] }
    return {
      granted: session.snapshot().grantedScope,
      missing: session.missingScope(both.scope),
      narrowed: events.flatMap((event) => (event.type === 'scope_narrowed' ? [event.missingScope] : [])),
      refused: await session.token(both).catch(({ code, missingScope }: { code: string; missingScope: unknown }) => [code, missingScope]),
      given: (await session.token()).scope,
    }
  })
  expect(seen).toEqual({
    granted: ['openid', 'notes:read'],
    missing: ['notes:write'],
    narrowed: [['notes:write']],
    refused: ['scope_not_granted', ['notes:write']],
    given: ['openid', 'notes:read'],
  })
  // What the user would not give was not asked for behind their back.
  expect(here.tokenRequests).toHaveLength(1)
})
