import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { type AppInChromium, startApp } from '../support/app-in-chromium.js'
import type { App } from './pages/app.js'
import type { Rendering } from './pages/react.js'

// React 19 in development under StrictMode, and under the strict policy of every page here.

declare const app: App
declare const rendering: Rendering

let here: AppInChromium
beforeAll(async () => {
  here = await startApp({ bundleEntry: new URL('pages/react.ts', import.meta.url) })
})
afterEach(() => {
  // React's word about its developer tools.
  here.evidence.console.splice(0, Infinity, ...here.evidence.console.filter((text) => !text.includes('React DevTools')))
  return here.endOfTest()
})
afterAll(() => here?.close())

const shows = (tab: Page, text: string) => tab.waitForFunction((wanted) => document.querySelector('output')?.textContent === wanted, text)

test('C20 under StrictMode, where every effect runs twice, a response is redeemed once, and what is rendered is right', async () => {
  const tab = await here.open('/notes')
  await shows(tab, 'signed_out')
  await here.leaveAndReturn(tab)
  await shows(tab, 'signed_in ann')
  expect(await tab.evaluate(() => rendering)).toEqual({ effects: 2, committed: ['unknown', 'signing_in', 'signed_in ann'] })
  expect(tab.url()).toBe(`${here.pages.origin}/notes`)
  expect(here.tokenRequests).toHaveLength(1)
})

test('a new tab renders the stored session, and a sign-out in one tab is rendered in the other', async () => {
  await here.leaveAndReturn(await here.open('/one'))
  const tab = await here.open('/two')
  await shows(tab, 'signed_in ann')
  expect(await tab.evaluate(() => rendering.committed)).toEqual(['unknown', 'signed_in ann'])
  await (await here.open('/three')).evaluate(() => app.session.signOut())
  await shows(tab, 'signed_out signed_out')
  expect(await tab.evaluate(() => rendering.committed)).toEqual(['unknown', 'signed_in ann', 'signed_out signed_out'])
  expect(here.tokenRequests).toHaveLength(1)
})
