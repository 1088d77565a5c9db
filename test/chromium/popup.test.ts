import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { type AppInChromium, startApp } from '../support/app-in-chromium.js'
import type { App } from './pages/app.js'

// Signing in in a window of its own, in real Chromium, against oidc-provider. Every test ends with the sweep, of broadcasts too.

declare const app: App

let here: AppInChromium
/** Of the authorization requests. */
const states: string[] = []
beforeAll(async () => {
  here = await startApp({ popupBlocker: true })
  here.pages.context().on('request', (request) => {
    const { pathname, searchParams } = new URL(request.url())
    if (pathname === '/auth') states.push(searchParams.get('state') ?? '')
  })
})
afterEach(() => here.endOfTest())
afterAll(() => here?.close())

/** Calls `signIn`, allowed to open a window as by a click; how it settles is found in `here.settled`. */
async function begin(tab: Page): Promise<Page> {
  const opened = here.pages.context().waitForEvent('page')
  await tab.evaluate(() => {
    app.inWindow = true
    app.leave()
  })
  return opened
}

/** Waits for the window to be at the callback, and resumes there, as every page of an application does. */
async function finish(window: Page, calls = 1): Promise<void> {
  try {
    await window.waitForURL((url) => url.origin === here.pages.origin && url.pathname === '/callback')
    await here.ready(window)
    for (let call = 0; call < calls; call++) await window.evaluate(() => void app.outcome((session) => session.resume()))
  } catch {
    // It resumes by itself where it sees who opened it, and is closed by then.
  }
}

async function settled(count = 1): Promise<readonly string[]> {
  await expect.poll(() => here.settled.length, { timeout: 20_000 }).toBe(count)
  return here.settled.splice(0)
}

/** A window whose user is at the authorization server's sign-in page. */
async function atSignIn(tab: Page): Promise<Page> {
  here.server.automatic = undefined
  const window = await begin(tab)
  await window.waitForURL((url) => url.pathname.startsWith('/interaction/'))
  return window
}

/** The user of such a window signs in after all. */
async function goOn(window: Page): Promise<void> {
  here.server.automatic = { account: 'ann' }
  await window.reload()
}

const always = (policy: string) => () => policy
const atCallback = (policy: string) => (path: string) => (path === '/callback' ? policy : undefined)

test.for<{ name: string; server?: string; app?: (path: string) => string | undefined }>([
  { name: 'no policy' },
  { name: 'same-origin at the authorization server', server: 'same-origin' },
  { name: 'same-origin-allow-popups at the authorization server', server: 'same-origin-allow-popups' },
  { name: 'noopener-allow-popups at the authorization server', server: 'noopener-allow-popups' },
  { name: 'same-origin in the application', app: always('same-origin') },
  { name: 'same-origin-allow-popups in the application', app: always('same-origin-allow-popups') },
  { name: 'same-origin at the callback alone', app: atCallback('same-origin') },
  { name: 'noopener-allow-popups at the callback alone', app: atCallback('noopener-allow-popups') },
  { name: 'same-origin everywhere', server: 'same-origin', app: always('same-origin') },
])('attack 15 a sign-in in a window ends in the page that began it, and the window closes: $name', async ({ server, app: policy }) => {
  here.server.openerPolicy = server
  if (policy !== undefined) here.openerPolicy = policy
  const tab = await here.open('/notes?page=2')
  const window = await begin(tab)
  await finish(window)
  expect(await settled()).toEqual(['resolved'])
  await expect.poll(() => window.isClosed(), { timeout: 10_000 }).toBe(true)
  expect(tab.url()).toBe(`${here.pages.origin}/notes?page=2`)
  expect(await tab.evaluate(() => app.call('/notes'))).toBe(200)
  expect(here.tokenRequests).toHaveLength(1)
  expect(here.tokenRequests[0]?.frame().page()).toBe(tab)
})

test('C17 B7 what is broadcast about a sign-in is sealed: neither its code nor its state can be read', async () => {
  here.server.openerPolicy = 'same-origin'
  const tab = await here.open('/notes')
  const window = await begin(tab)
  await finish(window)
  expect(await settled()).toEqual(['resolved'])
  const heard = JSON.stringify((await here.evidence.places())['broadcasts, messages, lock names and storage events'])
  expect(heard).toContain('"broadcast":"valetkey popup ')
  expect(states.length).toBeGreaterThan(0)
  for (const text of states) expect(heard).not.toContain(text)
  for (const text of here.server.issued()) expect(heard).not.toContain(text)
})

test('a window that is cut off looks closed, and is waited for while its user signs in', async () => {
  here.server.openerPolicy = 'same-origin'
  const tab = await here.open('/notes')
  const window = await atSignIn(tab)
  await goOn(window)
  await finish(window)
  expect(await settled()).toEqual(['resolved'])
})

