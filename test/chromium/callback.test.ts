import { chromium } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { findBrowser, launchArgs } from '../set-up/browser.mjs'
import { type AppInChromium, startApp } from '../support/app-in-chromium.js'
import type { App } from './pages/app.js'

// The callback in real Chromium, against oidc-provider. Every test ends with the sweep.

declare const app: App

let here: AppInChromium
beforeAll(async () => {
  here = await startApp()
})
afterEach(() => here.endOfTest())
afterAll(() => here?.close())

test('C12 attack 12 after a sign-in the address is where the user was, the history has not grown, and Back and Forward bring no code back', async () => {
  const tab = await here.leaveAndReturn(await here.open('/notes?page=2#top'))
  expect(new URL(tab.url()).searchParams.has('code')).toBe(true)
  const before = await tab.evaluate(() => history.length)
  expect(await here.resume(tab)).toBe(true)
  expect(tab.url()).toBe(`${here.pages.origin}/notes?page=2#top`)
  expect(await tab.evaluate(() => history.length)).toBe(before)
  for (const step of ['goBack', 'goForward', 'reload'] as const) {
    await tab[step]()
    await here.ready(tab)
    expect(tab.url()).toBe(`${here.pages.origin}/notes?page=2#top`)
    expect(await here.resume(tab)).toBe(true)
  }
  expect(here.tokenRequests).toHaveLength(1)
})

test('C12 no request of the session is made while the code is in the address', async () => {
  const tab = await here.open('/notes', () => {
    const { fetch } = globalThis
    const made: string[][] = []
    Object.assign(globalThis, {
      made,
      fetch: (...parameters: Parameters<typeof fetch>) => {
        made.push([String(parameters[0]), location.href])
        return fetch(...parameters)
      },
    })
  })
  await here.leaveAndReturn(tab)
  expect(await here.resume(tab)).toBe(true)
  const made = await tab.evaluate(() => (globalThis as unknown as { made: string[][] }).made)
  const { issuer } = here.server
  expect(made.filter(([url]) => url?.startsWith(issuer)).map(([, from]) => from)).toEqual([
    `${here.pages.origin}/callback`,
    `${here.pages.origin}/callback`,
  ])
})

test('C12 after a failure too, and the failure is told once', async () => {
  here.server.automatic = { account: 'ann', deny: true }
  const tab = await here.leaveAndReturn(await here.open('/notes'))
  const before = await tab.evaluate(() => history.length)
  expect(await here.resume(tab)).toBe('access_denied')
  expect(tab.url()).toBe(`${here.pages.origin}/callback`)
  expect(await tab.evaluate(() => history.length)).toBe(before)
  expect(await here.resume(tab)).toBe(false)
  for (const step of ['goBack', 'goForward', 'reload'] as const) {
    await tab[step]()
    await here.ready(tab)
    expect(new URL(tab.url()).search).toBe('')
    expect(await here.resume(tab)).toBe(false)
  }
  expect(here.tokenRequests).toEqual([])
})

test('C2 a response that is loaded again, in this tab or another, is redeemed once', async () => {
  const tab = await here.leaveAndReturn(await here.open('/notes'))
  const address = tab.url()
  expect(await here.resume(tab)).toBe(true)
  for (const again of [tab, await here.open()]) {
    await again.goto(address)
    await here.ready(again)
    expect(await here.resume(again)).toBe(true)
    expect(again.url()).toBe(`${here.pages.origin}/callback`)
  }
  expect(here.tokenRequests).toHaveLength(1)
})

test('C8 A20 a response that is loaded in another browser signs nobody in there', async () => {
  const tab = await here.leaveAndReturn(await here.open())
  const address = tab.url()
  const other = await chromium.launch({ executablePath: await findBrowser(), args: launchArgs })
  const elsewhere = await other.newPage()
  await elsewhere.goto(address)
  await here.ready(elsewhere)
  expect(await here.resume(elsewhere)).toBe(false)
  expect(elsewhere.url()).toBe(`${here.pages.origin}/callback`)
  await other.close()
  expect(here.tokenRequests).toEqual([])
  expect(await here.resume(tab)).toBe(true)
})

