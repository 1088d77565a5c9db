import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { type AppInChromium, startApp } from '../support/app-in-chromium.js'
import { readProof } from '../support/dpop.js'
import { renew } from '../support/leave-during-renewal.js'
import { workerScript } from '../support/worker-script.js'
import type { App } from './pages/app.js'

// Bound tokens that a worker renews, in real Chromium against oidc-provider that wants nonces: page and worker prove one key.

declare const app: App

const path = '/valetkey-worker.js'

/** Notes in the worker what it proves to the token endpoint. */
const noting = `
  self.proofs = []
  const { fetch } = self
  self.fetch = (...parameters) => {
    const { url, headers } = new Request(...parameters)
    if (url.endsWith('/token')) self.proofs.push(headers.get('dpop'))
    return fetch(...parameters)
  }
`

let script = ''
let here: AppInChromium
beforeAll(async () => {
  script = await workerScript({ before: noting })
  here = await startApp({
    dpop: true,
    worker: path,
    trustedTypes: 'valetkey',
    script: (asked) => (asked === path ? { text: script } : undefined),
  })
})
afterEach(async () => {
  // The browser writes down each refusal, that of a nonce too.
  const { console } = here.evidence
  console.splice(0, Infinity, ...console.filter((line) => !/^Failed to load resource: .* status of 400\b/.test(line)))
  await here.endOfTest()
})
afterAll(() => here?.close())

const noted = async (): Promise<readonly string[]> =>
  (await here.pages
    .context()
    .serviceWorkers()
    .at(-1)
    ?.evaluate(() => (self as unknown as { proofs: string[] }).proofs)) ?? []

test('P13 R12 a worker renews bound tokens with the key that the page was given them for, and with the nonce that the page has learnt', async () => {
  const tab = await here.signIn()
  expect(await tab.evaluate(() => app.call('/notes'))).toBe(200)
  const key = here.api.log.at(-1)?.boundTo
  const byPage = await Promise.all(here.tokenRequests.map((request) => readProof(request.headers()['dpop'])))
  expect(new Set(byPage.map((proof) => proof.key))).toEqual(new Set([key]))
  const renewals = here.server.counters.refreshes
  for (let time = 0; time < 2; time += 1) {
    expect(await renew(tab)).toBe('renewed')
    expect(await tab.evaluate(() => app.call('/notes'))).toBe(200)
    expect(here.api.log.at(-1)?.boundTo).toBe(key)
  }
  const byWorker = await Promise.all((await noted()).map(readProof))
  expect(byWorker.map((proof) => proof.key)).toEqual([key, key])
  expect(byWorker.every(({ claims }) => typeof claims['nonce'] === 'string')).toBe(true)
  expect(here.server.counters.refreshes - renewals).toBe(2)
})

test('a worker that is bundled into one file loads nothing later, which a service worker cannot', () => {
  expect(script).toContain('DPoP')
  expect(script).not.toMatch(/\bimport\s*\(/)
})
