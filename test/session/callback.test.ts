import { expect, test } from 'vitest'
import { inspect } from 'node:util'
import { memoryStore } from '../../src/stores/memory.js'
import { json } from '../support/fault-server.js'
import { failure } from '../support/sign-in.js'
import { origin, profile, redirectUri } from './profile.js'
import { scriptedServer } from './scripted.js'

/** A response as the server gives it, and as it is after someone changed it. */
function changed(response: URL, change: Readonly<Record<string, string | null>>): URL {
  const url = new URL(response)
  for (const [name, value] of Object.entries(change)) {
    if (value === null) url.searchParams.delete(name)
    else url.searchParams.set(name, value)
  }
  return url
}

test('a page load that answers a sign-in finishes it', async () => {
  const server = await scriptedServer()
  const { open } = profile(server)
  const tab = open(server.answer(await open().leave()))
  expect(tab.session.snapshot()).toEqual({ status: 'unknown', grantedScope: [] })
  expect(await tab.session.resume()).toBe(true)
  expect(tab.session.snapshot()).toMatchObject({
    status: 'signed_in',
    grantedScope: ['openid', 'notes:read'],
    idTokenClaims: { sub: 'ann' },
  })
  expect(tab.said()).toEqual(['sign_in_finished'])
  expect(await open().session.resume()).toBe(true)
})

test.each<[string, Readonly<Record<string, string | null>>]>([
  ['guessed', { state: 'A'.repeat(43) }],
  ['empty', { state: '' }],
  ['another, with the error that a user would be shown', { state: 'A'.repeat(43), code: null, error: 'access_denied' }],
])('C1 a response whose state is %s is nobody’s: it leaves the address, is reported, and sends nothing', async (_, change) => {
  const server = await scriptedServer()
  const { open } = profile(server)
  const tab = open(changed(server.answer(await open().leave()), change))
  expect(await tab.session.resume()).toBe(false)
  expect(tab.page.address()?.href).toBe(redirectUri)
  expect(tab.said()).toEqual(['sign_in_failed authorization_response_invalid'])
  expect(server.wire.received).toEqual([])
})

test('C1 a response without a state is no response: the page is as it was', async () => {
  const server = await scriptedServer()
  const { open } = profile(server)
  const response = changed(server.answer(await open().leave()), { state: null, code: 'of-another-session' })
  const tab = open(response)
  expect(await tab.session.resume()).toBe(false)
  expect(tab.page.address()?.href).toBe(response.href)
  expect(tab.said()).toEqual([])
  expect(server.wire.received).toEqual([])
})

test('C2 A25 a response serves once: a reload and a replay find the session, and send nothing', async () => {
  const server = await scriptedServer()
  const { open } = profile(server)
  const response = server.answer(await open().leave())
  expect(await open(response).session.resume()).toBe(true)
  const replayed = open(response)
  expect(await replayed.session.resume()).toBe(true)
  expect(replayed.page.address()?.href).toBe(redirectUri)
  await expect(open().session.resume(response)).rejects.toMatchObject({ code: 'authorization_response_invalid' })
  expect(server.tokenRequests()).toHaveLength(1)
})

test('C2 a response is spent before its code is sent, so that a reload in between sends nothing', async () => {
  const server = await scriptedServer()
  const browser = profile(server)
  const response = server.answer(await browser.open().leave())
  server.wire.on('/token', () => {})
  void browser
    .open(response)
    .session.resume()
    .catch(() => {})
  await expect.poll(() => server.tokenRequests().length).toBe(1)
  const reloaded = browser.open(response)
  expect(await reloaded.session.resume()).toBe(false)
  expect(server.tokenRequests()).toHaveLength(1)
})

test('C2 a response that comes twice at the same moment is redeemed once', async () => {
  const server = await scriptedServer()
  const { open } = profile(server)
  const response = server.answer(await open().leave())
  const results = await Promise.all(
    Array.from({ length: 5 }, () =>
      open(response)
        .session.resume()
        .catch(() => 'rejected'),
    ),
  )
  expect(results).toContain(true)
  expect(results).not.toContain('rejected')
  expect(server.tokenRequests()).toHaveLength(1)
})

