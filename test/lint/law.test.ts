import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'

const top = fileURLToPath(new URL('../../', import.meta.url))

/** Each breaks one rule of the law: the file, its text, the rule that refuses it, and a word of what the rule says. */
const bad: readonly (readonly [name: string, path: string, text: string, rule: string, says: string])[] = [
  ['core imports another room', 'core/bad-room.ts', `export * from '../stores/memory.js'`, 'law(imports)', 'may not import stores'],
  ['core imports a type of another room', 'core/bad-type.ts', `export type { A } from '../session.js'`, 'law(imports)', 'session'],
  [
    'core imports the system clock',
    'core/bad-clock.ts',
    `export { systemClock } from '../system-clock.js'`,
    'law(imports)',
    'system-clock',
  ],
  ['core imports a package', 'core/bad-package.ts', `export { readFile } from 'node:fs'`, 'law(imports)', 'node:fs'],
  ['core reads the clock', 'core/bad-date.ts', `export const now = (): number => Date.now()`, 'law(globals)', 'Date'],
  ['core calls fetch', 'core/bad-fetch.ts', `export const get = (): Promise<Response> => fetch('/')`, 'law(globals)', 'fetch'],
  ['core reads a global through globalThis', 'core/bad-this.ts', `export const g: unknown = globalThis`, 'law(globals)', 'globalThis'],
  ['core makes random bytes', 'core/bad-crypto.ts', `export const id = (): string => crypto.randomUUID()`, 'law(globals)', 'crypto'],
  ['core draws a random number', 'core/bad-random.ts', `export const draw = (): number => Math.random()`, 'law(globals)', 'random'],
  ['core sets a timer', 'core/bad-timer.ts', `export const wait = (): unknown => setTimeout(() => {}, 1)`, 'law(globals)', 'setTimeout'],
  ['protocol imports a grant', 'protocol/bad.ts', `export * from '../grants/refresh-token.js'`, 'law(imports)', 'grants'],
  ['protocol imports another package', 'protocol/bad-package.ts', `export { get } from 'idb-keyval'`, 'law(imports)', 'idb-keyval'],
  [
    'oauth4webapi outside protocol',
    'grants/bad.ts',
    `export { processDiscoveryResponse } from 'oauth4webapi'`,
    'law(imports)',
    'oauth4webapi',
  ],
  [
    'oauth4webapi by import()',
    'browser/bad-later.ts',
    `export const l = (): unknown => import('oauth4webapi')`,
    'law(imports)',
    'oauth4webapi',
  ],
  ['a grant imports the engine', 'grants/bad-engine.ts', `export * from '../token-source.js'`, 'law(imports)', 'token-source'],
  ['idb-keyval outside browser', 'stores/bad.ts', `export { get } from 'idb-keyval'`, 'law(imports)', 'idb-keyval'],
  ['a store imports the protocol', 'stores/bad-protocol.ts', `export * from '../protocol/discovery.js'`, 'law(imports)', 'protocol'],
  ['the engine imports a grant', 'token-source.ts', `export const l = (): unknown => import('./grants/x.js')`, 'law(imports)', 'grants'],
  ['a second file of the engine imports a store', 'engine/bad.ts', `export * from '../stores/memory.js'`, 'law(imports)', 'stores'],
  ['oauthFetch imports the engine', 'oauth-fetch.ts', `export * from './token-source.js'`, 'law(imports)', 'token-source'],
  ['the session imports a grant at once', 'session.ts', `export { code } from './grants/code.js'`, 'law(imports)', 'only by import()'],
  ['the main entry imports the page', 'index.ts', `export * from './browser/index.js'`, 'law(imports)', 'browser'],
  ['testing imports the engine', 'testing/bad.ts', `export * from '../token-source.js'`, 'law(imports)', 'token-source'],
  ['node:* in a page', 'browser/bad.ts', `export { readFile } from 'node:fs'`, 'law(imports)', 'node:fs'],
  ['the page imports node', 'browser/bad-node.ts', `export * from '../node/index.js'`, 'law(imports)', 'node'],
  ['a part of the page imports the main entry', 'browser/bad-index.ts', `export * from '../index.js'`, 'law(imports)', 'index'],
  ['the main entry by its own name', 'browser/bad-self.ts', `export * from 'valetkey'`, 'law(imports)', 'valetkey'],
  ['a Redis client', 'redis/bad.ts', `export { createClient } from 'redis'`, 'law(imports)', "'redis'"],
  ['a type of a Redis client', 'redis/bad-type.ts', `export type { Redis } from 'ioredis'`, 'law(imports)', 'ioredis'],
  ['redis imports the engine', 'redis/bad-engine.ts', `export * from '../token-source.js'`, 'law(imports)', 'token-source'],
  ['redis imports node:*', 'redis/bad-node.ts', `export { connect } from 'node:net'`, 'law(imports)', 'node:net'],
  ['a PostgreSQL client', 'postgres/bad.ts', `export const l = (): unknown => import('pg')`, 'law(imports)', "'pg'"],
  ['postgres imports another store', 'postgres/bad-redis.ts', `export * from '../redis/index.js'`, 'law(imports)', 'redis'],
  ['the page imports a store of servers', 'browser/bad-redis.ts', `export * from '../redis/index.js'`, 'law(imports)', 'redis'],
  ['node imports the page', 'node/bad.ts', `export * from '../browser/index.js'`, 'law(imports)', 'browser'],
  ['node imports a package', 'node/bad-package.ts', `export { open } from 'level'`, 'law(imports)', 'level'],
  ['a source imports a grant at once', 'sources/bad.ts', `export * from '../grants/good.js'`, 'law(imports)', 'only by import()'],
  ['the page imports a source of servers', 'browser/bad-source.ts', `export * from '../sources/good.js'`, 'law(imports)', 'sources'],
  ['the page imports its worker', 'browser/bad-worker.ts', `export * from '../worker/good.js'`, 'law(imports)', 'worker'],
  ['node imports a worker of pages', 'node/bad-worker.ts', `export * from '../worker/good.js'`, 'law(imports)', 'worker'],
  ['a worker imports a source of servers', 'worker/bad-source.ts', `export * from '../sources/good.js'`, 'law(imports)', 'sources'],
  ['a worker imports node:*', 'worker/bad.ts', `export { readFile } from 'node:fs'`, 'law(imports)', 'node:fs'],
  [
    'a worker imports something by import()',
    'worker/bad-later.ts',
    `export const l = (): unknown => import('../grants/good.js')`,
    'law(imports)',
    'a service worker has none',
  ],
  ['a session imports a source', 'session/bad.ts', `export * from '../sources/good.js'`, 'law(imports)', 'sources'],
  ['a resource server imports the engine', 'resource-server/bad.ts', `export * from '../token-source.js'`, 'law(imports)', 'token-source'],
  ['a resource server imports a grant', 'resource-server/bad-grant.ts', `export * from '../grants/good.js'`, 'law(imports)', 'grants'],
  [
    'a resource server imports the library',
    'resource-server/bad-library.ts',
    `export { DPoP } from 'oauth4webapi'`,
    'law(imports)',
    'oauth4webapi',
  ],
  ['a room nobody knows', 'helpers/bad.ts', `export const one = 1`, 'law(imports)', 'no room'],
  ['import() of a computed name', 'browser/bad-name.ts', `export const l = (n: string): unknown => import(n)`, 'law(imports)', 'literal'],
  [
    'a secret revealed',
    'grants/bad-reveal.ts',
    `export const see = (s: { reveal(): string }): string => s.reveal()`,
    'law(reveal)',
    'reveal',
  ],
  [
    'a secret revealed by destructuring',
    'core/bad-reveal.ts',
    `export const see = ({ reveal }: { reveal(): string }): string => reveal()`,
    'law(reveal)',
    'reveal',
  ],
  ['a class that is no error', 'core/bad-class.ts', `export class Manager {\n  readonly a = 1\n}`, 'law(classes)', 'Only errors'],
  ['the console', 'browser/bad-console.ts', `export const say = (): void => console.log('x')`, 'eslint(no-console)', ''],
  ['a default export', 'browser/bad-default.ts', `const one = 1\nexport default one`, 'import(no-default-export)', ''],
  ['any', 'browser/bad-any.ts', `export const one: any = 1`, 'typescript(no-explicit-any)', ''],
  ['a non-null assertion', 'browser/bad-null.ts', `export const one = (a?: string): string => a!`, 'typescript(no-non-null-assertion)', ''],
  [
    'a floating promise',
    'browser/bad-float.ts',
    `export const go = (p: Promise<void>): void => {\n  p\n}`,
    'typescript(no-floating-promises)',
    '',
  ],
  [
    'a promise as a condition',
    'browser/bad-if.ts',
    `export const go = (p: Promise<boolean>): number => (p ? 1 : 2)`,
    'typescript(no-misused-promises)',
    '',
  ],
  ['a cycle', 'stores/cycle-a.ts', `import { b } from './cycle-b.js'\nexport const a = (): unknown => b`, 'import(no-cycle)', ''],
  [
    'a file too long to read in one sitting',
    'browser/long.ts',
    `${'// line\n'.repeat(300)}export const one = 1\n`,
    'eslint(max-lines)',
    '',
  ],
]

