import type { Page } from 'playwright-core'
import { expect } from 'vitest'
import type { App } from '../chromium/pages/app.js'
import type { AppInChromium } from './app-in-chromium.js'

declare const app: App

/** How often a page is left in the middle of a renewal: a few times in `npm test`; LEFT_PAGES=40 is the whole of it. */
export const leftPages = Number(process.env['LEFT_PAGES'] ?? 6)

/** Leaves the page when the server has renewed and its answer is on its way, and is in it again, the session taken up. */
export async function leaveDuringRenewal(here: AppInChromium, tab: Page, how: 'reload' | 'close'): Promise<Page> {
  const before = here.server.counters.refreshes
  await tab.evaluate(() => void app.renew())
  await expect.poll(() => here.server.counters.refreshes, { interval: 10, timeout: 10_000 }).toBeGreaterThan(before)
  if (how === 'reload') await tab.reload()
  else await tab.close()
  const again = how === 'reload' ? await here.ready(tab) : await here.open()
  expect(await here.resume(again)).toBe(true)
  return again
}

/** Renews now: meets the renewal that is under way, or begins one. */
export const renew = (tab: Page): Promise<string> => tab.evaluate(() => app.renew())
