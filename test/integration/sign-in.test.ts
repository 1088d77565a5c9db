import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { type DemoAuthorizationServer, startAuthorizationServer } from '../../demo/servers/authorization-server.js'
import { json } from '../support/fault-server.js'
import { origin, profile, redirectUri } from '../session/profile.js'
import { scriptedServer } from '../session/scripted.js'

// Against oidc-provider, with rotation: what a scripted server believes, this one checks.

let server: DemoAuthorizationServer

beforeAll(async () => {
  server = await startAuthorizationServer({
    automatic: { account: 'ann' },
    clients: [
      { clientId: 'page', redirectUris: [redirectUri], postLogoutRedirectUris: [`${origin}/bye`] },
      { clientId: 'other', redirectUris: [redirectUri] },
    ],
  })
})
afterEach(() => {
  server.automatic = { account: 'ann' }
  server.trouble.tokenEndpoint = 'none'
})
afterAll(async () => {
  await server.close()
  expect(server.errors).toEqual([])
  expect(server.counters.reuses).toBe(0)
})

test('a page leaves, comes back and is signed in; a reload asks the server nothing', async () => {
  server.automatic = { account: 'ann' }
  const browser = profile(server)
  const tab = await browser.signIn()
  expect(tab.session.snapshot()).toMatchObject({
    status: 'signed_in',
    grantedScope: ['openid', 'notes:read'],
    idTokenClaims: { sub: 'ann' },
  })
  const before = server.log.length
  const reloaded = browser.open(tab.page.address())
  expect(await reloaded.session.resume()).toBe(true)
  expect(server.log).toHaveLength(before)
})

test('A5 A8 PKCE is what stands in the way of a swapped code: the server refuses another request’s verifier', async () => {
  const browser = profile(server)
  const [one, two] = [await browser.follow(await browser.open().leave()), await browser.follow(await browser.open().leave())]
  const swapped = new URL(one)
  swapped.searchParams.set('state', two.searchParams.get('state') ?? '')
  await expect(browser.open(swapped).session.resume()).rejects.toMatchObject({ code: 'authorization_failed', serverError: 'invalid_grant' })
  expect(await browser.open().session.resume()).toBe(false)
})

test('C19 three tabs of one browser sign in at once: three successes, one session afterwards', async () => {
  const browser = profile(server)
  const requests = await Promise.all([browser.open('/1').leave(), browser.open('/2').leave(), browser.open('/3').leave()])
  const responses: URL[] = []
  for (const request of requests) responses.push(await browser.follow(request))
  const tabs = responses.map((response) => browser.open(response))
  expect(await Promise.all(tabs.map((tab) => tab.session.resume()))).toEqual([true, true, true])
  const tokens = await Promise.all(tabs.map((tab) => tab.session.token()))
  expect(new Set(tokens.map((token) => token.reveal())).size).toBe(1)
})

test('a user who denies consent gives access_denied once, and no loop', async () => {
  server.automatic = { account: 'ann', deny: true }
  const browser = profile(server)
  const tab = browser.open(await browser.follow(await browser.open('/notes').leave()))
  await expect(tab.session.resume()).rejects.toMatchObject({ code: 'access_denied', serverError: 'access_denied' })
  expect(await tab.session.resume()).toBe(false)
  expect(tab.page.address()?.href).toBe(redirectUri)
  expect(tab.said()).toEqual(['discovered', 'sign_in_failed access_denied'])
})

test('prompt=none where the server knows nobody gives interaction_required, and where it does it asks nobody', async () => {
  const browser = profile(server)
  const refused = browser.open(await browser.follow(await browser.open().leave({ prompt: 'none' })))
  await expect(refused.session.resume()).rejects.toMatchObject({ code: 'interaction_required', serverError: 'login_required' })
  const tab = await browser.signIn()
  const before = (await tab.session.token()).reveal()
  server.automatic = undefined
  await browser.signIn({ prompt: 'none' })
  expect((await tab.session.token()).reveal()).not.toBe(before)
})

test('T16 what the user did not grant is missing, and can be asked for again together with the rest', async () => {
  server.automatic = { account: 'ann', scope: ['notes:read'] }
  const browser = profile(server, { scope: ['openid', 'notes:read', 'notes:write'] })
  const tab = await browser.signIn()
  expect(tab.session.snapshot().grantedScope).toEqual(['openid', 'notes:read'])
  expect(tab.session.missingScope(['notes:write'])).toEqual(['notes:write'])
  expect(tab.events).toContainEqual(expect.objectContaining({ type: 'scope_narrowed', missingScope: ['notes:write'] }))
  server.automatic = { account: 'ann' }
  const stepped = await browser.signIn({ scope: ['mail:read', 'notes:write'] })
  expect([...stepped.session.snapshot().grantedScope].sort()).toEqual(['mail:read', 'notes:read', 'notes:write', 'openid'])
  await tab.session.token({ scope: ['notes:write', 'mail:read'] })
})

