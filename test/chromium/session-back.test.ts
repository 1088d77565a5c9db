import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { type AppInChromium, startApp } from '../support/app-in-chromium.js'
import type { App } from './pages/app.js'

// Back from the authorization server to a page that the browser kept as it was.

declare const app: App

let here: AppInChromium
beforeAll(async () => {
  here = await startApp({ backForwardCache: true })
})
afterEach(() => here.endOfTest())
afterAll(() => here?.close())

test('who comes Back from the authorization server to the very page has cancelled', async () => {
  here.server.automatic = undefined
  const tab = await here.open('/notes')
  await tab.evaluate(() => app.leave())
  await tab.waitForURL((url) => url.origin === here.server.issuer && url.pathname.startsWith('/interaction/'))
  // The page that is shown again is another to playwright, so it reports to its own server.
  await tab.evaluate(() => history.back()).catch(() => {})
  await expect.poll(() => here.settled).toEqual(['cancelled signed_out'])
})

test('attack 21 a page that comes Back after it took up its response sends nothing again, and is signed in', async () => {
  const tab = await here.leaveAndReturn(await here.open('/notes'))
  const address = tab.url()
  // It reports by itself: playwright loses sight of a page that is shown again.
  await tab.evaluate(async () => {
    await app.session.resume()
    addEventListener('pageshow', (event) => {
      if (event.persisted)
        void app.session.resume().then((signedIn) => navigator.sendBeacon('/settled', `${signedIn} ${location.pathname}${location.search}`))
    })
  })
  expect(address).toContain('code=')
  here.settled.length = 0
  await tab.goto(`${here.stranger.origin}/`)
  await tab.evaluate(() => history.back()).catch(() => {})
  await expect.poll(() => here.settled).toEqual(['true /notes'])
  expect(here.tokenRequests).toHaveLength(1)
})
