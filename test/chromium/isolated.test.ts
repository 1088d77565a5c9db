import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { type AppInChromium, startApp } from '../support/app-in-chromium.js'
import { type EchoApi, startEchoApi } from '../support/echo-api.js'
import { isolatedScript } from '../support/isolated-script.js'
import type { IsolatedApp } from './pages/isolated.js'

// A session whose tokens stay in a worker, in real Chromium, against oidc-provider, under a strict Content Security Policy with Trusted Types. Every
// test ends with the sweep: what the page keeps, hears and says has no token in it.

declare const app: IsolatedApp

let here: AppInChromium
let echo: EchoApi
let whole = ''
let script = ''
beforeAll(async () => {
  whole = await isolatedScript()
  echo = await startEchoApi()
  here = await startApp({
    bundleEntry: new URL('./pages/isolated.ts', import.meta.url),
    script: (path) => (path === '/tokens.js' ? { text: script } : undefined),
    otherApi: echo.origin,
    trustedTypes: 'application',
    addressIsSaid: true,
    exposesGarbageCollection: true,
  })
})
beforeEach(() => {
  script = whole
  echo.calls.length = 0
})
afterEach(() => here.endOfTest())
afterAll(async () => {
  await here?.close()
  await echo?.close()
})

const refreshes = (): number => here.server.counters.refreshes
const snapshot = (tab: Page) => tab.evaluate(() => ({ ...app.session.snapshot() }))

/** The names of all that is in IndexedDB. */
const kept = (tab: Page): Promise<readonly string[]> =>
  tab.evaluate(async () => {
    const settled = <T>(request: IDBRequest<T>) =>
      new Promise<T>((onsuccess, onerror) => Object.assign(request, { onsuccess: () => onsuccess(request.result), onerror }))
    const open = await settled(indexedDB.open('valetkey'))
    const keys = await settled(open.transaction('records').objectStore('records').getAllKeys())
    open.close()
    return keys.map(String).toSorted()
  })

test('signs in by redirect, calls the API, and gives no token to the page', async () => {
  const tab = await here.open('/start')
  expect(await here.resume(tab)).toBe(false)
  expect(await snapshot(tab)).toEqual({ status: 'signed_out', grantedScope: [] })
  await here.leaveAndReturn(tab)
  expect(await kept(tab)).toEqual(['record valetkey:pending', 'sealing key'])
  expect(await here.resume(tab)).toBe(true)
  expect(await kept(tab)).toEqual(['sealing key'])
  expect(tab.url()).toBe(`${here.pages.origin}/start`)
  expect(await snapshot(tab)).toMatchObject({ status: 'signed_in', grantedScope: ['openid', 'notes:read'], idTokenClaims: { sub: 'ann' } })
  expect(await tab.evaluate(() => app.session.snapshot() === app.session.snapshot())).toBe(true)
  expect(await tab.evaluate(() => app.session.missingScope(['notes:read', 'notes:write']))).toEqual(['notes:write'])
  expect(await tab.evaluate(() => app.call(`${app.origins.api}/notes`))).toBe(200)
  expect(await tab.evaluate(() => app.outcome((session) => session.token()))).toBe('token_isolated')
})

test('a session of the page itself, of the same client, leaves the response to the worker’s', async () => {
  const tab = await here.leaveAndReturn(await here.open())
  expect(await tab.evaluate(() => app.resumeInPage())).toBe(false)
  expect(here.tokenRequests).toEqual([])
  expect(await here.resume(tab)).toBe(true)
  expect(await tab.evaluate(() => app.resumeInPage())).toBe(false)
})

test('a reload and another tab have no session; prompt: none brings them one without asking', async () => {
  const tab = await here.signIn()
  const other = await here.open()
  expect(await here.resume(other)).toBe(false)
  expect(await other.evaluate(() => app.call(`${app.origins.api}/notes`))).toBe('sign_in_required')
  await tab.reload()
  await here.ready(tab)
  expect(await here.resume(tab)).toBe(false)
  for (const one of [tab, other]) {
    await here.leaveAndReturn(one, { prompt: 'none' })
    expect(await here.resume(one)).toBe(true)
    expect(await one.evaluate(() => app.call(`${app.origins.api}/notes`))).toBe(200)
  }
  await tab.reload()
  await here.ready(tab)
  here.server.automatic = undefined
  await here.pages.context().clearCookies()
  await here.leaveAndReturn(tab, { prompt: 'none' })
  expect(await here.resume(tab)).toBe('interaction_required')
})