test('a browser that opens no window is popup_blocked, and nothing was asked for', async () => {
  const tab = await here.open('/notes')
  const before = states.length
  const session = await here.pages.context().newCDPSession(tab)
  const evaluate = async (expression: string) => (await session.send('Runtime.evaluate', { expression })).result.value as unknown
  // Whatever came before counted as a click, for five seconds.
  await expect.poll(() => evaluate('navigator.userActivation.isActive'), { timeout: 10_000 }).toBe(false)
  await evaluate('app.inWindow = true; app.leave()')
  expect(await settled()).toEqual(['popup_blocked unknown'])
  expect(states).toHaveLength(before)
})

test('a user who closes the window has cancelled', async () => {
  const tab = await here.open('/notes')
  const window = await atSignIn(tab)
  // Timers of a page come in their order: by then it has looked, and seen the window living there.
  await tab.evaluate(() => new Promise((resolve) => setTimeout(resolve, 500)))
  await window.close()
  expect(await settled()).toEqual(['cancelled signed_out'])
})

test('a consent that is denied is access_denied in the page that asked', async () => {
  here.server.automatic = { account: 'ann', deny: true }
  const tab = await here.open('/notes')
  const window = await begin(tab)
  await finish(window)
  expect(await settled()).toEqual(['access_denied signed_out'])
  await expect.poll(() => window.isClosed()).toBe(true)
})

test('where the page that began it is gone, the window signs in itself', async () => {
  const tab = await here.open('/notes')
  const window = await atSignIn(tab)
  await tab.close()
  await goOn(window)
  await finish(window)
  await window.waitForURL(`${here.pages.origin}/notes`)
  expect(await window.evaluate(() => app.outcome((session) => session.resume()))).toBe(true)
  expect(here.tokenRequests).toHaveLength(1)
})

test('C19 two windows at once bring each its own response', async () => {
  // oidc-provider has one sign-in page at a time for a browser, so it knows the user already.
  await here.forget(await here.signIn())
  here.tokenRequests = []
  const tab = await here.open('/notes')
  const windows = [await begin(tab), await begin(tab)]
  await Promise.all(windows.map((window) => finish(window)))
  expect(await settled(2)).toEqual(['resolved', 'resolved'])
  expect(here.tokenRequests).toHaveLength(2)
})

test('C20 resume() twice at the same time in the window is one', async () => {
  here.server.openerPolicy = 'same-origin'
  const tab = await here.open('/notes')
  await finish(await begin(tab), 2)
  expect(await settled()).toEqual(['resolved'])
  expect(here.tokenRequests).toHaveLength(1)
})

test('a page whose storage, locks and broadcasts the window does not see, as in a partition of its own, is asked as its opener', async () => {
  const tab = await here.open('/notes?in-memory', () => {
    LockManager.prototype.request = (async (_: string, __: unknown, run: () => Promise<unknown>) => run()) as never
    globalThis.BroadcastChannel = new Proxy(BroadcastChannel, { construct: (target, [name]) => new target(`of a partition: ${name}`) })
  })
  await finish(await begin(tab))
  expect(await settled()).toEqual(['resolved'])
  expect(await tab.evaluate(() => app.call('/notes'))).toBe(200)
  expect(await here.resume(await here.open())).toBe(false)
})

test('C17 B7 a well-formed response that the window says from another origin is ignored, though it knows all there is to know', async () => {
  const tab = await here.open('/notes')
  const window = await atSignIn(tab)
  const state = states.at(-1) ?? ''
  await window.evaluate(
    async ({ origin, state }) => {
      const digest = (text: string) => crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
      const key = await crypto.subtle.importKey('raw', await digest(`valetkey popup key ${state}`), 'AES-GCM', false, ['encrypt'])
      const iv = new Uint8Array(12)
      const text = new TextEncoder().encode(`${origin}/callback?code=EVIL&state=${state}`)
      const sealed = await crypto.subtle.encrypt({ name: 'AES-GCM', iv, additionalData: new TextEncoder().encode('response') }, key, text)
      const bytes = [...iv, ...new Uint8Array(sealed)]
      opener.postMessage(bytes.map((byte) => byte.toString(16).padStart(2, '0')).join(''), '*')
    },
    { origin: here.pages.origin, state },
  )
  await tab.evaluate(() => new Promise((resolve) => setTimeout(resolve, 500)))
  expect(here.settled).toEqual([])
  await goOn(window)
  await finish(window)
  expect(await settled()).toEqual(['resolved'])
  expect(here.tokenRequests).toHaveLength(1)
})

test('a signal that is aborted rejects with its reason, and closes the window', async () => {
  here.server.automatic = undefined
  const tab = await here.open('/notes')
  const opened = here.pages.context().waitForEvent('page')
  await tab.evaluate(() => {
    app.inWindow = true
    const controller = new AbortController()
    const reason = Object.assign(new Error('gave up'), { code: 'my own' })
    Object.assign(globalThis, { abort: () => controller.abort(reason) })
    app.leave({ signal: controller.signal })
  })
  const window = await opened
  await window.waitForURL((url) => url.pathname.startsWith('/interaction/'))
  await tab.evaluate(() => (globalThis as unknown as { abort(): void }).abort())
  expect(await settled()).toEqual(['my own signed_out'])
  await expect.poll(() => window.isClosed()).toBe(true)
})
