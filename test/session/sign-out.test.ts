import { expect, test } from 'vitest'
import type { SignOutResult } from '../../src/core/session-contract.js'
import { memoryStore } from '../../src/stores/memory.js'
import { hangUp, json, silence } from '../support/fault-server.js'
import { origin, profile } from './profile.js'
import { scriptedServer } from './scripted.js'

const result = (refreshToken: SignOutResult['refreshToken'], accessTokens: SignOutResult['accessTokens']): SignOutResult => ({
  refreshToken,
  accessTokens,
  authorizationServer: 'not_asked',
})

test('X16 X18 a sign-out revokes the refresh token first, then every access token, each with its hint', async () => {
  const server = await scriptedServer()
  const browser = profile(server)
  const tab = await browser.signIn()
  await tab.session.token({ resource: 'https://mail.example/' })
  expect(await tab.session.signOut()).toEqual(result('revoked', 'revoked'))
  const requests = server.wire.to('/revoke')
  expect(requests.map(({ method, form }) => [method, form.get('token_type_hint'), form.get('client_id')])).toEqual([
    ['POST', 'refresh_token', 'page'],
    ['POST', 'access_token', 'page'],
    ['POST', 'access_token', 'page'],
  ])
  expect(server.revoked()[0]).toMatch(/^refresh-/)
  expect(new Set(server.revoked()).size).toBe(3)
})

test('X18 the tokens are gone here before the server is asked, and in the other tabs', async () => {
  const server = await scriptedServer()
  const browser = profile(server)
  const [tab, other] = [await browser.signIn(), browser.open()]
  const secrets = server.issued().filter((text) => /^(access|refresh)-/.test(text))
  let inStore: string | undefined
  server.wire.on('/revoke', (_, response) => {
    inStore ??= browser.written.at(-1)
    response.writeHead(200).end()
  })
  await other.session.resume()
  await tab.session.signOut()
  for (const secret of secrets) expect(inStore).not.toContain(secret)
  expect(inStore).toContain('signed_out')
  expect(other.session.snapshot().status).toBe('signed_in')
  await expect(other.session.token()).rejects.toMatchObject({ code: 'sign_in_required' })
  expect(other.session.snapshot()).toEqual({ status: 'signed_out', grantedScope: [], ended: 'signed_out' })
  expect(other.said()).toEqual(['session_ended signed_out'])
  expect(await browser.open().session.resume()).toBe(false)
})

test.each([
  ['is out of order', json({}, 503)],
  ['drops the connection', hangUp],
  ['refuses', json({ error: 'invalid_client' }, 401)],
])(
  'X17 X18 where the revocation endpoint %s the session is gone here all the same, and the result says that revoking failed',
  async (_, trouble) => {
    const server = await scriptedServer()
    const browser = profile(server)
    const tab = await browser.signIn()
    server.wire.on('/revoke', trouble)
    expect(await tab.session.signOut()).toEqual(result('failed', 'failed'))
    expect(tab.session.snapshot()).toEqual({ status: 'signed_out', grantedScope: [], ended: 'signed_out' })
    await expect(tab.session.token()).rejects.toMatchObject({ code: 'sign_in_required' })
    expect(browser.written.at(-1)).not.toMatch(/access-|refresh-/)
  },
)

test('X18 where the store takes no end of it the tokens are revoked all the same, and the sign-out says that they are still stored', async () => {
  const server = await scriptedServer()
  const store = memoryStore()
  const { replace } = store
  let full = false
  const browser = profile(server, {
    store: { ...store, replace: (...write) => (full ? Promise.reject(new Error('quota')) : replace(...write)) },
  })
  const tab = await browser.signIn()
  full = true
  const outcome = tab.session.signOut().catch((error: unknown) => error)
  await browser.clock.advance(20_000)
  await expect.poll(() => server.revoked().length).toBe(2)
  expect(await outcome).toMatchObject({ code: 'store_unavailable' })
})

