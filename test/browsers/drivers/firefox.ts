import { join } from 'node:path'
import { type Browser, type Page, launch } from 'puppeteer-core'
import type { Driver, Tab } from '../driver.js'
import { findFirefox } from '../set-up/engines.mjs'
import { until } from './waiting.js'

/** Nothing is looked up, reported or updated elsewhere. */
const quiet = {
  'app.update.disabledForTesting': true,
  'browser.safebrowsing.malware.enabled': false,
  'browser.safebrowsing.phishing.enabled': false,
  'browser.search.update': false,
  'captivedetect.canonicalURL': '',
  'datareporting.policy.dataSubmissionEnabled': false,
  'extensions.update.enabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'network.dns.disablePrefetch': true,
  'services.settings.server': 'http://127.0.0.1:9',
  'toolkit.telemetry.server': 'http://127.0.0.1:9',
  // The processes of pages stay as they are: no page is thrown out for want of memory.
  'browser.tabs.unloadOnLowMemory': false,
  // A page may open a window without a click, as it may in the other two.
  'dom.disable_open_during_load': false,
}

/** Over WebDriver BiDi. */
export async function startFirefox(profile: string): Promise<Driver> {
  const browser = await launch({
    browser: 'firefox',
    executablePath: findFirefox(),
    headless: true,
    acceptInsecureCerts: true,
    args: ['--no-remote'],
    userDataDir: join(profile, 'firefox'),
    env: { ...process.env, HOME: profile },
    extraPrefsFirefox: quiet,
  })
  // The tab that it begins with stays: with the last one a browser ends.
  const [first] = await browser.pages()
  return {
    pid: browser.process()?.pid ?? 0,
    async open(url) {
      const tab = tabOf(await newPage(browser))
      await tab.goto(url)
      return tab
    },
    async closeTabs() {
      for (const page of await browser.pages()) if (page !== first) await page.close()
    },
    countTabs: async () => (await browser.pages()).length,
    quit: () => browser.close(),
  }
}

/** A new tab now and then is replaced by another while Firefox still tells of it: then there is none, and one is asked for again. */
async function newPage(browser: Browser, attempts = 3): Promise<Page> {
  try {
    return await browser.newPage()
  } catch (error) {
    if (attempts === 1 || !String(error).includes('no such frame')) throw error
    return newPage(browser, attempts - 1)
  }
}

function tabOf(page: Page): Tab {
  const evaluate = <T>(expression: string): Promise<T> => page.evaluate(expression) as Promise<T>
  return {
    goto: async (url) => void (await page.goto(url, { waitUntil: 'load' })),
    reload: async () => void (await page.reload({ waitUntil: 'load' })),
    evaluate,
    waitFor: (expression, milliseconds = 30_000) => until(() => evaluate(`!!(${expression})`), milliseconds, expression),
    // Puppeteer does not hear of an address that a page which comes back as it was left has.
    address: () => evaluate('location.href'),
    close: () => page.close(),
  }
}