test.each<[string, (response: URL) => void]>([
  ['state', (url) => url.searchParams.append('state', 'other')],
  ['code', (url) => url.searchParams.append('code', 'other')],
  ['iss', (url) => url.searchParams.append('iss', 'https://evil.example')],
])('C3 a response with two of %s is refused, and sends nothing', async (_, spoil) => {
  const server = await scriptedServer()
  const { open } = profile(server)
  const response = server.answer(await open().leave())
  spoil(response)
  const tab = open(response)
  const result = await tab.session.resume().catch((error: { code: string }) => error.code)
  expect([false, 'authorization_response_invalid']).toContain(result)
  expect(tab.said()).toEqual(['sign_in_failed authorization_response_invalid'])
  expect(tab.page.address()?.href).toBe(redirectUri)
  expect(server.tokenRequests()).toEqual([])
})

test('C4 a response of another issuer is refused, and what it says of an error is not repeated', async () => {
  const server = await scriptedServer()
  const { open } = profile(server)
  for (const change of [
    { iss: 'https://evil.example' },
    { iss: `${server.authorizationServer.issuer}/` },
    { iss: 'https://evil.example', code: null, error: 'access_denied', error_description: 'call 0900' },
  ]) {
    const tab = open(changed(server.answer(await open().leave()), change))
    const error = await failure(tab.session.resume())
    expect(error.code).toBe('authorization_response_invalid')
    expect(error['serverError']).toBe(undefined)
  }
  expect(server.tokenRequests()).toEqual([])
})

test('C9 parameters that nobody knows change nothing, and leave the address too', async () => {
  const server = await scriptedServer()
  const { open } = profile(server)
  const tab = open(changed(server.answer(await open().leave()), { session_state: 'x', foo: 'bar' }))
  expect(await tab.session.resume()).toBe(true)
  expect(tab.page.replaced[0]).toBe(redirectUri)
})

test.each([
  '#access_token=EVIL&token_type=Bearer',
  '#id_token=EVIL',
  '#state=x&access_token=EVIL',
  '?access_token=EVIL',
  '?id_token=EVIL&token_type=Bearer',
])('C11 a token that comes in the address is not taken, and leaves it: %s', async (injected) => {
  const server = await scriptedServer()
  const { open, written } = profile(server)
  const tab = open(`/callback${injected}`)
  expect(await tab.session.resume()).toBe(false)
  expect(tab.page.address()?.href).toBe(redirectUri)
  expect(tab.said()).toEqual(['sign_in_failed authorization_response_invalid'])
  expect(written).toEqual([])
  expect(server.wire.received).toEqual([])
  await expect(tab.session.token()).rejects.toMatchObject({ code: 'sign_in_required' })
})

test.each(['access_token', 'id_token', 'token'])('C11 a response with %s beside its code is refused', async (name) => {
  const server = await scriptedServer()
  const { open } = profile(server)
  const tab = open(changed(server.answer(await open().leave()), { [name]: 'EVIL' }))
  await expect(tab.session.resume()).rejects.toMatchObject({ code: 'authorization_response_invalid' })
  expect(server.tokenRequests()).toEqual([])
})

test.each(['/callback#state=open&code=view', '/callback?token=invitation', '/callback#token=invitation', '/callback?code=SUMMER'])(
  'what the application itself has in its address stays there: %s',
  async (address) => {
    const server = await scriptedServer()
    const tab = profile(server).open(address)
    expect(await tab.session.resume()).toBe(false)
    expect(tab.page.replaced).toEqual([])
    expect(tab.said()).toEqual([])
  },
)