test('two resumes at once, as StrictMode makes them, redeem the code once; the response has left the address before it is redeemed', async () => {
  const tab = await here.leaveAndReturn(await here.open())
  const addresses: string[] = []
  await tab.route(`${here.server.issuer}/token`, (route) => {
    addresses.push(tab.url())
    return route.continue()
  })
  expect(await tab.evaluate(() => Promise.all([app.session.resume(), app.session.resume()]))).toEqual([true, true])
  expect(here.tokenRequests.length).toBe(1)
  expect(addresses.map((address) => new URL(address).search)).toEqual([''])
})

test('a 401 is met by one renewal for all who are refused, and by one retry of a body that can be sent again', async () => {
  const tab = await here.signIn()
  echo.refuseNext = true
  const before = refreshes()
  const statuses = await tab.evaluate(async () => {
    const once = () => app.call(`${app.origins.otherApi}/notes`, { method: 'POST', body: 'text' })
    return [await once(), ...(await Promise.all([once(), once(), once()]))]
  })
  expect(statuses).toEqual([201, 201, 201, 201])
  expect(refreshes() - before).toBe(1)
  expect(echo.calls.slice(0, 2).map((call) => call.body().toString())).toEqual(['text', 'text'])
})

test('a stream goes up part by part, and a 401 of it comes back as it is', async () => {
  const tab = await here.signIn()
  await tab.evaluate(() => {
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
    const writer = writable.getWriter()
    const sent = app.api(`${app.origins.otherApi}/up`, { method: 'POST', body: readable, duplex: 'half' } as RequestInit)
    Object.assign(globalThis, { writer, sent })
  })
  const write = (part: string) =>
    tab.evaluate(
      (text) => void (globalThis as unknown as { writer: WritableStreamDefaultWriter }).writer.write(new TextEncoder().encode(text)),
      part,
    )
  const came = () => echo.calls[0]?.body().toString()
  await write('one')
  await expect.poll(came).toBe('one')
  await write('two')
  await expect.poll(came).toBe('onetwo')
  const text = await tab.evaluate(async () => {
    const { writer, sent } = globalThis as unknown as { writer: WritableStreamDefaultWriter; sent: Promise<Response> }
    await writer.close()
    return (await sent).text()
  })
  expect(text).toBe('onetwo')
  echo.refuseNext = true
  const before = refreshes()
  const refused = await tab.evaluate(() => {
    const body = new Blob(['text']).stream()
    return app.call(`${app.origins.otherApi}/up`, { method: 'POST', body, duplex: 'half' } as RequestInit)
  })
  expect([refused, refreshes() - before]).toEqual([401, 0])
})

test('a stream comes down part by part, and ends at the API when it is cancelled', async () => {
  const tab = await here.signIn()
  const read = () =>
    tab.evaluate(async () => {
      const { value } = await (globalThis as unknown as { reader: ReadableStreamDefaultReader<Uint8Array> }).reader.read()
      return new TextDecoder().decode(value)
    })
  await tab.evaluate(async () => {
    const response = await app.api(`${app.origins.otherApi}/drip`)
    Object.assign(globalThis, { reader: response.body?.getReader() })
  })
  expect(await read()).toBe('first ')
  echo.drip('second ')
  expect(await read()).toBe('second ')
  expect(echo.calls[0]?.isOver).toBe(false)
  await tab.evaluate(() => (globalThis as unknown as { reader: ReadableStreamDefaultReader }).reader.cancel())
  await expect.poll(() => echo.calls[0]?.isOver).toBe(true)
})

