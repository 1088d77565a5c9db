import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type AppInChromium, type Script, startApp } from '../support/app-in-chromium.js'
import { renew } from '../support/leave-during-renewal.js'
import { sweep } from '../support/sweep.js'
import { workerScript } from '../support/worker-script.js'
import type { App } from './pages/app.js'

// The worker that renews in real Chromium, against oidc-provider, under a strict Content Security Policy with Trusted Types: what it does
// not do, and what happens where there is none.

declare const app: App

const path = '/valetkey-worker.js'
let scripts: Readonly<Record<string, Script>> = {}
let whole = ''
let here: AppInChromium
beforeAll(async () => {
  whole = await workerScript()
})
const start = async (trustedTypes: string): Promise<void> => {
  here = await startApp({ worker: path, deadlineSeconds: 3, trustedTypes, script: (asked) => scripts[asked] })
}

interface Registered {
  readonly script: string | undefined
  readonly scope: string
}

const registrations = (tab: Page): Promise<readonly Registered[]> =>
  tab.evaluate(async () =>
    (await navigator.serviceWorker.getRegistrations()).map(({ active, scope }) => ({ script: active?.scriptURL, scope })),
  )

/** What pages and workers said to each other. */
const overheard = async (): Promise<string> =>
  JSON.stringify((await here.evidence.places())['broadcasts, messages, lock names and storage events'])

const signedInStill = async (tab: Page): Promise<void> => {
  expect(await tab.evaluate(() => app.session.snapshot().status)).toBe('signed_in')
  expect(await tab.evaluate(() => app.call('/notes'))).toBe(200)
  expect(here.server.counters.grantsRevoked).toBe(0)
}

async function stopAllWorkers(tab: Page): Promise<void> {
  const browser = await here.pages.context().newCDPSession(tab)
  await browser.send('ServiceWorker.enable')
  await browser.send('ServiceWorker.stopAllWorkers')
  await browser.detach()
}

/** Notes in the worker what it says and locks. */
const listening = `
  self.heard = []
  for (const [kind, prototype, name] of [['lock', LockManager.prototype, 'request'], ['said', MessagePort.prototype, 'postMessage'],
    ['said', BroadcastChannel.prototype, 'postMessage'], ['said', Client.prototype, 'postMessage']]) {
    const method = prototype[name]
    prototype[name] = function (...parameters) {
      self.heard.push({ kind, what: JSON.stringify(parameters[0]) })
      return method.apply(this, parameters)
    }
  }
`

/** The worker of an application: answers requests and messages of its own, and takes over every page at once. */
const ofTheApplication = `
  self.addEventListener('install', () => self.skipWaiting())
  self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()))
  self.addEventListener('fetch', (event) => {
    if (new URL(event.request.url).pathname === '/from-the-worker.json') event.respondWith(new Response('"its own"'))
  })
  self.addEventListener('message', (event) => event.data === 'hello' && event.source.postMessage('hello too'))
`

