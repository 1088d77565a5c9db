import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { type AppInChromium, startApp } from '../support/app-in-chromium.js'
import type { App } from './pages/app.js'

// What a page loads when it needs it cannot be had for a while: a network that is gone, a server that has just been given the next version.

declare const app: App

let here: AppInChromium
beforeAll(async () => {
  here = await startApp()
})
afterEach(() => here.endOfTest())
afterAll(() => here?.close())

/** Files of these names are not to be had until the function that it resolves with is called. */
async function without(name: string): Promise<() => Promise<void>> {
  const files = new RegExp(`/${name}-[^/]*\\.js$`)
  let refused = 0
  await here.pages.context().route(files, (route) => {
    refused += 1
    return route.abort()
  })
  return async () => {
    await here.pages.context().unroute(files)
    expect(refused).toBeGreaterThan(0)
    // The browser says it of each.
    const said = here.evidence.console.splice(0)
    expect(said.filter((line) => line !== 'Failed to load resource: net::ERR_FAILED')).toEqual([])
  }
}

test('a session whose code cannot be loaded is not lost: who asks is told, and the next who asks has it', async () => {
  await here.signIn()
  const before = here.tokenRequests.length
  const restored = await without('page-session')
  const tab = await here.open()
  expect(await here.resume(tab)).toBe('network')
  expect(await tab.evaluate(() => app.session.snapshot().status)).toBe('unknown')
  await restored()
  expect(await here.resume(tab)).toBe(true)
  expect(await tab.evaluate(() => app.call('/notes'))).toBe(200)
  expect(here.tokenRequests.length).toBe(before)
})

test('a renewal whose code cannot be loaded sends nothing and loses nothing', async () => {
  await here.signIn()
  const before = here.tokenRequests.length
  const restored = await without('renewal')
  const tab = await here.open()
  expect(await here.resume(tab)).toBe(true)
  expect(await tab.evaluate(() => app.renew())).toBe('network')
  expect(await tab.evaluate(() => app.call('/notes'))).toBe(200)
  expect(here.tokenRequests.length).toBe(before)
  await restored()
  expect(await tab.evaluate(() => app.renew())).toBe('renewed')
  expect(here.tokenRequests.length).toBe(before + 1)
})

test('a sign-out whose code cannot be loaded signs the page and its tabs out, and says that nothing was revoked', async () => {
  const other = await here.signIn()
  await other.evaluate(() => void app.session.subscribe(() => {}))
  const restored = await without('flows')
  const tab = await here.open()
  expect(await here.resume(tab)).toBe(true)
  expect(await tab.evaluate(() => app.outcome((session) => session.signOut()))).toMatchObject({ refreshToken: 'failed' })
  await restored()
  await other.waitForFunction(() => app.session.snapshot().status === 'signed_out')
  await tab.reload()
  expect(await here.resume(await here.ready(tab))).toBe(false)
})
