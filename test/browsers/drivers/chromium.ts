import { readdirSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { type Page, chromium } from 'playwright-core'
import { launchArgs } from '../../set-up/browser.mjs'
import type { Driver, Tab } from '../driver.js'
import { findChromium } from '../set-up/engines.mjs'
import { until } from './waiting.js'

export async function startChromium(profile: string): Promise<Driver> {
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: await findChromium(),
    headless: true,
    // An API over HTTP/2 vouches for itself.
    ignoreHTTPSErrors: true,
    args: [...launchArgs],
    // Pages that are left are kept as they were, as they are for people.
    ignoreDefaultArgs: ['--disable-back-forward-cache'],
  })
  // The tab that it begins with stays: with the last one a browser ends.
  const [first] = context.pages()
  return {
    pid: ownerOf(profile),
    async open(url) {
      const tab = tabOf(await context.newPage())
      await tab.goto(url)
      return tab
    },
    async closeTabs() {
      for (const page of context.pages()) if (page !== first) await page.close()
    },
    countTabs: async () => context.pages().length,
    quit: () => context.close(),
  }
}

/** Chromium leaves a link in its profile that says which process has it. */
function ownerOf(profile: string): number {
  if (!readdirSync(profile).includes('SingletonLock')) throw new Error('Chromium does not say which process has the profile.')
  return Number(readlinkSync(join(profile, 'SingletonLock')).split('-').at(-1))
}

function tabOf(page: Page): Tab {
  const evaluate = <T>(expression: string): Promise<T> => page.evaluate<T>(expression)
  return {
    goto: async (url) => void (await page.goto(url, { waitUntil: 'load' })),
    reload: async () => void (await page.reload({ waitUntil: 'load' })),
    evaluate,
    waitFor: (expression, milliseconds = 30_000) => until(() => evaluate(`!!(${expression})`), milliseconds, expression),
    address: async () => page.url(),
    close: () => page.close(),
  }
}
