// @ts-check
// The three browser engines, from Debian's packages: found, or installed. None is left out for want of a browser.
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { findBrowser } from '../../set-up/browser.mjs'
import { findPrograms } from '../../set-up/debian.mjs'

/** @typedef {'Chromium' | 'Firefox' | 'WebKit'} EngineName */

/**
 * `BROWSERS` says what is run: nothing, for all engines in full; `short`, for the short form of all; `chromium`, for that of Chromium alone.
 * @type {readonly EngineName[]}
 */
export const engineNames = process.env['BROWSERS'] === 'chromium' ? ['Chromium'] : ['Chromium', 'Firefox', 'WebKit']
export const short = ['short', 'chromium'].includes(process.env['BROWSERS'] ?? '')

/** @returns {Promise<string>} */
export const findChromium = () => findBrowser()

export function findFirefox() {
  const [firefox = ''] = findPrograms([{ name: 'firefox-esr', debian: 'firefox-esr' }])
  return firefox
}

/** WebKitGTK has no browser without a screen. Its own small one, MiniBrowser, is in no folder of the PATH. */
export function findWebKit() {
  const libraries = '/usr/lib'
  const folders = () =>
    readdirSync(libraries)
      .map((name) => join(libraries, name, 'webkit2gtk-4.1'))
      .filter((folder) => existsSync(folder))
  const [driver = '', display = ''] = findPrograms([
    { name: 'WebKitWebDriver', debian: 'webkit2gtk-driver' },
    { name: 'Xvfb', debian: 'xvfb' },
    {
      name: 'MiniBrowser',
      debian: 'libwebkit2gtk-4.1-0',
      get folders() {
        return folders()
      },
    },
  ])
  return {
    driver,
    display,
    browser:
      folders()
        .map((folder) => join(folder, 'MiniBrowser'))
        .find((path) => existsSync(path)) ?? '',
  }
}

/** Says where each engine is that will be driven. Rejects saying what to install. */
export async function readyEngines() {
  for (const name of engineNames) {
    const found = { Chromium: findChromium, Firefox: findFirefox, WebKit: () => findWebKit().browser }[name]
    console.log(`${name}: ${await found()}`)
  }
}