test('X18 a server that never answers holds a sign-out up for its deadline and no longer', async () => {
  const server = await scriptedServer()
  const browser = profile(server)
  const tab = await browser.signIn()
  server.wire.on('/revoke', silence)
  const signingOut = tab.session.signOut()
  await expect.poll(() => server.wire.to('/revoke').length).toBe(1)
  expect(tab.session.snapshot().status).toBe('signed_out')
  await browser.clock.advance(10_000)
  await expect.poll(() => server.wire.to('/revoke').length).toBe(2)
  await browser.clock.advance(10_000)
  expect(await signingOut).toEqual(result('failed', 'failed'))
})

test('X18 a server that is not there at all does not hold up a sign-out', async () => {
  const server = await scriptedServer()
  const browser = profile(server)
  const tab = await browser.signIn()
  const offline: typeof fetch = async () => Promise.reject(new TypeError('Failed to fetch'))
  const same = browser.open('/', { fetch: offline })
  expect(await same.session.signOut()).toEqual(result('failed', 'failed'))
  expect(await tab.session.resume()).toBe(false)
})

test('X19 where the server cannot revoke, the sign-out is of this place only, and says so', async () => {
  const server = await scriptedServer({ revocation_endpoint: undefined })
  const tab = await profile(server).signIn()
  expect(await tab.session.signOut()).toEqual(result('not_supported', 'not_supported'))
  expect(tab.session.snapshot().status).toBe('signed_out')
})

test('X19 a server that revokes no access tokens is told apart from one that failed', async () => {
  const server = await scriptedServer()
  const tab = await profile(server).signIn()
  server.wire.on('/revoke', ({ form }, response) => {
    const refused = form.get('token_type_hint') === 'access_token'
    response
      .writeHead(refused ? 400 : 200, { 'content-type': 'application/json' })
      .end(refused ? '{"error":"unsupported_token_type"}' : '{}')
  })
  expect(await tab.session.signOut()).toEqual(result('revoked', 'not_supported'))
})

test('signing out when nobody is signed in asks the server nothing, and twice at once is as good as once', async () => {
  const server = await scriptedServer()
  const browser = profile(server)
  expect(await browser.open().session.signOut()).toEqual(result('absent', 'absent'))
  expect(server.wire.received).toEqual([])
  const tab = await browser.signIn()
  const results = await Promise.all([tab.session.signOut(), browser.open().session.signOut(), tab.session.signOut()])
  for (const { refreshToken } of results) expect(['revoked', 'absent']).toContain(refreshToken)
  expect(new Set(server.revoked()).size).toBe(2)
  expect(await tab.session.signOut()).toEqual(result('absent', 'absent'))
})

test('R15 a sign-out during a renewal: the store stays ended, and the late answer is revoked', async () => {
  const server = await scriptedServer()
  const browser = profile(server)
  const tab = await browser.signIn()
  const rejected = await tab.session.token()
  let answer = () => {}
  const asked = new Promise<void>((resolve) => {
    server.wire.on('/token', (_, response) => {
      answer = () =>
        response
          .writeHead(200, { 'content-type': 'application/json' })
          .end(JSON.stringify({ access_token: 'access-late', refresh_token: 'refresh-late', token_type: 'Bearer', expires_in: 60 }))
      resolve()
    })
  })
  const renewing = tab.session.token({ rejected })
  const outcome = renewing.catch((error: { code: string }) => error.code)
  await asked
  expect(await browser.open().session.signOut()).toMatchObject({ refreshToken: 'revoked' })
  answer()
  expect(await outcome).toBe('sign_in_required')
  await expect.poll(() => server.revoked()).toEqual(expect.arrayContaining(['refresh-late', 'access-late']))
  expect(browser.written.at(-1)).toContain('signed_out')
  expect(browser.written.join()).not.toContain('late')
  expect(tab.session.snapshot().ended).toBe('signed_out')
})

