import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { brotliCompressSync } from 'node:zlib'
import { nodeResolve } from '@rollup/plugin-node-resolve'
import { transform } from 'esbuild'
import { type OutputChunk, rollup } from 'rollup'
import { expect, test } from 'vitest'
import { entries, packageFile, top } from './published.js'

interface Bundle {
  /** Paths from the top of everything that ended up in it. */
  readonly all: readonly string[]
  /** Of these, what a page loads before it asks for more by `import()`. */
  readonly first: readonly string[]
  /** And what it has loaded when a session that was stored has given its token. */
  readonly resumed: readonly string[]
  readonly code: string
  /** Minified and compressed by brotli, in bytes. */
  size(): Promise<Readonly<Record<'all' | 'first' | 'resumed' | 'bearer', number>>>
}

const bundles = new Map<string, Promise<Bundle>>()

/** Bundles a program that imports the package by name, as an application's bundler would. Each is bundled once. */
function bundle(program: string, into: 'chunks' | 'one file' = 'chunks'): Promise<Bundle> {
  const name = `${into}: ${program}`
  const bundled = bundles.get(name) ?? bundledInto(into, program)
  bundles.set(name, bundled)
  return bundled
}

async function bundledInto(into: 'chunks' | 'one file', program: string): Promise<Bundle> {
  const built = await rollup({
    input: 'program',
    plugins: [
      {
        name: 'program',
        resolveId(source) {
          if (source === 'program') return '\0program'
          const entry = entries.find(({ name }) => name === source)
          return entry === undefined ? null : join(top, entry.file)
        },
        load: (id) => (id === '\0program' ? program : null),
      },
      nodeResolve({ browser: true, exportConditions: ['browser'], rootDir: top }),
    ],
    external: /^node:/,
    onwarn: (warning) => {
      throw new Error(warning.message)
    },
  })
  const { output } = await built.generate({ format: 'es', inlineDynamicImports: into === 'one file' })
  const chunks = output.filter((part): part is OutputChunk => part.type === 'chunk')
  const entry = chunks.find((chunk) => chunk.isEntry)
  const pageSession = chunks.find((chunk) => Object.keys(chunk.modules).some((id) => id.endsWith('dist/browser/page-session.js')))
  const loadedBy = (...from: readonly (OutputChunk | undefined)[]) =>
    chunks.filter((chunk) => from.some((one) => chunk === one || reached(chunks, one).has(chunk.fileName)))
  const early = loadedBy(entry)
  const resumed = loadedBy(entry, pageSession)
  const modules = (of: readonly OutputChunk[]): readonly string[] =>
    of
      .flatMap((chunk) => Object.entries(chunk.modules))
      .filter(([id, module]) => id !== '\0program' && module.renderedLength > 0)
      .map(([id]) => id.replace(top, ''))
      .concat(of.flatMap((chunk) => [...chunk.imports, ...chunk.dynamicImports].filter((name) => name.startsWith('node:'))))
  return {
    all: modules(chunks),
    first: modules(early),
    resumed: modules(resumed),
    code: chunks.map((chunk) => chunk.code).join('\n'),
    async size() {
      const weights = new Map(await Promise.all(chunks.map(async (chunk) => [chunk, await weightOf(chunk)] as const)))
      const sum = (of: readonly OutputChunk[]) => of.reduce((all, chunk) => all + (weights.get(chunk) ?? NaN), 0)
      return { all: sum(chunks), first: sum(early), resumed: sum(resumed), bearer: sum(chunks.filter((chunk) => !isForFew(chunk))) }
    },
  }
}

/** The chunks that an entry imports at once, and those that these import. */
function reached(chunks: readonly OutputChunk[], from: OutputChunk | undefined, seen = new Set<string>()): Set<string> {
  for (const name of from?.imports ?? []) {
    if (seen.has(name)) continue
    seen.add(name)
    reached(
      chunks,
      chunks.find((chunk) => chunk.fileName === name),
      seen,
    )
  }
  return seen
}

/** Nothing in it is ever loaded but with `dpop: true`, or where authorization requests are pushed or signed. */
function isForFew(chunk: OutputChunk): boolean {
  return Object.keys(chunk.modules).every((id) =>
    /dist\/.*(dpop|proof-refusal|proven-request|pushed-request|unusual-request|message-signing)/.test(id),
  )
}

async function weightOf({ code }: OutputChunk): Promise<number> {
  return brotliCompressSync((await transform(code, { minify: true, format: 'esm', target: 'es2022' })).code).length
}

const of = (paths: readonly string[], part: string): readonly string[] => paths.filter((path) => path.includes(part))