test('C11 a token in the fragment of the callback is not taken, and leaves the address', async () => {
  const tab = await here.open('/callback#access_token=EVIL&token_type=Bearer')
  expect(await here.resume(tab)).toBe(false)
  expect(tab.url()).toBe(`${here.pages.origin}/callback`)
  expect(await tab.evaluate(() => app.outcome((session) => session.token()))).toBe('sign_in_required')
})

test('C13 C14 attack 26 the Referer of what the callback page loads from another host has no code, whatever the page’s own policy', async () => {
  const tab = await here.leaveAndReturn(await here.open('/notes'))
  const code = new URL(tab.url()).searchParams.get('code') ?? ''
  here.stranger.referers.length = 0
  // Loaded as soon as here.resume() has been called and the address is clean: long before the token is there.
  await tab.evaluate(async (image) => {
    const resuming = app.session.resume()
    while (location.search !== '') await new Promise((resolve) => setTimeout(resolve, 0))
    const element = new Image()
    element.src = `${image}/pixel.gif`
    await element.decode()
    await resuming
  }, here.stranger.origin)
  expect(here.stranger.referers).toEqual([`${here.pages.origin}/callback`])
  expect(here.stranger.referers.join()).not.toContain(code)
})

test('T30 T31 T32 attack 33 the token request carries no cookie and no Referer, and is not to be cached', async () => {
  await here.signIn()
  const [request] = here.tokenRequests
  const headers = (await request?.allHeaders()) ?? {}
  expect(headers).not.toHaveProperty('cookie')
  expect(headers).not.toHaveProperty('referer')
  expect(headers['cache-control']).toBe('no-cache')
  expect(headers['content-type']).toMatch(/^application\/x-www-form-urlencoded/)
  expect(here.server.log.filter(({ path }) => path === '/token').map(({ cookies }) => cookies)).not.toContain(true)
  // There is a cookie that could have come: the authorization server's, which knows no ports.
  expect((await here.pages.context().cookies(here.server.issuer)).length).toBeGreaterThan(0)
})

test('C16 returnTo of another origin is refused in the page, and nothing is left', async () => {
  const tab = await here.open('/notes')
  for (const returnTo of [
    '//evil.example',
    '/\\evil.example',
    '/\t/evil.example',
    'javascript:alert(1)',
    `blob:${here.pages.origin}/x`,
    'https://evil.example',
  ]) {
    expect(await tab.evaluate((to) => app.outcome((session) => session.signIn({ returnTo: to })), returnTo)).toBe('invalid_configuration')
  }
  expect(tab.url()).toBe(`${here.pages.origin}/notes`)
  await here.leaveAndReturn(tab, { returnTo: '/mail?folder=sent' })
  expect(await here.resume(tab)).toBe(true)
  expect(tab.url()).toBe(`${here.pages.origin}/mail?folder=sent`)
})

test('C19 three tabs sign in at once: three successes, and one session for all', async () => {
  // oidc-provider has one sign-in page at a time for a browser, so it knows the user already.
  const first = await here.signIn()
  await here.forget(first)
  const tabs = [await here.open('/1'), await here.open('/2'), await here.open('/3')]
  await Promise.all(tabs.map((tab) => here.leaveAndReturn(tab)))
  here.tokenRequests = []
  expect(await Promise.all(tabs.map(here.resume))).toEqual([true, true, true])
  expect(tabs.map((tab) => new URL(tab.url()).pathname)).toEqual(['/1', '/2', '/3'])
  const tokens = await Promise.all(tabs.map((tab) => tab.evaluate(async () => (await app.session.token()).reveal())))
  expect(new Set(tokens).size).toBe(1)
  expect(here.tokenRequests).toHaveLength(3)
})

test('C20 resume() twice at the same time makes one token request, with one result', async () => {
  const tab = await here.leaveAndReturn(await here.open())
  expect(await tab.evaluate(() => Promise.all([app.session.resume(), app.session.resume()]))).toEqual([true, true])
  expect(here.tokenRequests).toHaveLength(1)
})