test('O22 a sign-out at the authorization server too: the page goes there with hint, client, return address and a state', async () => {
  const server = await scriptedServer()
  const tab = await profile(server).signIn()
  const idToken = server.issued().find((text) => text.startsWith('ey'))
  expect(await tab.session.signOut({ atAuthorizationServer: true, returnTo: '/bye' })).toMatchObject({ authorizationServer: 'ended' })
  const [address] = tab.page.navigations
  const url = new URL(address ?? '')
  expect(url.origin + url.pathname).toBe(server.authorizationServer['end_session_endpoint'])
  expect(Object.fromEntries(url.searchParams)).toEqual({
    id_token_hint: idToken,
    client_id: 'page',
    post_logout_redirect_uri: `${origin}/bye`,
    state: expect.stringMatching(/^[\w-]{22,}$/),
  })
  for (const secret of server.issued().filter((text) => text !== idToken)) expect(url.href).not.toContain(secret)
})

test('O22 the return is known by its state, which leaves the address and serves once', async () => {
  const server = await scriptedServer()
  const browser = profile(server)
  const tab = await browser.signIn()
  await tab.session.signOut({ atAuthorizationServer: true, returnTo: '/bye?and=thanks' })
  const back = new URL(`${origin}/bye?and=thanks`)
  back.searchParams.set('state', new URL(tab.page.navigations[0] ?? '').searchParams.get('state') ?? '')
  const returned = browser.open(back)
  expect(await returned.session.resume()).toBe(false)
  expect(returned.page.address()?.href).toBe(`${origin}/bye?and=thanks`)
  expect(returned.said()).toEqual([])
  expect(await browser.store.get('valetkey:pending')).toBe(undefined)
  const again = browser.open(back)
  expect(await again.session.resume()).toBe(false)
  expect(again.page.address()?.href).toBe(back.href)
})

test('O22 a return with a state that nobody gave away changes nothing', async () => {
  const server = await scriptedServer()
  const browser = profile(server)
  await browser.signIn()
  const forged = browser.open('/bye?state=AAAAAAAAAAAAAAAAAAAAAA')
  expect(await forged.session.resume()).toBe(true)
  expect(forged.page.replaced).toEqual([])
})

test('O22 the state of a sign-out is no state of a sign-in: a code that comes with it is not sent', async () => {
  const server = await scriptedServer()
  const browser = profile(server, { redirectUri: `${origin}/` })
  const tab = await browser.signIn()
  await tab.session.signOut({ atAuthorizationServer: true, returnTo: '/' })
  const before = server.tokenRequests().length
  const state = new URL(tab.page.navigations[0] ?? '').searchParams.get('state') ?? ''
  const forged = browser.open(`/?code=EVIL&state=${state}`)
  expect(await forged.session.resume()).toBe(false)
  expect(forged.page.address()?.href).toBe(`${origin}/`)
  expect(forged.said()).toEqual(['sign_in_failed authorization_response_invalid'])
  await expect(browser.open().session.resume(`${origin}/?code=EVIL&state=${state}`)).rejects.toMatchObject({
    code: 'authorization_response_invalid',
  })
  expect(server.tokenRequests()).toHaveLength(before)
})

test('O22 without a returnTo there is no return address and no state; without an end_session_endpoint the result says so', async () => {
  const server = await scriptedServer()
  const tab = await profile(server).signIn()
  await tab.session.signOut({ atAuthorizationServer: true })
  expect([...new URL(tab.page.navigations[0] ?? '').searchParams.keys()]).toEqual(['id_token_hint', 'client_id'])
  const without = await scriptedServer({ end_session_endpoint: undefined })
  const other = await profile(without).signIn()
  expect(await other.session.signOut({ atAuthorizationServer: true })).toMatchObject({
    authorizationServer: 'not_supported',
    refreshToken: 'revoked',
  })
  expect(other.page.navigations).toEqual([])
})

test('O23 an end_session_endpoint that is no https address is refused before anything is asked', async () => {
  const server = await scriptedServer({ end_session_endpoint: 'javascript:alert(1)' })
  expect(() => profile(server).open()).toThrow(expect.objectContaining({ code: 'invalid_configuration' }))
})
