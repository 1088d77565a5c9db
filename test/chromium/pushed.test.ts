import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type AppInChromium, startApp } from '../support/app-in-chromium.js'
import { isolatedScript } from '../support/isolated-script.js'
import type { App } from './pages/app.js'

// A server that takes pushed requests only (RFC 9126), and signs its responses for who asks (JARM): real Chromium, oidc-provider. Every test ends with
// the sweep.

declare const app: App

/** What went to the authorization endpoint and to that of pushes, in this test. */
const asked: URL[] = []
const pushed: URLSearchParams[] = []
beforeEach(() => {
  asked.length = 0
  pushed.length = 0
})

function watch(here: AppInChromium): AppInChromium {
  here.pages.context().on('request', (request) => {
    const url = new URL(request.url())
    if (url.href.startsWith(`${here.server.issuer}/auth?`)) asked.push(url)
    if (url.href === `${here.server.issuer}/request` && request.method() === 'POST')
      pushed.push(new URLSearchParams(request.postData() ?? ''))
  })
  return here
}

const names = (urls: readonly URL[]) => urls.map(({ searchParams }) => [...searchParams.keys()])

describe('a page', () => {
  let here: AppInChromium
  beforeAll(async () => {
    here = watch(await startApp({ server: { pushedRequests: 'required' }, popupBlocker: true }))
  })
  afterEach(() => here.endOfTest())
  afterAll(() => here?.close())

  test('X1 X4 X5 X7 leaves by redirect with client_id and request_uri only, comes back and is signed in', async () => {
    const tab = await here.signIn('/notes')
    expect(names(asked)).toEqual([['client_id', 'request_uri']])
    expect(Object.fromEntries(pushed[0] ?? [])).toMatchObject({
      client_id: 'page',
      response_type: 'code',
      redirect_uri: `${here.pages.origin}/callback`,
      code_challenge_method: 'S256',
      state: expect.stringMatching(/^[\w-]{43}$/) as string,
      nonce: expect.stringMatching(/^[\w-]{43}$/) as string,
    })
    expect(new URL(tab.url()).pathname).toBe('/notes')
    expect(await tab.evaluate(() => app.call('/notes'))).toBe(200)
  })

  test('X3 pushes anew for each sign-in', async () => {
    const tab = await here.signIn()
    await here.leaveAndReturn(tab)
    expect(await here.resume(tab)).toBe(true)
    expect(pushed).toHaveLength(2)
    expect(new Set(asked.map(({ searchParams }) => searchParams.get('request_uri'))).size).toBe(2)
  })

  test('X4 signs in in a window, which is known by the state that its address does not show', async () => {
    const tab = await here.open()
    const opened = here.pages.context().waitForEvent('page')
    await tab.evaluate(() => {
      app.inWindow = true
      app.leave()
    })
    await opened
    await expect.poll(() => here.settled.splice(0), { timeout: 20_000 }).toEqual(['resolved'])
    expect(names(asked)).toEqual([['client_id', 'request_uri']])
    expect(await tab.evaluate(() => app.call('/notes'))).toBe(200)
  })

  test('X2 stays where the push is refused, and says why', async () => {
    const tab = await here.open('/notes')
    await tab.route(`${here.server.issuer}/request`, (route) =>
      route.fulfill({ status: 503, headers: { 'access-control-allow-origin': '*' } }),
    )
    expect(await tab.evaluate(() => app.outcome((session) => session.signIn()))).toBe('server_unavailable')
    expect(new URL(tab.url()).pathname).toBe('/notes')
    expect(asked).toEqual([])
    here.evidence.console.splice(0)
  })
})

test('X4 X5 a worker that keeps the tokens pushes, and its page leaves with client_id and request_uri only', async () => {
  const script = await isolatedScript()
  const here = watch(
    await startApp({
      bundleEntry: new URL('./pages/isolated.ts', import.meta.url),
      script: (path) => (path === '/tokens.js' ? { text: script } : undefined),
      trustedTypes: 'application',
      server: { pushedRequests: 'required' },
      otherApi: 'http://127.0.0.1:1',
      addressIsSaid: true,
    }),
  )
  try {
    const tab = await here.signIn()
    expect(names(asked)).toEqual([['client_id', 'request_uri']])
    expect(pushed).toHaveLength(1)
    expect(await tab.evaluate(() => app.session.snapshot().status)).toBe('signed_in')
    await here.endOfTest()
  } finally {
    await here.close()
  }
})

test('X1 P13 with bound tokens the push is proven, nonce and all', async () => {
  const here = watch(await startApp({ dpop: true, server: { pushedRequests: 'required' } }))
  try {
    const tab = await here.signIn()
    expect(pushed).toHaveLength(2)
    expect(await tab.evaluate(() => app.outcome((session) => session.token().then(({ tokenType }) => tokenType)))).toBe('DPoP')
    here.evidence.console.splice(0)
    await here.endOfTest()
  } finally {
    await here.close()
  }
})

test('C18 C12 a page that asked for a signed response takes it out of the address, verifies it, and is signed in', async () => {
  const here = watch(await startApp({ signedResponses: true, server: { messageSigning: true } }))
  try {
    const tab = await here.leaveAndReturn(await here.open('/notes'))
    expect([...new URL(tab.url()).searchParams.keys()]).toEqual(['response'])
    expect(await here.resume(tab)).toBe(true)
    expect(tab.url()).toBe(`${here.pages.origin}/notes`)
    expect(asked.map(({ searchParams }) => searchParams.get('response_mode'))).toEqual(['query.jwt'])
    const again = await here.leaveAndReturn(tab)
    const forged = new URL(again.url())
    forged.searchParams.set('response', `${forged.searchParams.get('response')?.slice(0, -4)}AAAA`)
    await again.goto(forged.href)
    await here.ready(again)
    expect(await here.resume(again)).toBe('authorization_response_invalid')
    expect(again.url()).toBe(`${here.pages.origin}/callback`)
    expect(here.tokenRequests).toHaveLength(1)
    await here.endOfTest()
  } finally {
    await here.close()
  }
})
