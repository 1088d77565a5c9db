import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { distFiles, entries, packageFile, top } from './published.js'

const run = promisify(execFile)

test('every path of the exports map is a file that was built', () => {
  const built = distFiles()
  expect(entries.length).toBeGreaterThan(0)
  for (const entry of entries) expect(built).toEqual(expect.arrayContaining([entry.file, entry.types]))
})

test('every built module has its declarations and its source map, and there is nothing else in dist', () => {
  const modules = distFiles().filter((path) => path.endsWith('.js'))
  const declared = distFiles().filter((path) => path.endsWith('.d.ts'))
  expect(distFiles()).toEqual([...modules, ...declared, ...modules.map((path) => `${path}.map`)].toSorted())
  // A file of types alone has declarations and no module.
  expect(declared).toEqual(expect.arrayContaining(modules.map((path) => path.replace(/\.js$/, '.d.ts'))))
})

test('a source map carries its source, so that a debugger needs nothing that is not published', async () => {
  for (const path of distFiles().filter((name) => name.endsWith('.js.map'))) {
    const map = JSON.parse(await readFile(join(top, path), 'utf8')) as { sources: unknown[]; sourcesContent?: (string | null)[] }
    expect(
      map.sourcesContent?.filter((text) => text !== null),
      path,
    ).toHaveLength(map.sources.length)
  }
})

test('attack 89 the package holds dist, the licence, the readme and the changelog, and runs nothing when it is installed', async () => {
  const { stdout } = await run('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: top })
  const [packed] = JSON.parse(stdout) as [{ files: { path: string }[] }]
  const outside = packed.files.map(({ path }) => path).filter((path) => !path.startsWith('dist/'))
  expect(outside.toSorted()).toEqual(['CHANGELOG.md', 'LICENSE', 'README.md', 'package.json'])
  expect(packed.files.map(({ path }) => path).filter((path) => path.startsWith('dist/'))).toEqual(distFiles())
  const lifecycle = /^(?:pre|post)?(?:install|uninstall|prepare|publish|pack)$|^prepublishOnly$|^dependencies$/
  expect(Object.keys(packageFile.scripts).filter((name) => lifecycle.test(name))).toEqual([])
})

test('attack 89 it depends on two packages, each of which depends on none and runs nothing when it is installed', async () => {
  expect(Object.keys(packageFile.dependencies)).toEqual(['idb-keyval', 'oauth4webapi'])
  const lock = JSON.parse(await readFile(join(top, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { dependencies?: object; hasInstallScript?: boolean; integrity?: string }>
  }
  for (const name of Object.keys(packageFile.dependencies)) {
    const locked = lock.packages[`node_modules/${name}`]
    expect([name, locked?.dependencies, locked?.hasInstallScript, typeof locked?.integrity]).toEqual([name, undefined, undefined, 'string'])
  }
})

test('K5 what only Node has cannot be imported in a page, and the rest can', async () => {
  const imports = entries.map(({ name }) => `import('${name}').then(() => '', ({ code }) => '${name} ' + code)`)
  const program = `console.log((await Promise.all([${imports.join(', ')}])).filter(Boolean).join())`
  const { stdout } = await run(process.execPath, ['--conditions=browser', '--input-type=module', '--eval', program], { cwd: top })
  expect(stdout.trim()).toBe('valetkey/node ERR_PACKAGE_PATH_NOT_EXPORTED')
})

/**
 * Imports modules where every global that could do something is a trap, and the language's own objects are frozen.
 * What is left running, printed or added to the globals afterwards is said.
 */
const importQuietly = (urls: readonly string[]): string => `
  const noted = []
  const trap = (name) => function trapped() { noted.push(name); throw new Error(name + ' was used at import') }
  const names = ['fetch', 'setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'WebSocket', 'BroadcastChannel', 'MessageChannel', 'XMLHttpRequest',
    'Worker', 'addEventListener', 'requestIdleCallback']
  for (const name of names) globalThis[name] = trap(name)
  for (const name of ['now']) Date[name] = trap('Date.now')
  crypto.getRandomValues = trap('crypto.getRandomValues')
  crypto.randomUUID = trap('crypto.randomUUID')
  for (const name of ['generateKey', 'digest', 'importKey']) crypto.subtle[name] = trap('crypto.subtle.' + name)
  for (const name of ['window', 'document', 'location', 'localStorage', 'sessionStorage', 'indexedDB', 'self'])
    Object.defineProperty(globalThis, name, { configurable: false, get: trap(name) })
  for (const name of Object.getOwnPropertyNames(globalThis)) {
    const value = Object.getOwnPropertyDescriptor(globalThis, name).value
    if (typeof value !== 'function' || !/^[A-Z]/.test(name)) continue
    if (value.prototype !== undefined) Object.freeze(value.prototype)
    Object.freeze(value)
  }
  const write = process.stdout.write.bind(process.stdout)
  process.stdout.write = trap('stdout')
  process.stderr.write = trap('stderr')
  const running = () => process.getActiveResourcesInfo().filter((name) => !name.startsWith('FS') && name !== 'CloseReq').length
  const listeners = () => process.eventNames().flatMap((name) => process.listeners(name)).length
  const before = { globals: Reflect.ownKeys(globalThis).length, running: running(), listeners: listeners() }
  Object.preventExtensions(globalThis)
  const exported = []
  for (const url of ${JSON.stringify(urls)}) {
    try { exported.push(Object.keys(await import(url)).length) } catch (error) { noted.push(String(error)) }
    if (noted.length > 0) { noted.push(url); break }
  }
  const after = { globals: Reflect.ownKeys(globalThis).length, running: running(), listeners: listeners() }
  write(JSON.stringify({ noted, before, after, exported }))
`

interface Seen {
  readonly noted: readonly string[]
  readonly before: unknown
  readonly after: unknown
  readonly exported: readonly number[]
}

async function imported(files: readonly string[]): Promise<Seen> {
  const program = importQuietly(files.map((file) => pathToFileURL(join(top, file)).href))
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', program], { cwd: top })
  return JSON.parse(stdout) as Seen
}

test.for(entries)('$name is imported in plain Node, without a window, and nothing happens', async ({ file }) => {
  const seen = await imported([file])
  expect(seen.noted).toEqual([])
  expect(seen.after).toEqual(seen.before)
  expect(seen.exported[0]).toBeGreaterThan(0)
})

test('so is every single file of dist', async () => {
  const seen = await imported(distFiles().filter((path) => path.endsWith('.js')))
  expect(seen.noted).toEqual([])
  expect(seen.after).toEqual(seen.before)
})
