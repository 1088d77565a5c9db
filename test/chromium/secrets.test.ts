import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type AppInChromium, startApp } from '../support/app-in-chromium.js'
import { isolatedScript } from '../support/isolated-script.js'
import { printedInPage } from '../support/printed-in-page.js'
import type { IsolatedApp } from './pages/isolated.js'

// What a page shows of the library's objects, in a browser's own console and wherever else a program may print them.

declare const app: IsolatedApp

let here: AppInChromium

/** All that was issued, but the codes, which every page sees in its address, and the ID token, of which the page has the claims. */
const tokens = (): readonly string[] => here.server.issued().filter((text) => !here.codes.has(text))

afterEach(async () => {
  here.evidence.console.length = 0
  await here.endOfTest()
})
afterAll(() => here?.close())

describe.each([{ dpop: false }, { dpop: true }])('a session of a page with dpop: $dpop', ({ dpop }) => {
  beforeAll(async () => {
    await here?.close()
    here = await startApp({ dpop, bundleEntry: new URL('./pages/printing.ts', import.meta.url) })
  })

  test('attack 27 29 35 no object of the library shows a token, however it is printed', async () => {
    const tab = await here.signIn()
    const printed = await printedInPage(tab, 'printing.things()')
    // It was opened: what is no secret is there.
    for (const text of ['[redacted]', 'notes:read', 'scope_not_granted', 'sign_in_finished']) expect(printed).toContain(text)
    expect(tokens().length).toBeGreaterThan(4)
    expect(tokens().filter((text) => printed.includes(text))).toEqual([])
    expect(printed).not.toContain(btoa('7'.repeat(32)))
  })
})

describe('an isolated session', () => {
  beforeAll(async () => {
    await here?.close()
    const script = await isolatedScript()
    here = await startApp({
      bundleEntry: new URL('./pages/isolated.ts', import.meta.url),
      script: (path) => (path === '/tokens.js' ? { text: script } : undefined),
      otherApi: 'https://api.example',
      trustedTypes: 'application',
      addressIsSaid: true,
    })
  })

  test('attack 27 29 35 no object of the library shows a token, however it is printed', async () => {
    const tab = await here.signIn()
    expect(await tab.evaluate(() => app.call(`${app.origins.api}/notes`))).toBe(200)
    const thrown = 'await app.session.token().catch((error) => error)'
    const printed = await printedInPage(tab, `(async () => ({ ...app, thrown: ${thrown}, snapshot: app.session.snapshot() }))()`)
    for (const text of ['token_isolated', 'notes:read']) expect(printed).toContain(text)
    expect(tokens().length).toBeGreaterThan(1)
    expect(tokens().filter((text) => printed.includes(text))).toEqual([])
  })

  test('what is there to be seen is found, however deep', async () => {
    const tab = await here.open()
    for (const thing of [
      `{ deep: [new Map([['key', { token: 'planted' }]])] }`,
      `Object.assign(() => {}, { token: 'planted' })`,
      `new Error('of a program', { cause: { token: 'planted' } })`,
      `{ toJSON: () => ['plan', 'ted'].join('') }`,
      `Promise.resolve({ token: 'planted' })`,
    ])
      expect(await printedInPage(tab, `{ thing: ${thing} }`)).toContain('planted')
  })
})
