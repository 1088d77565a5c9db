import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { type AppInChromium, startApp } from '../support/app-in-chromium.js'
import type { Screen } from './pages/device.js'

// A page whose user signs in on another device, in real Chromium, against oidc-provider. Every test ends with the sweep.

declare const screenOfHall: Screen

let here: AppInChromium
beforeAll(async () => {
  here = await startApp({ bundleEntry: new URL('pages/device.ts', import.meta.url), grants: ['device_code'] })
})
afterEach(async () => {
  // That is how a server says that the user has not decided yet, or has said no; the browser notes it down, not valetkey.
  const noted = here.evidence.console.splice(0)
  expect(noted.filter((line) => !line.includes('the server responded with a status of 400'))).toEqual([])
  await here.endOfTest()
})
afterAll(() => here?.close())

async function open(path?: string): Promise<Page> {
  const tab = await here.open(path)
  await tab.waitForFunction(() => 'screenOfHall' in globalThis)
  return tab
}

test('X10 a page shows the code, is never left, and is signed in when the user has allowed it elsewhere; so it is after a reload', async () => {
  const tab = await open('/hall')
  const navigations: string[] = []
  tab.on('framenavigated', (frame) => navigations.push(frame.url()))
  expect(await tab.evaluate(() => screenOfHall.outcome((session) => session.signIn()))).toBeUndefined()
  expect(await tab.title()).toMatch(new RegExp(`^Open ${here.server.issuer}/device and type [A-Z]{4}-[A-Z]{4}$`))
  expect(navigations).toEqual([])
  expect(await tab.evaluate(() => screenOfHall.session.snapshot())).toMatchObject({ status: 'signed_in', idTokenClaims: { sub: 'ann' } })
  expect(await tab.evaluate(() => screenOfHall.call('/notes'))).toBe(200)
  await tab.reload()
  await tab.waitForFunction(() => 'screenOfHall' in globalThis)
  expect(await tab.evaluate(() => screenOfHall.outcome((session) => session.resume()))).toBe(true)
  expect(await tab.evaluate(() => screenOfHall.call('/notes'))).toBe(200)
})

test('X10 a page goes where it was asked to when the user has allowed it, and nowhere else', async () => {
  const tab = await open('/hall?board=2')
  await tab.evaluate(() => screenOfHall.outcome((session) => session.signIn()))
  expect(tab.url()).toBe(`${here.pages.origin}/hall?board=2`)
  await tab.evaluate(() => screenOfHall.outcome((session) => session.signIn({ returnTo: '/welcome' })))
  expect(tab.url()).toBe(`${here.pages.origin}/welcome`)
})

test('X13 a user who says no is access_denied, in a page too', async () => {
  here.server.automatic = { account: 'ann', deny: true }
  const tab = await open('/hall')
  expect(await tab.evaluate(() => screenOfHall.outcome((session) => session.signIn()))).toBe('access_denied')
  expect(await tab.evaluate(() => screenOfHall.session.snapshot().status)).toBe('signed_out')
})

test('X10 while the user has not answered the page is polled for, and the signal ends that', async () => {
  here.server.automatic = undefined
  const before = here.server.log.length
  const tab = await open('/hall')
  const gone = tab.evaluate(() => {
    const leave = new AbortController()
    Object.assign(globalThis, { leave })
    return screenOfHall.session.signIn({ signal: leave.signal }).catch((error: unknown) => String(error))
  })
  await expect
    .poll(() => here.server.log.slice(before).filter(({ error }) => error === 'authorization_pending').length, { timeout: 20_000 })
    .toBeGreaterThan(1)
  await tab.evaluate(() => (globalThis as unknown as { leave: AbortController }).leave.abort('enough'))
  expect(await gone).toBe('enough')
})
