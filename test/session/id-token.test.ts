import { expect, test } from 'vitest'
import { profile } from './profile.js'
import { scriptedServer } from './scripted.js'

const nothing: Readonly<Record<string, undefined>> = {}

test.each<[string, Readonly<Record<string, unknown>>]>([
  ['O2 an ID token without the nonce', { nonce: undefined }],
  ['O2 an ID token with the nonce of another sign-in', { nonce: 'A'.repeat(43) }],
  ['O4 an ID token of another issuer', { iss: 'https://evil.example' }],
  ['O5 an ID token for another client', { aud: 'other' }],
  ['O10 an ID token that has expired', { exp: 1 }],
  ['O12 an ID token without a subject', { sub: undefined }],
])('%s signs nobody in', async (_, claims) => {
  const server = await scriptedServer()
  server.claims = claims
  const browser = profile(server)
  const tab = browser.open(server.answer(await browser.open().leave()))
  await expect(tab.session.resume()).rejects.toMatchObject({ code: 'id_token_invalid' })
  expect(tab.said()).toEqual(['sign_in_failed id_token_invalid'])
  expect(await tab.session.resume()).toBe(false)
  expect(tab.session.snapshot()).toEqual({ status: 'signed_out', grantedScope: [] })
})

test('O3 a token response without an ID token signs nobody in who asked for openid, and does where it was not asked for', async () => {
  const server = await scriptedServer()
  server.change = { id_token: undefined }
  const browser = profile(server)
  await expect(browser.open(server.answer(await browser.open().leave())).session.resume()).rejects.toMatchObject({
    code: 'id_token_invalid',
  })
  const tab = await browser.signIn({ scope: ['notes:read'] })
  expect(tab.session.snapshot()).toMatchObject({ status: 'signed_in', grantedScope: ['notes:read'] })
  expect(tab.session.snapshot()).not.toHaveProperty('idTokenClaims')
})

test('O14 max_age is held against auth_time', async () => {
  const server = await scriptedServer()
  const browser = profile(server)
  const now = Math.floor(Date.now() / 1_000)
  for (const [claims, expected] of [
    [nothing, 'id_token_invalid'],
    [{ auth_time: now - 3_600 }, 'id_token_invalid'],
    [{ auth_time: now }, true],
  ] as const) {
    server.claims = claims
    const tab = browser.open(server.answer(await browser.open().leave({ maxAgeSeconds: 60 })))
    expect(await tab.session.resume().catch((error: { code: string }) => error.code)).toBe(expected)
  }
})

test.each([
  ['wished for', { acrValues: ['gold'] }],
  ['essential', { authorizationParameters: { claims: '{"id_token":{"acr":{"essential":true,"values":["gold"]}}}' } }],
])('O15 what came of an acr that was %s is in the claims: which one is good enough only the program knows', async (_, how) => {
  const server = await scriptedServer()
  const browser = profile(server)
  for (const acr of ['silver', 'gold', undefined]) {
    server.claims = { acr }
    const { session } = await browser.signIn(how)
    expect(session.snapshot().status).toBe('signed_in')
    expect(session.snapshot().idTokenClaims?.['acr']).toBe(acr)
  }
})

test.each<[string, string | undefined, unknown, string | true]>([
  ['both are the server', undefined, undefined, true],
  ['the response is of another', 'https://evil.example', undefined, 'authorization_response_invalid'],
  ['the ID token is of another', undefined, 'https://evil.example', 'id_token_invalid'],
  ['both are the same other', 'https://evil.example', 'https://evil.example', 'authorization_response_invalid'],
])('O24 iss of the response and of the ID token are those of the one server: %s', async (_, response, idToken, expected) => {
  const server = await scriptedServer()
  if (idToken !== undefined) server.claims = { iss: idToken }
  const browser = profile(server)
  const address = server.answer(await browser.open().leave())
  if (response !== undefined) address.searchParams.set('iss', response)
  expect(
    await browser
      .open(address)
      .session.resume()
      .catch((error: { code: string }) => error.code),
  ).toBe(expected)
  expect(server.tokenRequests()).toHaveLength(expected === 'authorization_response_invalid' ? 0 : 1)
})

test('R16 a renewal that brings an ID token of another user ends the session as user_changed', async () => {
  const server = await scriptedServer()
  const browser = profile(server)
  const tab = await browser.signIn()
  const other = browser.open()
  await other.session.resume()
  server.claims = { sub: 'eve' }
  await expect(tab.session.token({ rejected: await tab.session.token() })).rejects.toMatchObject({ code: 'sign_in_required' })
  expect(tab.said()).toContain('session_ended user_changed')
  expect(tab.session.snapshot()).toEqual({ status: 'signed_out', grantedScope: [], ended: 'user_changed' })
  await expect(other.session.token()).rejects.toMatchObject({ code: 'sign_in_required' })
  expect(other.session.snapshot().ended).toBe('user_changed')
  expect(server.tokenRequests()).toHaveLength(2)
})

test.each<[string, Readonly<Record<string, unknown>>]>([
  ['of another issuer', { iss: 'https://evil.example' }],
  ['for another client', { aud: 'other' }],
  ['with another nonce', { nonce: 'another' }],
])('R16 a renewal that brings an ID token %s is not taken, and the tokens that are there stay in use', async (_, claims) => {
  const server = await scriptedServer()
  const browser = profile(server)
  const tab = await browser.signIn()
  const token = await tab.session.token()
  server.claims = claims
  await expect(tab.session.token({ rejected: token })).rejects.toMatchObject({ code: 'id_token_invalid' })
  expect((await tab.session.token()).reveal()).toBe(token.reveal())
  expect(tab.session.snapshot()).toMatchObject({ status: 'signed_in', idTokenClaims: { sub: 'ann' } })
})

test('R16 a renewal without an ID token keeps the claims of the sign-in', async () => {
  const server = await scriptedServer()
  const tab = await profile(server).signIn()
  const before = tab.session.snapshot().idTokenClaims
  server.change = { id_token: undefined }
  await tab.session.token({ rejected: await tab.session.token() })
  expect(tab.session.snapshot().idTokenClaims).toEqual(before)
})

test.each<[string, Readonly<Record<string, unknown>>]>([
  ['nonce', { nonce: 'another' }],
  ['auth_time', { auth_time: 1_800_000_000 }],
])('R16 the %s of the sign-in is remembered over an ID token that leaves it out', async (name, other) => {
  const server = await scriptedServer()
  server.claims = { auth_time: 1_700_000_000 }
  const tab = await profile(server).signIn()
  const before = tab.session.snapshot().idTokenClaims?.[name]
  server.claims = {}
  await tab.session.token({ rejected: await tab.session.token() })
  expect(tab.session.snapshot().idTokenClaims?.[name]).toBe(before)
  server.claims = other
  await expect(tab.session.token({ rejected: await tab.session.token() })).rejects.toMatchObject({ code: 'id_token_invalid' })
})