test('C12 code, state and iss have left the address before the token request', async () => {
  const server = await scriptedServer()
  const { open } = profile(server)
  const response = server.answer(await open('/notes?page=2#top').leave())
  const tab = open(`${response.href}#`)
  let atTokenRequest: string | undefined
  const token = json({ error: 'invalid_grant' }, 400)
  server.wire.on('/token', (request, answer) => {
    atTokenRequest = tab.page.address()?.href
    return token(request, answer)
  })
  await failure(tab.session.resume())
  expect(atTokenRequest).toBe(redirectUri)
})

test('C12 where the store cannot say whose a response is, it leaves the address all the same, and the failure is said', async () => {
  const server = await scriptedServer()
  const store = memoryStore()
  const { get } = store
  let down = false
  const { open } = profile(server, { store: { ...store, get: (key) => (down ? Promise.reject(new Error('down')) : get(key)) } })
  const response = server.answer(await open().leave())
  down = true
  for (const answer of [response, changed(response, { code: null, error: 'access_denied' })]) {
    const tab = open(answer)
    await expect(tab.session.resume()).rejects.toMatchObject({ code: 'store_unavailable' })
    expect(tab.page.address()?.href).toBe(redirectUri)
    expect(tab.said()).toContain('sign_in_failed store_unavailable')
  }
})

test('C12 then the page is where the user was, or where the application wants it', async () => {
  const server = await scriptedServer()
  const { open } = profile(server)
  const tab = open(server.answer(await open('/notes?page=2#top').leave()))
  await tab.session.resume()
  expect(tab.page.replaced).toEqual([redirectUri, `${origin}/notes?page=2#top`])
  const wanted = open(server.answer(await open('/notes').leave({ returnTo: '/mail?folder=sent' })))
  await wanted.session.resume()
  expect(wanted.page.address()?.href).toBe(`${origin}/mail?folder=sent`)
  expect(wanted.page.navigations).toEqual([])
})

test('C12 the query of a redirect URI stays in the address', async () => {
  const server = await scriptedServer()
  const { open } = profile(server, { redirectUri: `${origin}/?page=callback` })
  const tab = open(server.answer(await open('/?page=callback').leave()))
  expect(tab.page.address()?.searchParams.has('code')).toBe(true)
  expect(await tab.session.resume()).toBe(true)
  expect(tab.page.address()?.href).toBe(`${origin}/?page=callback`)
})

test('C12 a sign-in that is begun at an unfinished response does not return to it', async () => {
  const server = await scriptedServer()
  const { open } = profile(server)
  const abandoned = server.answer(await open('/notes').leave())
  const tab = open(server.answer(await open(abandoned).leave()))
  await tab.session.resume()
  expect(tab.page.address()?.href).toBe(redirectUri)
})

test.each<[string, Readonly<Record<string, string>>, string]>([
  ['denied by the user', { error: 'access_denied', error_description: 'no' }, 'access_denied'],
  ['an error of the server', { error: 'server_error' }, 'authorization_failed'],
  ['an error that is not registered', { error: 'out_of_coffee' }, 'authorization_failed'],
  ['a question that prompt=none forbids', { error: 'login_required' }, 'interaction_required'],
  ['without code and error', {}, 'authorization_response_invalid'],
  ['a code that the server does not know', { code: 'unknown' }, 'authorization_failed'],
])('C12 the address is clean after a failure too, which is told once and not again: %s', async (_, instead, code) => {
  const server = await scriptedServer()
  const { open } = profile(server)
  const tab = open(server.answer(await open('/notes').leave(), instead))
  await expect(tab.session.resume()).rejects.toMatchObject({ code })
  expect(tab.page.address()?.href).toBe(redirectUri)
  expect(tab.said()).toEqual([`sign_in_failed ${code}`])
  expect(tab.session.snapshot().status).toBe('signed_out')
  // No loop: a program that signs in again when resume() is false has its false once, after the rejection was shown.
  expect(await tab.session.resume()).toBe(false)
  expect(await open(tab.page.address()).session.resume()).toBe(false)
  expect(tab.said()).toHaveLength(1)
})