test.each(['drop_request', 'drop_answer', '503'] as const)('T6 a code whose answer is lost (%s) is not sent again', async (trouble) => {
  const browser = profile(server)
  const response = await browser.follow(await browser.open().leave())
  server.trouble.tokenEndpoint = trouble
  const before = server.counters.tokenRequests
  const tab = browser.open(response)
  await expect(tab.session.resume()).rejects.toMatchObject({ code: trouble === '503' ? 'server_unavailable' : 'network' })
  server.trouble.tokenEndpoint = 'none'
  expect(await tab.session.resume()).toBe(false)
  expect(await browser.open(response).session.resume()).toBe(false)
  expect(server.counters.tokenRequests - before).toBe(1)
  expect(await (await browser.signIn()).session.resume()).toBe(true)
})

test('different_user: who signs in as another leaves the session as it was, and gets nothing', async () => {
  const browser = profile(server)
  const tab = await browser.signIn()
  const token = (await tab.session.token()).reveal()
  server.automatic = { account: 'eve' }
  const elsewhere = profile(server, { store: browser.store })
  const others = elsewhere.open(await elsewhere.follow(await elsewhere.open().leave()))
  const revocations = () => server.log.filter(({ path, status }) => path === '/token/revocation' && status === 200).length
  const before = revocations()
  await expect(others.session.resume()).rejects.toMatchObject({ code: 'different_user' })
  await expect.poll(() => revocations() - before).toBe(2)
  expect((await tab.session.token()).reveal()).toBe(token)
  await tab.session.token({ rejected: await tab.session.token() })
  expect(tab.session.snapshot().idTokenClaims?.sub).toBe('ann')
})

test('D14 T7 the callback of one issuer sends nothing to the other', async () => {
  const other = await scriptedServer()
  other.wire.on('/token', json({}, 500))
  const browser = profile(server)
  const tab = browser.open(await browser.follow(await browser.open().leave()))
  const others = browser.open('/', { server: other, place: tab.page })
  expect(await Promise.all([others.session.resume(), tab.session.resume()])).toEqual([false, true])
  expect(other.wire.received).toEqual([])
})

test('X18 a sign-out revokes at the server: the refresh token is worth nothing afterwards', async () => {
  const browser = profile(server)
  const tab = await browser.signIn()
  const refreshToken = /"refreshToken":"([^"]+)"/.exec(browser.written.at(-1) ?? '')?.[1] ?? ''
  expect(await tab.session.signOut()).toEqual({ refreshToken: 'revoked', accessTokens: 'revoked', authorizationServer: 'not_asked' })
  const body = new URLSearchParams({ grant_type: 'refresh_token', client_id: 'page', refresh_token: refreshToken })
  const answer = await fetch(`${server.issuer}/token`, { method: 'POST', body })
  expect([answer.status, await answer.json()]).toEqual([400, expect.objectContaining({ error: 'invalid_grant' })])
})

test('O22 the server accepts the sign-out request, and sends the user back with its state', async () => {
  const browser = profile(server)
  const tab = await browser.signIn()
  await tab.session.signOut({ atAuthorizationServer: true, returnTo: '/bye' })
  const request = new URL(tab.page.navigations[0] ?? '')
  const answer = await fetch(request, { redirect: 'manual' })
  // A form that confirms, and no complaint about hint or address.
  expect([answer.status, /action="([^"]+)"/.exec(await answer.text())?.[1]]).toEqual([200, `${server.issuer}/session/end/confirm`])
})

test('the session ends once for all, with its reason, when the server revokes its grant', async () => {
  const browser = profile(server)
  const tab = await browser.signIn()
  const other = browser.open()
  await other.session.resume()
  server.revokeGrants()
  await expect(tab.session.token({ rejected: await tab.session.token() })).rejects.toMatchObject({ code: 'sign_in_required' })
  await expect(other.session.token()).rejects.toMatchObject({ code: 'sign_in_required' })
  expect([tab, other].map((one) => one.session.snapshot().ended)).toEqual(['invalid_grant', 'invalid_grant'])
  expect(other.said()).toEqual(['session_ended invalid_grant'])
})
