import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { browserNames, findBrowser } from './browser.mjs'

let folder = ''
/** Every command that was run to install something, in order. */
let installed: string[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'browser-'))
  installed = []
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** Puts an executable there; a stub is one that does not run. */
function put(path: string): string {
  const file = join(folder, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, '')
  chmodSync(file, 0o755)
  return file
}

interface Machine {
  readonly chromePath?: string
  readonly uid?: number
  readonly sudo?: boolean
  /** Browsers that are there and do not run. */
  readonly stubs?: readonly string[]
  /** What installing brings: a command's beginning, and what it does. */
  readonly brings?: Readonly<Record<string, () => unknown>>
}

const find = ({ chromePath, uid = 1000, sudo = false, stubs = [], brings = {} }: Machine = {}): Promise<string> =>
  findBrowser({
    env: { PATH: ['one', 'two'].map((name) => join(folder, name)).join(':'), CHROME_PATH: chromePath },
    uid,
    cache: join(folder, 'cache'),
    playwrightsOwn: () => join(folder, 'playwright/chrome'),
    say: () => {},
    run(command, parameters) {
      if (parameters[0] === '--version') return !stubs.includes(command)
      if (command === 'sudo' && parameters[1] === 'true') return sudo
      const line = [command, ...parameters].join(' ').replaceAll(folder, '').replace(process.execPath, 'node')
      installed.push(line)
      const bring = Object.entries(brings).find(([beginning]) => line.includes(beginning))
      bring?.[1]()
      return bring !== undefined
    },
  })

test('CHROME_PATH is taken before anything on the PATH', async () => {
  put('one/chromium')
  expect(await find({ chromePath: put('mine') })).toBe(join(folder, 'mine'))
})

test('a CHROME_PATH that is no browser is said, not passed over', async () => {
  put('one/chromium')
  await expect(find({ chromePath: join(folder, 'nothing') })).rejects.toThrow('CHROME_PATH')
})

test('the PATH is searched by name first, then by folder', async () => {
  put('one/google-chrome')
  put('two/chromium')
  expect(await find()).toBe(join(folder, 'two/chromium'))
})

test.for(browserNames)('%s is found on the PATH before playwright’s own', async (name) => {
  put('playwright/chrome')
  expect(await find()).toBe(join(folder, 'playwright/chrome'))
  expect(await findAfter(() => put(`two/${name}`))).toBe(join(folder, 'two', name))
})

const findAfter = (change: () => unknown): Promise<string> => {
  change()
  return find()
}

test('a script that only has the name is passed over', async () => {
  const stub = put('one/chromium-browser')
  put('two/google-chrome-stable')
  expect(await find({ stubs: [stub] })).toBe(join(folder, 'two/google-chrome-stable'))
})

test('one that was fetched before is taken before anything is installed', async () => {
  put('one/apt-get')
  const fetched = put('cache/chromium-with-libraries')
  expect(await find({ uid: 0 })).toBe(fetched)
  expect(installed).toEqual([])
})

const update = 'env DEBIAN_FRONTEND=noninteractive apt-get update'
const install = 'env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends chromium'
const npm = 'npm install --prefix /cache --no-save --no-audit --no-fund --ignore-scripts --loglevel=error @sparticuz/chromium@153'

test('root installs Debian’s', async () => {
  put('one/apt-get')
  const path = await find({ uid: 0, brings: { 'apt-get update': () => {}, 'apt-get install': () => put('two/chromium') } })
  expect(path).toBe(join(folder, 'two/chromium'))
  expect(installed).toEqual([update, install])
})

test('another user installs Debian’s by sudo, where sudo asks nothing', async () => {
  put('one/apt-get')
  await find({ sudo: true, brings: { 'apt-get update': () => {}, 'apt-get install': () => put('two/chromium') } })
  expect(installed).toEqual([`sudo -n ${update}`, `sudo -n ${install}`])
})

test.for([
  ['there is no apt-get', { uid: 0 }, false, [npm]],
  ['sudo would ask', {}, true, [npm]],
  ['Debian’s packages cannot be had', { uid: 0 }, true, [update, npm]],
] as const)('the one of the npm registry is fetched where %s', async ([, machine, apt, before]) => {
  if (apt) put('one/apt-get')
  const path = await find({
    ...machine,
    brings: { 'npm install': () => {}, 'node /cache/unpack.js': () => put('cache/unpacked/chromium') },
  })
  expect(path).toBe(join(folder, 'cache/chromium-with-libraries'))
  expect(installed).toEqual([...before, 'node /cache/unpack.js'])
})

test('where nothing can be had, the error says what to install', async () => {
  await expect(find({ uid: 0 })).rejects.toThrow(/Install Chromium .* or set CHROME_PATH/)
})