test('a body comes whole while what nobody holds is collected, and one that nobody can read any more ends at the API', async () => {
  const tab = await here.signIn()
  await tab.evaluate(() => {
    const { gc } = globalThis as unknown as { gc(how?: { type: 'minor' }): void }
    const collecting = setInterval(() => gc({ type: 'minor' }))
    const text = app.api(`${app.origins.otherApi}/drip`).then((response) => response.text())
    Object.assign(globalThis, { text: text.finally(() => clearInterval(collecting)) })
  })
  const parts = Array.from({ length: 20 }, (_, index) => `${index} `)
  await expect.poll(() => echo.calls.length).toBe(1)
  for (const part of [...parts, '']) {
    echo.drip(part)
    await tab.evaluate(() => new Promise((resolve) => setTimeout(resolve)))
  }
  expect(await tab.evaluate(() => (globalThis as unknown as { text: Promise<string> }).text)).toBe(`first ${parts.join('')}`)
  await tab.evaluate(async () => void (await app.api(`${app.origins.otherApi}/drip`)))
  await expect
    .poll(async () => {
      await tab.evaluate(() => (globalThis as unknown as { gc(): void }).gc())
      return echo.calls[1]?.isOver
    })
    .toBe(true)
})

test('an abort ends the call at the API, before an answer and in its body, and rejects with its reason', async () => {
  const tab = await here.signIn()
  const [isolated, plain] = await tab.evaluate(async () => {
    const url = `${app.origins.otherApi}/drip`
    const reasons = async (call: typeof fetch) => {
      const inBody = new AbortController()
      const response = await call(url, { signal: inBody.signal })
      const reader = (await call(url, { signal: inBody.signal })).body?.getReader()
      const [text, read] = [response.text(), reader?.read().then(() => reader.read())].map((one) => one?.catch((error: unknown) => error))
      inBody.abort('enough')
      const before = await call(new Request(url, { signal: AbortSignal.abort('before') })).catch((error: unknown) => error)
      const early = new AbortController()
      const atOnce = call(url, { signal: early.signal }).catch((error: unknown) => (error as Error).name)
      early.abort()
      return [await text, await read, before, await atOnce]
    }
    return [await reasons(app.api), await reasons(fetch)]
  })
  expect(isolated).toEqual(['enough', 'enough', 'before', 'AbortError'])
  expect(isolated).toEqual(plain)
  await expect.poll(() => echo.calls.every(({ isOver }) => isOver)).toBe(true)
})

test('a body of 200 KB, a form, HEAD, 204, a 404 and a clone are as fetch has them', async () => {
  const tab = await here.signIn()
  const seen = await tab.evaluate(async () => {
    const { api, origins } = app
    const url = `${origins.otherApi}/echo`
    const big = new Uint8Array(200_000).fill(7)
    const bytes = new Uint8Array(await (await api(url, { method: 'PUT', body: big })).arrayBuffer())
    const form = new FormData()
    form.set('a', 'b')
    const echoed = await (await api(new Request(url, { method: 'POST', body: form, headers: { 'x-own': 'kept' } }))).formData()
    const head = await api(url, { method: 'HEAD' })
    const empty = await api(`${origins.otherApi}/empty`, { method: 'DELETE' })
    const missing = await api(`${origins.api}/notes/none`)
    const request = new Request(url, { method: 'POST', body: 'text' })
    const copy = (await api(request)).clone()
    return {
      big: [bytes.length, bytes.every((one) => one === 7), big.length],
      form: echoed.get('a'),
      head: [head.status, await head.text(), head.url === url, head.headers.get('x-answer'), head.type, head.ok],
      empty: [empty.status, empty.body, empty.headers.get('x-answer')],
      missing: [missing.status, missing.ok, await missing.json()],
      clone: [request.bodyUsed, copy.url === url, copy.type, copy.redirected, await copy.text()],
    }
  })
  expect(seen).toEqual({
    big: [200_000, true, 200_000],
    form: 'b',
    head: [201, '', true, 'echo', 'cors', true],
    empty: [204, null, 'empty'],
    missing: [404, false, { error: 'not_found' }],
    clone: [true, true, 'cors', false, 'text'],
  })
  expect(echo.calls.find(({ own }) => own === 'kept')?.contentType).toContain('multipart/form-data; boundary=')
  expect(echo.calls.every(({ token }) => token !== undefined)).toBe(true)
})