/** What the law allows, and each of these is close to something that it does not. */
const good: Readonly<Record<string, string>> = {
  'core/good.ts': `import type { B } from './more.js'\nexport type F = typeof fetch\nexport const a = (b: B): boolean => b.url instanceof URL && AbortSignal.any([]).aborted`,
  'core/more.ts': `export interface B {\n  readonly url: URL\n}\nexport class OddError extends Error {}`,
  'core/codec.ts': `export const see = (s: { reveal(): string }): string => s.reveal()`,
  'protocol/good.ts': `export { processDiscoveryResponse } from 'oauth4webapi'\nexport { a } from '../core/good.js'\nexport const see = (s: { reveal(): string }): string => s.reveal()`,
  'grants/good.ts': `export { see } from '../protocol/good.js'\nexport { systemClock } from '../system-clock.js'`,
  'system-clock.ts': `export const systemClock = { now: (): number => Date.now() }`,
  'engine/good.ts': `export { a } from '../core/good.js'`,
  'stores/cycle-b.ts': `import { a } from './cycle-a.js'\nexport const b = (): unknown => a`,
  'session/good.ts': `import type { see } from '../grants/good.js'\nexport const load = async (): Promise<typeof see> => (await import('../grants/good.js')).see`,
  'browser/good.ts': `export { get } from 'idb-keyval'\nexport { load } from '../session/good.js'`,
  'worker/good.ts': `export { see } from '../grants/good.js'\nexport { get } from '../browser/good.js'`,
  'stores/good.ts': `export { a } from '../core/good.js'`,
  'redis/good.ts': `export { a } from '../stores/good.js'\nexport { systemClock } from '../system-clock.js'`,
  'postgres/good.ts': `export { a } from '../stores/good.js'\nexport type { B } from '../core/more.js'`,
  'sources/good.ts': `import type { see } from '../grants/good.js'\nexport { a } from '../engine/good.js'\nexport const load = async (): Promise<typeof see> => (await import('../grants/good.js')).see`,
  'user-session.ts': `export { a } from './stores/good.js'\nexport { load } from './session/good.js'`,
  'node/good.ts': `export { readFile } from 'node:fs/promises'\nexport { load } from '../sources/good.js'`,
  'node/index.ts': `export * from '../index.js'\nexport { load } from '../session/good.js'`,
}

