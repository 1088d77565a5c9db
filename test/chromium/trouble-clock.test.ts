import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { type AppInChromium, startApp } from '../support/app-in-chromium.js'
import type { App } from './pages/app.js'

// Pages whose clock is wrong from the beginning, or is set while they are open; and pages that were frozen.

declare const app: App
declare let wrongBy: number

let here: AppInChromium
beforeAll(async () => {
  here = await startApp()
})
afterEach(() => here.endOfTest())
afterAll(() => here?.close())

/** The page's clock goes wrong by what lies in its localStorage, as all pages of a machine do. */
function wrongClock(): void {
  const { now } = Date
  Object.assign(globalThis, { wrongBy: Number(localStorage.getItem('wrong') ?? 0) })
  Date.now = () => now() + wrongBy
}

const set = (tab: Page, milliseconds: number) =>
  tab.evaluate((by) => {
    localStorage.setItem('wrong', `${by}`)
    wrongBy = by
  }, milliseconds)

const minute = 60_000
const clocks = [
  ['10 minutes ahead', 10 * minute],
  ['10 minutes behind', -10 * minute],
  ['a day ahead', 1_440 * minute],
  ['a day behind', -1_440 * minute],
] as const

test.each(clocks)('P16 a clock that is %s: the user signs in, calls are answered, a reload and a new tab ask nobody', async (_, by) => {
  const tab = await here.open('/notes', wrongClock)
  await set(tab, by)
  await here.leaveAndReturn(tab)
  expect(await here.resume(tab)).toBe(true)
  expect(await tab.evaluate(() => app.call('/notes'))).toBe(200)
  await tab.reload()
  await here.ready(tab)
  const other = await here.open('/other', wrongClock)
  for (const one of [tab, other]) expect(await one.evaluate(() => app.call('/notes'))).toBe(200)
  expect(here.tokenRequests).toHaveLength(1)
  await tab.evaluate(async () => void (await app.session.token({ rejected: await app.session.token() })))
  expect(await other.evaluate(() => app.call('/notes'))).toBe(200)
  expect(here.tokenRequests).toHaveLength(2)
})

test.each(clocks)(
  'a clock that is set %s during the session, and back: each time at most one token request for both tabs',
  async (_, by) => {
    const tab = await here.open('/notes', wrongClock)
    await here.leaveAndReturn(tab)
    expect(await here.resume(tab)).toBe(true)
    const other = await here.open('/other', wrongClock)
    expect(await other.evaluate(() => app.call('/notes'))).toBe(200)
    for (const wrong of [by, 0]) {
      here.tokenRequests = []
      for (const one of [tab, other]) await one.evaluate((milliseconds) => void (wrongBy = milliseconds), wrong)
      for (const one of [tab, other, tab, other]) expect(await one.evaluate(() => app.call('/notes'))).toBe(200)
      expect(here.tokenRequests.length).toBeLessThanOrEqual(1)
    }
    expect(here.server.counters.reuses).toBe(0)
  },
)

test('a page that was frozen looks when it goes on, and renews what is due: the first call finds it done', async () => {
  const tab = await here.open('/notes', wrongClock)
  await here.leaveAndReturn(tab)
  expect(await here.resume(tab)).toBe(true)
  await tab.evaluate(() => void app.session.subscribe(() => {}))
  here.tokenRequests = []
  // An hour goes by, in which the monotonic clock stands still. A page without a window on a screen is not frozen by the browser: the event is what it gets.
  await tab.evaluate((hour) => {
    wrongBy = hour
    document.dispatchEvent(new Event('resume'))
  }, 60 * minute)
  await tab.waitForFunction(() => app.events.some(({ type }) => type === 'renewal_finished'))
  expect(await tab.evaluate(() => app.call('/notes'))).toBe(200)
  expect(here.tokenRequests).toHaveLength(1)
})