test.each([
  ['markup', '<img src=x onerror=alert(1)>'],
  ['control characters', '\u001B[31mred\u0007\r\nSet-Cookie: a=b'],
  ['text that runs backwards', '\u202Egnp.exe'],
  ['ten thousand characters', 'x'.repeat(10_000)],
])('C15 what a response says in words is nowhere repeated: %s', async (_, text) => {
  const server = await scriptedServer()
  const { open } = profile(server)
  for (const error of ['access_denied', text]) {
    const tab = open(server.answer(await open().leave(), { error, error_description: text, error_uri: `javascript:${text}` }))
    const thrown = await failure(tab.session.resume())
    const everything =
      inspect([thrown, thrown.stack, tab.events, tab.session.snapshot()], { depth: 9, showHidden: true }) + JSON.stringify(thrown)
    expect(everything).not.toContain(text)
    expect(everything).not.toContain('javascript:')
    expect(tab.page.navigations).toEqual([])
  }
})

const hostile: readonly (readonly [string, string])[] = [
  ['another origin', 'https://evil.example/'],
  ['two slashes', '//evil.example'],
  ['a backslash', '/\\evil.example'],
  ['two backslashes', '\\\\evil.example'],
  ['a tab between slashes', '/\t/evil.example'],
  ['a line break between slashes', '/\n/evil.example'],
  ['white space before two slashes', ' //evil.example'],
  ['the own host as the user', 'https://app.example@evil.example/'],
  ['a user', 'https://eve@app.example/'],
  ['a longer host', 'https://app.example.evil.example/'],
  ['a trailing dot', 'https://app.example./'],
  ['another port', 'https://app.example:8443/'],
  ['http', 'http://app.example/'],
  ['a subdomain', 'https://login.app.example/'],
  ['javascript:', 'javascript:alert(1)'],
  ['javascript: in odd letters', 'JaVaScRiPt:alert(1)'],
  ['data:', 'data:text/html,<script>alert(1)</script>'],
  ['blob: of the own origin', 'blob:https://app.example/6b1c'],
  ['filesystem: of the own origin', 'filesystem:https://app.example/t/x'],
  ['no URL at all', 'https://'],
]

test.each(hostile)('C16 returnTo goes nowhere but the own origin: %s is refused', async (_, returnTo) => {
  const server = await scriptedServer()
  const { open, written } = profile(server)
  const tab = open()
  await expect(tab.session.signIn({ returnTo })).rejects.toMatchObject({
    code: 'invalid_configuration',
    message: expect.stringContaining('`returnTo`'),
  })
  await expect(tab.session.signOut({ returnTo })).rejects.toMatchObject({ code: 'invalid_configuration' })
  expect(tab.page.navigations).toEqual([])
  expect(written).toEqual([])
})

test.each(hostile)(
  'C16 a stored returnTo that someone changed is not gone to, and the user is signed in all the same: %s',
  async (_, returnTo) => {
    const server = await scriptedServer()
    const { open, store } = profile(server)
    const response = server.answer(await open('/notes').leave())
    const held = await store.get('valetkey:pending')
    const poisoned = JSON.parse(held?.value ?? '') as { pending: { returnTo: string }[] }
    for (const one of poisoned.pending) one.returnTo = returnTo
    await store.replace('valetkey:pending', held?.version, { version: 'poisoned', value: JSON.stringify(poisoned) })
    const gone: string[] = []
    const tab = open(response, { go: (url) => gone.push(url.href) })
    expect(await tab.session.resume()).toBe(true)
    expect(gone).toEqual([])
    expect(tab.page.address()?.href).toBe(redirectUri)
  },
)

test.each([
  ['/notes', `${origin}/notes`],
  ['?page=2', `${origin}/start?page=2`],
  ['#part', `${origin}/start#part`],
  [`${origin}/x`, `${origin}/x`],
  ['/%2e%2e//evil.example', `${origin}//evil.example`],
])('C16 returnTo %s is of the own origin', async (returnTo, expected) => {
  const server = await scriptedServer()
  const { open } = profile(server)
  const gone: string[] = []
  await open(server.answer(await open('/start').leave({ returnTo })), { go: (url) => gone.push(url.href) }).session.resume()
  expect(gone).toEqual([expected])
})

