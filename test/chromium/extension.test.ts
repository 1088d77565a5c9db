import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { type BrowserContext, type Worker, chromium } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type DemoApi, startApi } from '../../demo/servers/api.js'
import { type DemoAuthorizationServer, startAuthorizationServer } from '../../demo/servers/authorization-server.js'
import { findBrowser, launchArgs } from '../set-up/browser.mjs'
import type { Background } from './extension/background.js'

// An extension in real Chromium, whose service worker signs its user in and calls the API.

declare const begin: (issuer: string, api: string) => Background

let folder: string
let context: BrowserContext
let worker: Worker
let server: DemoAuthorizationServer
let api: DemoApi

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'valetkey-'))
  const extension = join(folder, 'extension')
  await mkdir(extension)
  await build({
    entryPoints: [fileURLToPath(new URL('extension/background.ts', import.meta.url))],
    bundle: true,
    format: 'esm',
    target: 'es2022',
    outfile: join(extension, 'background.js'),
    logLevel: 'silent',
  })
  await writeFile(
    join(extension, 'manifest.json'),
    JSON.stringify({
      manifest_version: 3,
      name: 'notes',
      version: '1',
      background: { service_worker: 'background.js', type: 'module' },
      permissions: ['identity'],
      host_permissions: ['http://127.0.0.1/*'],
    }),
  )
  context = await chromium.launchPersistentContext(join(folder, 'profile'), {
    executablePath: await findBrowser(),
    headless: true,
    args: [
      ...launchArgs,
      `--disable-extensions-except=${extension}`,
      `--load-extension=${extension}`,
      '--disable-features=DisableLoadExtensionCommandLineSwitch',
    ],
    ignoreDefaultArgs: ['--disable-extensions'],
  })
  worker = context.serviceWorkers()[0] ?? (await context.waitForEvent('serviceworker'))
  const { host } = new URL(worker.url())
  server = await startAuthorizationServer({
    clients: [{ clientId: 'extension', redirectUris: [`https://${host}.chromiumapp.org/`] }],
    origins: [`chrome-extension://${host}`],
    automatic: { account: 'ann' },
  })
  api = await startApi({ issuer: server.issuer, resourceServer: server.resourceServer, origins: [`chrome-extension://${host}`] })
})
afterAll(async () => {
  await context?.close()
  await Promise.all([api?.close(), server?.close()])
  await rm(folder, { recursive: true, force: true, maxRetries: 3 })
})

test('the worker is one file that imports nothing', async () => {
  const text = await readFile(join(folder, 'extension', 'background.js'), 'utf8')
  expect(text).not.toMatch(/\bimport\s*\(|^\s*import\b/m)
})

test('an extension’s service worker signs its user in with a user agent of its own, calls the API, renews, and has the session when it is started anew', async () => {
  const at = [server.issuer, api.origin] as const
  const first = await worker.evaluate(async ([issuer, origin]) => {
    const { session, call, events } = begin(issuer, origin)
    const before = await session.resume()
    await session.signIn()
    const status = await call('/notes')
    await session.token({ rejected: await session.token() })
    return [typeof window, before, session.snapshot().idTokenClaims?.sub, status, await call('/notes'), events.map(({ type }) => type)]
  }, at)
  expect(first).toEqual([
    'undefined',
    false,
    'ann',
    200,
    200,
    expect.arrayContaining(['sign_in_started', 'sign_in_finished', 'renewal_started', 'renewal_finished', 'token_attached']),
  ])
  // As after an end of the worker: nothing of it is in memory.
  const next = await worker.evaluate(async ([issuer, origin]) => {
    const { session, call } = begin(issuer, origin)
    return [await session.resume(), await call('/notes'), await session.signOut(), session.snapshot().ended]
  }, at)
  expect(next).toEqual([true, 200, expect.objectContaining({ refreshToken: 'revoked' }), 'signed_out'])
  expect(server.counters.reuses).toBe(0)
  expect(server.errors).toEqual([])
})
