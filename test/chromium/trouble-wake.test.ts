import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { type AppInChromium, startApp } from '../support/app-in-chromium.js'
import type { App } from './pages/app.js'

// A page that was left and kept as it was, while the world went on.

declare const app: App

let here: AppInChromium
beforeAll(async () => {
  here = await startApp({ backForwardCache: true })
})
afterEach(() => here.endOfTest())
afterAll(() => here?.close())

test('attack 43 a page that comes back from the back/forward cache after a sign-out elsewhere is signed out, and its call carries no token', async () => {
  const tab = await here.signIn('/notes')
  // It reports by itself: playwright loses sight of a page that is shown again.
  await tab.evaluate(() => {
    const { session } = app
    addEventListener('pageshow', ({ persisted }) => {
      const before = session.snapshot().status
      session.subscribe(() => {
        const { status, ended } = session.snapshot()
        const outcome = app.call('/notes').then(String, (error: { code: string }) => error.code)
        void outcome.then((call) => navigator.sendBeacon('/settled', [persisted, before, status, ended, call].join(' ')))
      })
    })
    session.subscribe(() => {})
  })
  const other = await here.open('/other')
  expect(await here.resume(other)).toBe(true)
  await tab.goto(`${here.stranger.origin}/`)
  here.settled.length = 0
  // A renewal and a sign-out: what is told of them does not reach the page that is away, and does not throw it out of the cache.
  await other.evaluate(async () => app.session.token({ rejected: await app.session.token() }))
  await other.evaluate(() => app.session.signOut())
  const calls = here.api.log.length
  await tab.evaluate(() => history.back()).catch(() => {})
  await expect.poll(() => here.settled, { timeout: 10_000 }).toEqual(['true signed_in signed_out signed_out sign_in_required'])
  expect(here.api.log).toHaveLength(calls)
})
