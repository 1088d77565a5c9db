// @ts-check
// Which Chromium the tests drive: one that is here, else one that is installed. Nothing is skipped for want of a browser.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { foldersOfPath, installDebians, isExecutable, machine } from './debian.mjs'

/** How the tests launch it: without a sandbox (CI runs as root), quietly, and with no way to any other machine. */
export const launchArgs = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost',
]

/** What it is called on the PATH, the likeliest first. */
export const browserNames = [
  'chromium',
  'chromium-browser',
  'google-chrome',
  'google-chrome-stable',
  'google-chrome-beta',
  'chrome',
  'chromium-headless-shell',
  'microsoft-edge',
]

/**
 * What the search touches, so that a test can put its own there.
 * @typedef {import('./debian.mjs').Machine & { cache: string, playwrightsOwn: () => string | Promise<string> }} Surroundings
 * `cache`: where a browser from the npm registry is unpacked. `playwrightsOwn`: where playwright would have one.
 */

/** @type {Surroundings} */
const here = {
  ...machine,
  cache: fileURLToPath(new URL('../../node_modules/.cache/chromium', import.meta.url)),
  playwrightsOwn: async () => (await import('playwright-core')).chromium.executablePath(),
}

/**
 * The path of a Chromium that runs: `CHROME_PATH`, then one on the PATH, then one that playwright has, then one that this fetched before;
 * otherwise Debian's is installed where that may be, otherwise one that the npm registry carries. Rejects saying what to install.
 *
 * @param {Partial<Surroundings>} [surroundings]
 * @returns {Promise<string>}
 */
export async function findBrowser(surroundings = {}) {
  const where = { ...here, ...surroundings }
  const chosen = where.env['CHROME_PATH']
  if (chosen) {
    if (runs(where, chosen)) return chosen
    throw new Error(`CHROME_PATH is ${chosen}, which is no browser that runs. Correct it, or unset it to have one looked for.`)
  }
  return (
    (await present(where)) ??
    (installDebians(['chromium'], 'Chromium', where) ? onPath(where) : undefined) ??
    fetchFromRegistry(where) ??
    missing()
  )
}

/** @param {Surroundings} where */
async function present(where) {
  const found = onPath(where)
  if (found !== undefined) return found
  return [await where.playwrightsOwn(), join(where.cache, 'chromium-with-libraries')].find((path) => runs(where, path))
}

/** @param {Surroundings} where */
function onPath(where) {
  const folders = foldersOfPath(where.env)
  return browserNames.flatMap((name) => folders.map((folder) => join(folder, name))).find((path) => runs(where, path))
}

/** Some systems have a script of that name which only says how to install the real one; so being there is not enough. @param {Surroundings} where @param {string} path */
function runs(where, path) {
  return isExecutable(path) && where.run(path, ['--version'])
}

/** @param {Surroundings} where */
function fetchFromRegistry(where) {
  where.say('No Chromium here: fetching the one of the npm registry …')
  const { cache } = where
  const unpacked = join(cache, 'unpacked')
  mkdirSync(unpacked, { recursive: true })
  writeFileSync(join(cache, 'package.json'), '{ "private": true, "type": "module" }\n')
  writeFileSync(join(cache, 'unpack.js'), "import chromium from '@sparticuz/chromium'\nawait chromium.executablePath()\n")
  const flags = ['--no-save', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error']
  if (!where.run('npm', ['install', '--prefix', cache, ...flags, '@sparticuz/chromium@153'])) return undefined
  // It unpacks into the temporary folder; told that it is on Lambda, it also unpacks the libraries that a bare machine lacks.
  if (!where.run(process.execPath, [join(cache, 'unpack.js')], { TMPDIR: unpacked, AWS_EXECUTION_ENV: 'nodejs20.x' })) return undefined
  if (!existsSync(join(unpacked, 'chromium'))) return undefined
  const path = join(cache, 'chromium-with-libraries')
  const [libraries, fonts] = [join(unpacked, 'al2023', 'lib'), join(unpacked, 'fonts')]
  writeFileSync(path, `#!/bin/sh\nLD_LIBRARY_PATH='${libraries}' FONTCONFIG_PATH='${fonts}' exec '${join(unpacked, 'chromium')}' "$@"\n`, {
    mode: 0o755,
  })
  return runs(where, path) ? path : undefined
}

/** @returns {never} */
function missing() {
  throw new Error(
    'The tests need a Chromium, and none could be found or installed. Install Chromium or Google Chrome (Debian: apt-get install chromium), ' +
      'or set CHROME_PATH to one.',
  )
}