test('C19 three tabs sign in at once: three successes, each code with its own verifier', async () => {
  const server = await scriptedServer()
  const { open } = profile(server)
  const requests = await Promise.all(['/one', '/two', '/three'].map((path) => open(path).leave()))
  const tabs = requests.map((request) => open(server.answer(request)))
  expect(await Promise.all(tabs.map((tab) => tab.session.resume()))).toEqual([true, true, true])
  expect(tabs.map((tab) => tab.page.address()?.pathname)).toEqual(['/one', '/two', '/three'])
  expect(server.tokenRequests()).toHaveLength(3)
  for (const tab of tabs) expect((await tab.session.token()).scope).toEqual(['openid', 'notes:read'])
})

test('C20 resume() twice at the same time is one: one token request, the same result', async () => {
  const server = await scriptedServer()
  const { open } = profile(server)
  const tab = open(server.answer(await open('/notes').leave()))
  const [first, second] = [tab.session.resume(), tab.session.resume()]
  expect(await Promise.all([first, second])).toEqual([true, true])
  expect(server.tokenRequests()).toHaveLength(1)
  expect(tab.said()).toEqual(['sign_in_finished'])
  expect(tab.page.address()?.pathname).toBe('/notes')
})

test('C20 two sessions that a page made of the same options take up a response once, and both are signed in', async () => {
  const server = await scriptedServer()
  const { open } = profile(server)
  const tab = open(server.answer(await open('/notes').leave()))
  const twin = open('/', { place: tab.page })
  expect(await Promise.all([tab.session.resume(), twin.session.resume()])).toEqual([true, true])
  expect(server.tokenRequests()).toHaveLength(1)
  expect(twin.session.snapshot().status).toBe('signed_in')
  const denied = open(server.answer(await open().leave(), { error: 'access_denied' }))
  const results = await Promise.allSettled([denied.session.resume(), open('/', { place: denied.page }).session.resume()])
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
})

test('C20 a failure is told to both who asked at the same time, and reported once', async () => {
  const server = await scriptedServer()
  const { open } = profile(server)
  const tab = open(server.answer(await open().leave(), { error: 'access_denied' }))
  const results = await Promise.allSettled([tab.session.resume(), tab.session.resume()])
  expect(results.map((result) => (result as PromiseRejectedResult).reason.code)).toEqual(['access_denied', 'access_denied'])
  expect(tab.said()).toEqual(['sign_in_failed access_denied'])
})

test('T6 a code is sent once, whatever becomes of its answer', async () => {
  for (const trouble of [
    json({}, 503),
    json({ error: 'temporarily_unavailable' }, 400),
    (_: unknown, response: { destroy(): void }) => response.destroy(),
  ]) {
    const server = await scriptedServer()
    const browser = profile(server)
    server.wire.on('/token', trouble)
    const response = server.answer(await browser.open().leave())
    const tab = browser.open(response)
    await expect(tab.session.resume()).rejects.toMatchObject({ code: expect.stringMatching(/^(network|server_unavailable)$/) })
    await browser.clock.advance(60_000)
    expect(await tab.session.resume()).toBe(false)
    expect(await browser.open(response).session.resume()).toBe(false)
    expect(server.tokenRequests()).toHaveLength(1)
  }
})

test('attack 21 a page that is prerendered takes nothing up before it is looked at', async () => {
  const server = await scriptedServer()
  const { open } = profile(server)
  const response = server.answer(await open().leave())
  const tab = open(response)
  tab.page.prerender()
  const resuming = tab.session.resume()
  await new Promise((resolve) => setImmediate(resolve))
  expect(server.wire.received).toEqual([])
  expect(tab.page.address()?.href).toBe(response.href)
  tab.page.show()
  expect(await resuming).toBe(true)
})