describe('a page under trusted-types valetkey', () => {
  beforeAll(() => start('valetkey application'))
  afterEach(() => here.endOfTest())
  afterAll(() => here?.close())

  test('has one worker in a scope of its own, which controls no page, says no token to anyone, and locks under the page’s own name', async () => {
    scripts = { [path]: { text: await workerScript({ before: listening }) } }
    const tab = await here.signIn()
    expect(await renew(tab)).toBe('renewed')
    expect(await tab.evaluate(() => app.events.slice(-2).map(({ type }) => type))).toEqual(['renewal_started', 'renewal_finished'])
    const token = await tab.evaluate(async () => (await app.session.token()).reveal())
    const script = here.pages.origin + path
    expect(await registrations(tab)).toEqual([{ script, scope: script }])
    await tab.reload()
    await here.ready(tab)
    expect(await here.resume(tab)).toBe(true)
    expect(await tab.evaluate(() => navigator.serviceWorker.controller)).toBeNull()
    const [worker] = here.pages.context().serviceWorkers()
    const heard = (await worker?.evaluate(() => (self as unknown as { heard: { kind: string; what: string }[] }).heard)) ?? []
    const key = ['valetkey', 'session', here.server.issuer, 'page', ''].map(encodeURIComponent).join(':')
    expect(heard.filter(({ kind }) => kind === 'lock').map(({ what }) => what)).toEqual([JSON.stringify(`valetkey ${key}`)])
    expect(heard.some(({ what }) => what.includes('renewal_finished'))).toBe(true)
    const between = await overheard()
    expect(between).toContain(String.raw`{\"valetkey\":\"done\"}`)
    expect(sweep([...here.server.issued(), token], { heard, between })).toEqual([])
  })

  test('two tabs that ask at once are served by one renewal, which one began and the other adopted', async () => {
    scripts = { [path]: { text: whole } }
    const tab = await here.signIn()
    const other = await here.open()
    expect(await here.resume(other)).toBe(true)
    const before = here.server.counters.refreshes
    here.server.trouble.answerDelayMilliseconds = 300
    expect(await Promise.all([renew(tab), renew(other)])).toEqual(['renewed', 'renewed'])
    here.server.trouble.answerDelayMilliseconds = 0
    expect(here.server.counters.refreshes - before).toBe(1)
    const said = await Promise.all([tab, other].map((one) => one.evaluate(() => app.events.at(-1)?.type)))
    expect(said.toSorted()).toEqual(['renewal_adopted', 'renewal_finished'])
  })

  test('the end of a session is told once, by the page, with its reason', async () => {
    scripts = { [path]: { text: whole } }
    const tab = await here.signIn()
    here.server.revokeGrants()
    expect(await renew(tab)).toBe('sign_in_required')
    const facts = await tab.evaluate(() => app.events.map((event) => [event.type, 'reason' in event ? event.reason : ''].join(' ').trim()))
    expect(facts.slice(-3)).toEqual(['renewal_started', 'renewal_failed', 'session_ended invalid_grant'])
    // A browser prints every 400.
    here.evidence.console.length = 0
  })

  test('the application’s own service worker that has it goes on answering, is used as it is registered, and nothing else is registered', async () => {
    scripts = { [path]: { text: await workerScript({ after: ofTheApplication }) } }
    const tab = await here.open()
    await tab.evaluate(async (script) => {
      type Factory = { createPolicy(name: string, rules: object): { createScriptURL(address: string): string } }
      const { trustedTypes } = globalThis as unknown as { readonly trustedTypes: Factory }
      const policy = trustedTypes.createPolicy('application', { createScriptURL: (address: string) => address })
      const controlled = new Promise((resolve) => navigator.serviceWorker.addEventListener('controllerchange', resolve, { once: true }))
      await navigator.serviceWorker.register(policy.createScriptURL(script), { scope: '/' })
      await controlled
    }, path)
    await here.leaveAndReturn(tab)
    expect(await here.resume(tab)).toBe(true)
    expect(await renew(tab)).toBe('renewed')
    expect(await overheard()).toContain(String.raw`{\"valetkey\":\"done\"}`)
    expect(await registrations(tab)).toEqual([{ script: here.pages.origin + path, scope: `${here.pages.origin}/` }])
    expect(await tab.evaluate(async () => (await fetch('/from-the-worker.json')).json() as Promise<unknown>)).toBe('its own')
    const answer = await tab.evaluate(() => {
      const answered = new Promise((resolve) => navigator.serviceWorker.addEventListener('message', ({ data }) => resolve(data)))
      navigator.serviceWorker.startMessages()
      navigator.serviceWorker.controller?.postMessage('hello')
      return answered
    })
    expect(answer).toBe('hello too')
    await signedInStill(tab)
  })

  test.each<[string, Script]>([
    ['is missing', { status: 404, text: 'no such script' }],
    ['comes as text', { type: 'text/plain', text: 'self.addEventListener("message", () => {})' }],
    ['throws at its start', { text: 'throw new Error("broken")' }],
    ['never answers', { text: 'self.addEventListener("message", () => {})' }],
    ['answers what makes no sense', { text: 'self.onmessage = ({ ports }) => ports[0].postMessage({ valetkey: "done", error: 7 })' }],
  ])('a worker that %s leaves the renewal to the page, and nobody is signed out', async (_, script) => {
    scripts = { [path]: script }
    const tab = await here.signIn()
    const before = here.server.counters.refreshes
    expect(await renew(tab)).toBe('renewed')
    expect(here.server.counters.refreshes - before).toBe(1)
    await signedInStill(tab)
    // The browser prints what is wrong with a script.
    here.evidence.console.length = 0
  })

  test('a worker that was stopped is started again by the next renewal', async () => {
    scripts = { [path]: { text: whole } }
    const tab = await here.signIn()
    for (let time = 0; time < 2; time += 1) {
      expect(await renew(tab)).toBe('renewed')
      expect(await tab.evaluate(() => app.events.splice(0).filter(({ type }) => type === 'renewal_finished').length)).toBe(1)
      await stopAllWorkers(tab)
    }
    await signedInStill(tab)
  })

  test('a worker that dies between mark and request leaves the renewal to the page, which waits for it as long as for any sender', async () => {
    // Its token request is never sent: what it marked, nobody sends.
    const mute = `const { fetch } = self; self.fetch = (...a) => (String(a[0]).endsWith('/token') ? new Promise(() => {}) : fetch(...a))`
    scripts = { [path]: { text: await workerScript({ before: mute }) } }
    const tab = await here.signIn()
    const renewed = renew(tab)
    await tab.waitForFunction(() => app.events.some(({ type }) => type === 'renewal_started'))
    await stopAllWorkers(tab)
    expect(await renewed).toBe('renewed')
    await signedInStill(tab)
  })
})

test('under trusted-types none the page renews; the policy that it asks for is reported once, and not again by a second renewal', async () => {
  scripts = { [path]: { text: whole } }
  await start("'none'")
  const tab = await here.signIn()
  expect(await renew(tab)).toBe('renewed')
  expect(await renew(tab)).toBe('renewed')
  await signedInStill(tab)
  expect(await registrations(tab)).toEqual([])
  expect(here.evidence.violations.splice(0)).toEqual(['trusted-types trusted-types-policy'])
  here.evidence.console.length = 0
  await here.endOfTest()
  await here.close()
})