test('what fetch refuses is refused as fetch does, a redirect by its name, and a header of the page’s own in the place of the token', async () => {
  const tab = await here.signIn()
  const failures = await tab.evaluate(async () => {
    const { call, origins } = app
    const url = `${origins.otherApi}/echo`
    const manual = await app.api(`${origins.otherApi}/redirect`, { redirect: 'manual' })
    return [
      await call(`${origins.otherApi}/redirect`),
      [manual.type, manual.status, manual.ok],
      await call(url, { method: 'GET', body: 'text' }),
      await call(url, { method: 'CONNECT' }),
      await call(url, { mode: 'same-origin' }),
      await call(url, { headers: { authorization: 'Bearer of-the-page' } }),
      await call(url, { headers: [['DPoP', 'of-the-page']] }),
    ]
  })
  expect(failures).toEqual([
    'redirect_refused',
    ['opaqueredirect', 0, false],
    'TypeError',
    'TypeError',
    'TypeError',
    'invalid_configuration',
    'invalid_configuration',
  ])
  expect(echo.calls.map(({ path }) => path)).not.toContain('/elsewhere')
})

test('the worker calls its own resources only, whatever the page names', async () => {
  const tab = await here.signIn()
  // The page names all of the API, the worker its notes.
  expect(await tab.evaluate(() => app.call(`${app.origins.api}/mail`))).toBe('resource_not_listed')
  expect(await tab.evaluate(() => app.call(`${location.origin}/config.json`))).toBe('resource_not_listed')
  expect(here.api.log.map(({ path }) => path)).not.toContain('/mail')
})

test('a sign-out revokes, and a page that comes back from the server is known; no ID token is in the address', async () => {
  const tab = await here.signIn()
  expect(await tab.evaluate(() => app.outcome((session) => session.signOut()))).toEqual({
    refreshToken: 'revoked',
    accessTokens: 'revoked',
    authorizationServer: 'not_asked',
  })
  expect(await snapshot(tab)).toEqual({ status: 'signed_out', grantedScope: [], ended: 'signed_out' })
  expect(await tab.evaluate(() => app.call(`${app.origins.api}/notes`))).toBe('sign_in_required')
  await here.leaveAndReturn(tab)
  expect(await here.resume(tab)).toBe(true)
  const [asked] = await Promise.all([
    tab.waitForRequest((request) => request.url().startsWith(`${here.server.issuer}/session/end`)),
    tab.evaluate(() => void app.outcome((session) => session.signOut({ atAuthorizationServer: true, returnTo: '/bye' }))),
  ])
  const { searchParams } = new URL(asked.url())
  expect([...searchParams.keys()].toSorted()).toEqual(['client_id', 'post_logout_redirect_uri', 'state'])
  await tab.waitForURL((url) => url.pathname === '/bye')
  await here.ready(tab)
  expect(await here.resume(tab)).toBe(false)
  expect(tab.url()).toBe(`${here.pages.origin}/bye`)
})

test('when the worker is gone, what waits and what comes is rejected with sign_in_required, and the page sees that it is signed out', async () => {
  const tab = await here.signIn()
  const outcomes = await tab.evaluate(async () => {
    const { api, call, origins, outcome, session, worker } = app
    const told = new Promise((resolve) => session.subscribe(() => resolve(session.snapshot().status)))
    const url = `${origins.otherApi}/drip`
    const body = (await api(url)).text().catch((error: unknown) => (error as Error).name)
    const text = new ReadableStream()
    const waiting = call(`${origins.otherApi}/echo`, { method: 'POST', body: text, duplex: 'half' } as RequestInit)
    worker.terminate()
    return [
      await told,
      await body,
      await waiting,
      await call(url),
      await outcome((one) => one.signIn()),
      await outcome((one) => one.resume()),
    ]
  })
  expect(outcomes).toEqual(['signed_out', 'TypeError', 'sign_in_required', 'sign_in_required', 'sign_in_required', false])
})

test('a wrong option of the worker reaches the first call of the page, and a script that cannot be had is no worker', async () => {
  script = await isolatedScript({ options: { resources: ['http://api.example/'] } })
  const tab = await here.open()
  expect(await here.resume(tab)).toBe('invalid_configuration')
  expect(await tab.evaluate(() => app.call(`${app.origins.api}/notes`))).toBe('invalid_configuration')
  expect(await tab.evaluate(() => app.thrown.join())).toContain('`resources` has http://api.example/')
  script = 'throw new Error("broken")'
  await tab.reload()
  await here.ready(tab)
  expect(await here.resume(tab)).toBe('sign_in_required')
  // The browser prints what is wrong with a script.
  here.evidence.console.length = 0
})
