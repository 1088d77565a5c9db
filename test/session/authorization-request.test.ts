import { expect, test } from 'vitest'
import { origin, profile } from './profile.js'
import { scriptedServer } from './scripted.js'

const challenge = (request: URL) => request.searchParams.get('code_challenge')

test('A5 every authorization request has a verifier of its own, and each code is redeemed with its own', async () => {
  const server = await scriptedServer()
  const { open } = profile(server)
  const requests = [await open().leave(), await open().leave()]
  expect(new Set(requests.map(challenge)).size).toBe(2)
  // The later request's response comes first. The scripted server refuses a code that comes with another's verifier.
  for (const request of requests.toReversed()) expect(await open(server.answer(request)).session.resume()).toBe(true)
  const verifiers = server.tokenRequests().map(({ form }) => form.get('code_verifier'))
  expect(new Set(verifiers).size).toBe(2)
})

test('A6 every authorization request has a state of its own, with or without openid', async () => {
  const server = await scriptedServer()
  const { open } = profile(server)
  const states = [await open().leave(), await open().leave({ scope: ['notes:read'] })].map(
    (request) => request.searchParams.get('state') ?? '',
  )
  expect(new Set(states).size).toBe(2)
  for (const state of states) expect(state).toMatch(/^[\w-]{43}$/)
})

test('A7 where the user was, and where the application goes, is not in the authorization request', async () => {
  const server = await scriptedServer()
  const { open } = profile(server)
  const request = await open('/patients/4711?diagnosis=private').leave({ returnTo: '/patients/4711/secret-plan' })
  expect(decodeURIComponent(request.href)).not.toMatch(/4711|private|secret-plan/)
})

test('A8 a code that comes with the state of another request is refused, and neither signs anybody in', async () => {
  const server = await scriptedServer()
  const { open } = profile(server)
  const [one, two] = [server.answer(await open().leave()), server.answer(await open().leave())]
  const swapped = new URL(one)
  swapped.searchParams.set('state', two.searchParams.get('state') ?? '')
  await expect(open(swapped).session.resume()).rejects.toMatchObject({ code: 'authorization_failed', serverError: 'invalid_grant' })
  expect(await open().session.resume()).toBe(false)
  expect(server.tokenRequests()).toHaveLength(1)
})

test('A18 the issuer is stored with the request before the page is left', async () => {
  const server = await scriptedServer()
  const { open, written } = profile(server)
  const tab = open()
  let writtenWhenLeft: string | undefined
  const { navigate } = tab.page
  tab.page.navigate = (url) => {
    writtenWhenLeft = written.at(-1)
    navigate(url)
  }
  const request = await tab.leave()
  const stored = JSON.parse(writtenWhenLeft ?? '{}') as { pending: { issuer: string; clientId: string; state: string }[] }
  expect(stored.pending).toEqual([
    expect.objectContaining({ issuer: server.authorizationServer.issuer, clientId: 'page', state: request.searchParams.get('state') }),
  ])
})

test('A18 a request that cannot be stored is not sent: nobody could come back from it', async () => {
  const server = await scriptedServer()
  const broken = { get: async () => undefined, replace: async () => Promise.reject(new Error('full')) }
  const tab = profile(server).open('/', { store: broken })
  await expect(tab.session.signIn()).rejects.toMatchObject({ code: 'store_unavailable' })
  expect(tab.page.navigations).toEqual([])
})

test('A19 loading a page starts nothing, whatever its address says', async () => {
  const server = await scriptedServer()
  const { open } = profile(server)
  const tab = open('/login?prompt=none&scope=admin&login_hint=eve&returnTo=https://evil.example&client_id=evil&issuer=https://evil.example')
  expect(await tab.session.resume()).toBe(false)
  expect(tab.page.navigations).toEqual([])
  expect(server.wire.received).toEqual([])
  const request = await tab.leave()
  const { state, nonce, code_challenge, ...asked } = Object.fromEntries(request.searchParams)
  expect([state, nonce, code_challenge]).not.toContain(undefined)
  expect(asked).toMatchObject({ client_id: 'page', scope: 'openid notes:read' })
  // By chance, what is random may spell one of these.
  expect(JSON.stringify(asked)).not.toMatch(/evil|eve|admin/)
})