interface Diagnostic {
  readonly code: string
  readonly message: string
  readonly filename: string
}

let folder = ''
let found: readonly Diagnostic[] = []

beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'law-')))
  const files = [...bad.map(([, path, text]) => [path, text] as const), ...Object.entries(good)]
  for (const [path, text] of files) {
    const file = join(folder, 'src', path)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, `${text}\n`)
  }
  await writeFile(
    join(folder, 'tsconfig.json'),
    JSON.stringify({
      extends: join(top, 'tsconfig.json'),
      compilerOptions: { rootDir: 'src', typeRoots: [join(top, 'node_modules/@types')] },
      include: ['src'],
    }),
  )
  const oxlint = join(top, 'node_modules/oxlint/bin/oxlint')
  const output = await new Promise<string>((resolve) => {
    execFile(
      process.execPath,
      [oxlint, '-c', join(top, 'test/oxlint.json'), '--type-aware', '-f', 'json', 'src'],
      { cwd: folder, maxBuffer: 1e8 },
      (_error, stdout) => resolve(stdout),
    )
  })
  found = (JSON.parse(output) as { diagnostics: readonly Diagnostic[] }).diagnostics
})

afterAll(() => rm(folder, { recursive: true, force: true }))

const foundIn = (path: string): readonly Diagnostic[] => found.filter((diagnostic) => diagnostic.filename === `src/${path}`)

test.for(bad)('the linter refuses %s', ([, path, , rule, says]) => {
  expect(foundIn(path)).toContainEqual(expect.objectContaining({ code: rule, message: expect.stringContaining(says) as string }))
})

test.for(Object.keys(good).filter((path) => !path.includes('cycle')))('the linter has nothing against %s', (path) => {
  expect(foundIn(path)).toEqual([])
})