const notOfAStore = ['oauth4webapi', 'idb-keyval', 'dist/protocol/', 'dist/grants/', 'dist/session', 'dist/browser/', 'dist/node/', 'node:']

/** Sign-ins on another device: who has no use for them carries nothing of them. */
const ofOtherDevices = ['dist/session/polled', 'decoupled-authorization', 'dist/grants/polling', 'device-', 'backchannel', 'ciba']

/** For each program, what must be in none of it. */
const without: readonly (readonly [program: string, ...parts: string[]])[] = [
  [
    `export { accessToken, oauthFetch } from 'valetkey'`,
    'oauth4webapi',
    'idb-keyval',
    'dist/protocol/',
    'dist/grants/',
    'dist/session',
    'dist/token-source',
    'dist/engine/',
    'dist/stores/',
  ],
  [`export * from 'valetkey'`, 'idb-keyval', 'dist/browser/', 'dist/node/', 'dist/redis/', 'dist/postgres/', 'dist/testing/', 'node:'],
  [
    `export { clientCredentials, clientSecretBasic, oauthFetch } from 'valetkey'`,
    'dist/session.js',
    'dist/server-sign-in',
    'dist/user-session',
    'dist/grants/authorization-code',
    'dist/grants/refresh-token',
    ...ofOtherDevices,
    'identity-assertion',
  ],
  [`export { userSession } from 'valetkey'`, ...ofOtherDevices, 'identity-assertion'],
  [`export { deviceAuthorization, userSession } from 'valetkey'`, 'backchannel', 'ciba'],
  [`export { backchannelAuthentication, userSession } from 'valetkey'`, 'device-'],
  [`export { jwtBearer, tokenExchange } from 'valetkey'`, 'identity-assertion', ...ofOtherDevices],
  [
    `export * from 'valetkey/browser'`,
    'dist/grants/client-credentials',
    'dist/sources/',
    'dist/protocol/client-secret',
    'dist/protocol/private-key',
    'dist/node/',
    'dist/redis/',
    'dist/postgres/',
    'dist/testing/',
    'node:',
    'backchannel',
    'ciba',
    'identity-assertion',
  ],
  [
    `export { serveRenewals } from 'valetkey/worker'`,
    'dist/sources/',
    'dist/session.js',
    'dist/session/sign-',
    'dist/oauth-fetch',
    'dist/grants/authorization-code',
    'dist/protocol/client-secret',
    'dist/protocol/private-key',
    'dist/node/',
    'dist/testing/',
    'node:',
  ],
  [
    `export { serveCalls } from 'valetkey/worker'`,
    'dist/sources/',
    'dist/worker/serve-renewals',
    'dist/browser/renewal-',
    'dist/browser/browser-session',
    'dist/browser/isolated-session',
    'dist/browser/storage-fallback',
    'dist/browser/popup',
    'dist/protocol/client-secret',
    'dist/protocol/private-key',
    'dist/node/',
    'dist/testing/',
    'node:',
  ],
  [
    `export { isolatedSession, oauthFetch } from 'valetkey/browser'`,
    'oauth4webapi',
    'idb-keyval',
    'dist/protocol/',
    'dist/grants/',
    'dist/session',
    'dist/token-source',
    'dist/engine/',
    'dist/stores/',
    'dist/browser/browser-session',
    'node:',
  ],
  [
    `export { browserSession, oauthFetch } from 'valetkey/browser'`,
    'dist/browser/isolated-',
    'dist/browser/byte-port',
    'dist/worker/',
    ...ofOtherDevices,
  ],
  [`export * from 'valetkey/node'`, 'idb-keyval', 'dist/browser/', 'dist/redis/', 'dist/postgres/', 'dist/testing/'],
  [`export * from 'valetkey/redis'`, ...notOfAStore, 'dist/postgres/', 'node_modules/'],
  [`export * from 'valetkey/postgres'`, ...notOfAStore, 'dist/redis/', 'node_modules/'],
  [
    `export * from 'valetkey/resource-server'`,
    'idb-keyval',
    'dist/browser/',
    'dist/node/',
    'dist/grants/',
    'dist/session',
    'dist/token-source',
    'dist/engine/',
    'dist/stores/',
    'node:',
  ],
  [`export * from 'valetkey/testing'`, 'oauth4webapi', 'idb-keyval', 'dist/browser/', 'dist/protocol/', 'dist/grants/', 'node:', 'vitest'],
]

test.for(without)('%s has nothing in it that it does not need', async ([program, ...parts]) => {
  const { all } = await bundle(program)
  expect(all.length).toBeGreaterThan(0)
  for (const part of parts) expect(of(all, part), part).toEqual([])
})