test.each([
  ['the address', async (response: URL) => response.href],
  ['its URL', async (response: URL) => response],
])('C8 A20 what one browser began is not completed in another, not even handed in by %s', async (_, handed) => {
  const server = await scriptedServer()
  const attacker = profile(server)
  const response = server.answer(await attacker.open().leave())
  const victim = profile(server).open(response)
  expect(await victim.session.resume()).toBe(false)
  await expect(victim.session.resume(await handed(response))).rejects.toMatchObject({ code: 'authorization_response_invalid' })
  expect(server.tokenRequests()).toEqual([])
  expect(victim.session.snapshot().status).toBe('signed_out')
})

test('A24 what a sign-in asks of the server is passed on as it is', async () => {
  const server = await scriptedServer()
  const tab = profile(server, { authorizationParameters: { access_type: 'offline' } }).open()
  const request = await tab.leave({
    prompt: 'login',
    loginHint: 'ann@example.com',
    acrValues: ['urn:mfa', 'urn:pwd'],
    maxAgeSeconds: 0,
    uiLocales: ['de', 'en'],
    authorizationParameters: { hd: 'example.com' },
  })
  expect(Object.fromEntries(request.searchParams)).toMatchObject({
    prompt: 'login',
    login_hint: 'ann@example.com',
    acr_values: 'urn:mfa urn:pwd',
    max_age: '0',
    ui_locales: 'de en',
    hd: 'example.com',
    access_type: 'offline',
  })
})

test('O1 a request for openid has a nonce of its own that cannot be guessed; one without openid has none', async () => {
  const server = await scriptedServer()
  const { open } = profile(server)
  const nonces = [await open().leave(), await open().leave(), await open().leave({ scope: ['notes:read'] })].map((request) =>
    request.searchParams.get('nonce'),
  )
  expect(nonces[0]).toMatch(/^[\w-]{43}$/)
  expect(nonces[1]).toMatch(/^[\w-]{43}$/)
  expect(nonces[1]).not.toBe(nonces[0])
  expect(nonces[2]).toBe(null)
})

test('a sign-in during a session asks for what is granted and for what is asked, each once', async () => {
  const server = await scriptedServer()
  const browser = profile(server)
  await browser.signIn({ scope: ['openid', 'notes:read'] })
  expect((await browser.open().leave({ scope: ['mail:send', 'notes:read'] })).searchParams.get('scope')).toBe('openid notes:read mail:send')
})

test('a sign-in after the end of a session asks for exactly what is asked', async () => {
  const server = await scriptedServer()
  const browser = profile(server)
  const tab = await browser.signIn({ scope: ['openid', 'notes:read', 'notes:write'] })
  await tab.session.signOut()
  expect((await browser.open().leave({ scope: ['mail:send'] })).searchParams.get('scope')).toBe('mail:send')
})

test('a session without a user agent signs nobody in, and says where that is possible', async () => {
  const server = await scriptedServer()
  const tab = profile(server).open('/', { userAgent: undefined })
  await expect(tab.session.signIn()).rejects.toMatchObject({ code: 'sign_in_required' })
  expect(tab.said()).toEqual(['sign_in_failed sign_in_required'])
  expect(tab.session.snapshot().status).not.toBe('signing_in')
  expect(server.wire.received).toEqual([])
  expect(origin).toBe(tab.page.origin())
})

test('a user who comes Back from the authorization server has cancelled, and may sign in again', async () => {
  const server = await scriptedServer()
  const tab = profile(server).open()
  const left = tab.page.left()
  const signing = tab.session.signIn()
  await left
  expect(tab.session.snapshot().status).toBe('signing_in')
  tab.page.comeBack()
  await expect(signing).rejects.toMatchObject({ code: 'cancelled' })
  expect(tab.said().at(-1)).toBe('sign_in_failed cancelled')
  expect(tab.session.snapshot().status).not.toBe('signing_in')
  await tab.leave()
})
