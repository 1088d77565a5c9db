import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { type Tab, abuses } from '../browsers/abuses.js'
import { type AppInChromium, startApp } from '../support/app-in-chromium.js'

// The abuses of the callback, in Chromium as playwright drives it. Every one ends with the sweep.

let here: AppInChromium
beforeAll(async () => {
  here = await startApp()
})
afterEach(() => here.endOfTest())
afterAll(() => here?.close())

async function open(url: string): Promise<Tab> {
  const tab = await here.pages.context().newPage()
  await tab.goto(url)
  return {
    goto: async (address) => void (await tab.goto(address)),
    evaluate: (expression) => tab.evaluate<unknown>(expression),
    address: async () => tab.url(),
    close: () => tab.close(),
  }
}

test.for(abuses)('C2 C17 $name', async ({ run }) => {
  expect(abuses.length).toBeGreaterThanOrEqual(12)
  await run({
    origin: here.pages.origin,
    stranger: here.stranger.origin,
    open,
    exchanges: () => here.tokenRequests.length,
  })
  // The browser's own word about a code that was refused.
  const refused = here.evidence.console.indexOf('Failed to load resource: the server responded with a status of 400 (Bad Request)')
  if (refused >= 0) here.evidence.console.splice(refused, 1)
})