test('a page loads the protocol only when an exchange is due, what renews when that is due, and what begins and ends a session when it is asked for', async () => {
  const { all, resumed } = await bundle(`export { browserSession, oauthFetch } from 'valetkey/browser'`)
  for (const part of [
    'oauth4webapi',
    'dist/protocol/',
    'dist/grants/',
    'dist/session/flows',
    'dist/session/sign-',
    'dist/session/pending-',
    'dist/session/adopt-answer',
    'dist/core/pending-codec',
    'dist/engine/renewal',
    'dist/engine/answers-in-hand',
    'dist/core/failure',
  ]) {
    expect(of(all, part), `${part}, some time`).not.toEqual([])
    expect(of(resumed, part), `${part}, with a session`).toEqual([])
  }
})

test('the first chunk of a page checks options and carries tokens: the session comes when it is asked for', async () => {
  const { first, resumed } = await bundle(`export { browserSession, oauthFetch } from 'valetkey/browser'`)
  for (const part of [
    'idb-keyval',
    'dist/engine/',
    'dist/stores/',
    'dist/session/session-',
    'dist/core/codec',
    'dist/core/decide',
    'dist/core/transitions',
    'dist/browser/indexeddb-store',
    'dist/browser/storage-fallback',
    'dist/browser/web-locks',
    'dist/browser/redirect',
  ]) {
    expect(of(resumed, part), `${part}, with a session`).not.toEqual([])
    expect(of(first, part), `${part}, at once`).toEqual([])
  }
})

test('a worker is one file: a service worker can load nothing later', async () => {
  const { all, first, code } = await bundle(`import { serveRenewals } from 'valetkey/worker'\nserveRenewals()`, 'one file')
  expect(all).toEqual(first)
  for (const part of ['oauth4webapi', 'idb-keyval', 'dist/engine/', 'dist/grants/refresh-token'])
    expect(of(all, part), part).not.toEqual([])
  expect(code.replaceAll(/^ *(\/\/|\*|\/\*).*$/gm, '')).not.toMatch(/\bimport\s*\(/)
})

test('a page loads what talks to its worker only when it names one', async () => {
  const { all, first } = await bundle(`export { browserSession, oauthFetch } from 'valetkey/browser'`)
  for (const part of ['dist/browser/renewal-', 'dist/browser/worker-registration']) {
    expect(of(all, part), `${part}, some time`).not.toEqual([])
    expect(of(first, part), `${part}, at once`).toEqual([])
  }
  expect(of(all, 'dist/worker/')).toEqual([])
})

test('a page of Bearer tokens loads nothing of DPoP', async () => {
  const { all, first } = await bundle(`export { browserSession, oauthFetch } from 'valetkey/browser'`)
  for (const part of ['dist/session/dpop', 'dist/protocol/dpop-proof', 'dist/protocol/proven-request', 'dist/browser/dpop-keys']) {
    expect(of(all, part), `${part}, some time`).not.toEqual([])
    expect(of(first, part), `${part}, at once`).toEqual([])
  }
})

test('a page loads what pushes its requests only where they are pushed, and what signs or verifies only where it names that', async () => {
  const { all, resumed } = await bundle(`export { browserSession, oauthFetch } from 'valetkey/browser'`)
  for (const part of ['dist/protocol/pushed-request', 'dist/protocol/unusual-request', 'dist/protocol/message-signing']) {
    expect(of(all, part), `${part}, some time`).not.toEqual([])
    expect(of(resumed, part), `${part}, with a session`).toEqual([])
  }
  for (const part of ['dist/protocol/signed-', 'dist/protocol/jws', 'dist/protocol/server-keys', 'dist/protocol/signing-algorithms'])
    expect(of(all, part), part).toEqual([])
})

// `first`: at once. `resumed`: until a stored session has given its token. `bearer`: in the end, of a program whose tokens are bound to no key and whose
// requests are not pushed. `all`: with both.
test.for(packageFile.size)('$program is at most $limit bytes ($loaded)', async ({ program, limit, loaded }) => {
  const { size } = await bundle(program)
  expect((await size())[loaded]).toBeLessThanOrEqual(limit)
})

test('what a program imports besides is in dependencies, and nowhere else', async () => {
  const imported = new Set<string>()
  for (const { name } of entries) {
    for (const path of of((await bundle(`export * from '${name}'`)).all, 'node_modules/'))
      imported.add(path.replace(/^.*node_modules\/((@[^/]+\/)?[^/]+)\/.*$/, '$1'))
  }
  expect([...imported].toSorted()).toEqual(Object.keys(packageFile.dependencies).toSorted())
  const text = await readFile(join(top, 'package-lock.json'), 'utf8')
  expect(text, 'addresses in package-lock.json').not.toContain('"resolved": "http')
})
