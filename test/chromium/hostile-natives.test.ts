import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type AppInChromium, startApp } from '../support/app-in-chromium.js'
import { expectReadmeSays } from '../support/readme.js'
import type { App } from './pages/app.js'
import { type NativesSpy, spyOnNatives } from './pages/natives-spy.js'

// A script that puts functions of its own in the place of the browser's: after valetkey was loaded it sees nothing, before it everything.

declare const app: App
declare const nativesSpy: NativesSpy

/** Whoever is called here makes, keeps or carries a secret. `set` and `append` of headers are called by others too. */
const telling =
  /^(?:fetch|body|getReader|read|open|getRandomValues|randomUUID|digest|importKey|exportKey|generateKey|encrypt|decrypt|sign) /

/** The JWTs that are no access tokens: an ID token opens nothing. */
const isIdToken = (text: string): boolean => /^[\w-]+\.[\w-]+\./.test(text) && !atob(text.split('.', 1)[0] ?? '').includes('at+jwt')

describe.each([{ dpop: false }, { dpop: true }])('with dpop: $dpop', ({ dpop }) => {
  let here: AppInChromium
  beforeAll(async () => {
    here = await startApp({ dpop })
  })
  afterEach(async () => {
    const { console } = here.evidence
    console.splice(0, Infinity, ...console.filter((line) => !/^Failed to load resource: .* status of 40[01]\b/.test(line)))
    await here.endOfTest()
  })
  afterAll(() => here?.close())

  const seenIn = (tab: Page): Promise<readonly string[]> => tab.evaluate(() => nativesSpy.seen)
  const tokens = (): readonly string[] => here.server.issued().filter((text) => !isIdToken(text))
  const found = (seen: readonly string[], texts: readonly string[]): readonly string[] =>
    texts.filter((text) => seen.join('\n').includes(text))

  /** Signs in in a window of its own, so that the page is not left; resolves with the authorization request. */
  async function signInFrom(tab: Page): Promise<URLSearchParams> {
    const asked = here.pages.context().waitForEvent('request', (request) => new URL(request.url()).pathname === '/auth')
    await tab.evaluate(() => {
      app.inWindow = true
      app.leave()
    })
    await expect.poll(() => here.settled.splice(0), { timeout: 20_000 }).toEqual(['resolved'])
    return new URL((await asked).url()).searchParams
  }

  /** Each once: a request that is repeated with a nonce has it again. */
  const verifiers = (): readonly string[] => [
    ...new Set(here.tokenRequests.flatMap((request) => new URLSearchParams(request.postData() ?? '').get('code_verifier') ?? [])),
  ]

  test('attack 31 40 a script that comes after valetkey sees no token, no verifier and no use of a key', async () => {
    const tab = await here.open('/notes')
    await tab.evaluate(spyOnNatives)
    await signInFrom(tab)
    expect(await tab.evaluate(() => app.renew())).toBe('renewed')
    expect(await tab.evaluate(() => app.call('/notes', { headers: new Headers({ accept: 'application/json' }) }))).toBe(200)
    expect(await tab.evaluate(() => app.call('/notes'))).toBe(200)
    const seen = await seenIn(tab)
    expect(seen.filter((text) => telling.test(text))).toEqual([])
    expect(tokens().length).toBeGreaterThanOrEqual(4)
    expect(verifiers()).toHaveLength(1)
    expect(found(seen, [...tokens(), ...verifiers()])).toEqual([])
    // The script was there all the while: it has seen the headers that are no secret.
    expect(seen.join('\n')).toContain('application/json')
  })

  test('attack 41 what a script makes of randomness after valetkey was loaded makes nothing predictable', async () => {
    const tab = await here.open('/notes')
    await tab.evaluate(spyOnNatives)
    const requests = [await signInFrom(tab), await signInFrom(tab)]
    for (const name of ['state', 'nonce', 'code_challenge']) {
      const [one, other] = requests.map((request) => request.get(name) ?? '')
      expect(one).toMatch(/^[\w-]{43}$/)
      expect(other).not.toBe(one)
    }
    expect(verifiers()).toHaveLength(2)
    for (const verifier of verifiers()) expect(new Set(Buffer.from(verifier, 'base64url')).size).toBeGreaterThan(8)
  })

  test('attack 40 41 a script that comes before valetkey sees them all, and knows what will be random', async () => {
    const tab = await here.open('/notes', spyOnNatives)
    await signInFrom(tab)
    expect(await tab.evaluate(() => app.call('/notes', { headers: new Headers({ accept: 'application/json' }) }))).toBe(200)
    const seen = await seenIn(tab)
    expect(found(seen, tokens()).length).toBeGreaterThanOrEqual(2)
    expect(found(seen, verifiers())).toHaveLength(1)
    // One number, 32 times.
    expect(verifiers().map((verifier) => new Set(Buffer.from(verifier, 'base64url')).size)).toEqual([1])
    expectReadmeSays('A script that runs before it sees everything, so load valetkey first.')
  })

  test('attack 41 randomness that is always the same, whoever broke it, sends nobody away', async () => {
    const tab = await here.open('/notes', () => {
      Crypto.prototype.getRandomValues = <T>(array: T) => (array as Uint8Array).fill(0) as T
    })
    await tab.evaluate(() => app.leave())
    await expect.poll(() => here.settled.splice(0), { timeout: 20_000 }).toEqual(['not_supported signed_out'])
    expect(tab.url()).toBe(`${here.pages.origin}/notes`)
    expect(here.tokenRequests).toEqual([])
  })
})
