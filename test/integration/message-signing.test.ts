import { randomBytes } from 'node:crypto'
import { decodeJwt } from 'jose'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type DemoAuthorizationServer, startAuthorizationServer } from '../../demo/servers/authorization-server.js'
import type { UserSessionSettings } from '../../src/core/client.js'
import { privateKeyJwt, serverSignIn, signedRequests, signedResponses, userSession } from '../../src/index.js'
import { memoryStore } from '../../src/stores/memory.js'
import { keyPair } from '../support/keys.js'
import { robot } from '../support/robot.js'
import { failure } from '../support/sign-in.js'
import { origin, profile, redirectUri } from '../session/profile.js'

// Pushed requests (RFC 9126), signed requests (RFC 9101) and signed responses (JARM) against oidc-provider, which checks each of them.

let server: DemoAuthorizationServer
let keys: CryptoKeyPair
let stranger: CryptoKeyPair
const requireNonce = { now: false }

beforeAll(async () => {
  keys = await keyPair('ES256')
  stranger = await keyPair('ES256')
  const jwks = { keys: [{ ...(await crypto.subtle.exportKey('jwk', keys.publicKey)), kid: 'own', use: 'sig', alg: 'ES256' }] }
  const confidential = { token_endpoint_auth_method: 'private_key_jwt', jwks }
  server = await startAuthorizationServer({
    automatic: { account: 'ann' },
    pushedRequests: 'required',
    messageSigning: true,
    dpop: { nonceSecret: randomBytes(32), requireNonce: () => requireNonce.now },
    clients: [
      { clientId: 'page', redirectUris: [redirectUri], postLogoutRedirectUris: [`${origin}/bye`] },
      { clientId: 'site', redirectUris: [redirectUri], metadata: confidential as never },
      {
        clientId: 'bank',
        redirectUris: [redirectUri],
        metadata: { ...confidential, require_signed_request_object: true, request_object_signing_alg: 'ES256' } as never,
      },
    ],
  })
})
beforeEach(() => {
  requireNonce.now = false
})
afterAll(async () => {
  await server.close()
  expect(server.errors).toEqual([])
})

/** Requests that the user agent made, and the path and status of those that came to the server. */
function sessionOf(clientId: string, more: Partial<UserSessionSettings> = {}) {
  const asked: URL[] = []
  const from = server.log.length
  const session = userSession({
    issuer: server.issuer,
    clientId,
    redirectUri,
    scope: ['openid', 'notes:read'],
    userAgent: robot({ redirectUri, onRequest: (url) => asked.push(url) }),
    ...(clientId === 'page' ? {} : { clientAuthentication: privateKeyJwt(keys.privateKey, { keyId: 'own' }) }),
    // A function of its own, so that no metadata is shared with another test.
    fetch: (...call) => fetch(...call),
    ...more,
  })
  const pushes = () => server.log.slice(from).flatMap(({ path, status }) => (path === '/request' ? [status] : []))
  return { session, asked, pushes }
}

test('X1 X4 X5 a page of a server that takes no other requests pushes without being told, and signs in', async () => {
  const browser = profile(server)
  const tab = await browser.signIn()
  expect(tab.session.snapshot()).toMatchObject({ status: 'signed_in', grantedScope: ['openid', 'notes:read'] })
  expect([...(await browser.open().leave()).searchParams.keys()]).toEqual(['client_id', 'request_uri'])
})

test('X3 the server takes each request_uri once, and each sign-in has its own', async () => {
  const { session, asked, pushes } = sessionOf('page')
  await session.signIn()
  await session.signIn()
  expect(pushes()).toEqual([201, 201])
  expect(new Set(asked.map(({ searchParams }) => searchParams.get('request_uri'))).size).toBe(2)
})

test('X6 a confidential client pushes with an assertion for the issuer, and one with another key is refused before anybody is sent', async () => {
  const { session, pushes } = sessionOf('site')
  await session.signIn()
  expect(pushes()).toEqual([201])
  const wrong = sessionOf('site', { clientAuthentication: privateKeyJwt(stranger.privateKey, { keyId: 'own' }) })
  expect(await failure(wrong.session.signIn())).toMatchObject({ code: 'client_refused', serverError: 'invalid_client' })
  expect(wrong.asked).toEqual([])
})

test('X1 P13 a pushed request is proven, nonce and all, and its code is bound to that key', async () => {
  requireNonce.now = true
  const { session, pushes } = sessionOf('page', { dpop: true })
  await session.signIn()
  expect(pushes()).toEqual([400, 201])
  expect((await session.token()).tokenType).toBe('DPoP')
})

test('X4 the two routes of a server, pushed', async () => {
  const signIn = serverSignIn({
    issuer: server.issuer,
    clientId: 'site',
    clientAuthentication: privateKeyJwt(keys.privateKey, { keyId: 'own' }),
    redirectUri,
    scope: ['openid', 'notes:read'],
    store: memoryStore(),
  })
  const { location, binding } = await signIn.start()
  expect([...location.searchParams.keys()]).toEqual(['client_id', 'request_uri'])
  const response = await robot({ redirectUri }).authorize(async () => location, {})
  expect((await signIn.finish(response, { binding })).account).toBe('ann')
})

describe('signed requests', () => {
  test('X8 a client that must sign its requests does, and pushes them', async () => {
    const { session, asked, pushes } = sessionOf('bank', { signedRequests: signedRequests(keys.privateKey, { keyId: 'own' }) })
    await session.signIn()
    expect(pushes()).toEqual([201])
    expect([...(asked[0]?.searchParams.keys() ?? [])]).toEqual(['client_id', 'request_uri'])
    expect(session.snapshot()).toMatchObject({ status: 'signed_in', idTokenClaims: { sub: 'ann' } })
  })

  test('X8 with bound tokens too: the key is in what is signed', async () => {
    const { session } = sessionOf('bank', { signedRequests: signedRequests(keys.privateKey), dpop: true })
    await session.signIn()
    expect((await session.token()).tokenType).toBe('DPoP')
  })

  test.for<readonly [string, () => Partial<UserSessionSettings>]>([
    ['is not signed', () => ({})],
    ['is signed with another key', () => ({ signedRequests: signedRequests(stranger.privateKey, { keyId: 'own' }) })],
  ])('X8 a request that %s is refused there, and nobody is sent', async ([, more]) => {
    const { session, asked } = sessionOf('bank', more())
    expect(await failure(session.signIn())).toMatchObject({ code: 'request_refused' })
    expect(asked).toEqual([])
  })

  test('X8 a server that takes requests in the address takes a signed one there', async () => {
    const jwks = { keys: [{ ...(await crypto.subtle.exportKey('jwk', keys.publicKey)), kid: 'own', use: 'sig', alg: 'ES256' }] }
    const other = await startAuthorizationServer({
      automatic: { account: 'ann' },
      messageSigning: true,
      clients: [{ clientId: 'tool', redirectUris: [redirectUri], metadata: { jwks, request_object_signing_alg: 'ES256' } as never }],
    })
    const asked: URL[] = []
    const session = userSession({
      issuer: other.issuer,
      clientId: 'tool',
      redirectUri,
      scope: ['openid', 'notes:read'],
      userAgent: robot({ redirectUri, onRequest: (url) => asked.push(url) }),
      signedRequests: signedRequests(keys.privateKey, { keyId: 'own' }),
      signedResponses: signedResponses(),
    })
    await session.signIn()
    expect([...(asked[0]?.searchParams.keys() ?? [])]).toEqual(['client_id', 'request'])
    expect(decodeJwt(asked[0]?.searchParams.get('request') ?? '')).toMatchObject({ response_mode: 'query.jwt', client_id: 'tool' })
    expect(session.snapshot().status).toBe('signed_in')
    await other.close()
    expect(other.errors).toEqual([])
  })
})

describe('signed responses', () => {
  test('C18 the server signs its response, and the client verifies it', async () => {
    const responses: URL[] = []
    const robots = robot({ redirectUri })
    const { session } = sessionOf('page', {
      signedResponses: signedResponses(),
      userAgent: {
        authorize: async (...parameters) => {
          const response = await robots.authorize(...parameters)
          responses.push(response)
          return response
        },
      },
    })
    await session.signIn()
    expect(responses.map(({ searchParams }) => [...searchParams.keys()])).toEqual([['response']])
    expect(decodeJwt(responses[0]?.searchParams.get('response') ?? '')).toMatchObject({ iss: server.issuer, aud: 'page' })
    expect(session.snapshot()).toMatchObject({ status: 'signed_in', idTokenClaims: { sub: 'ann' } })
  })

  test('C18 in a page too, after which its address is clean', async () => {
    const browser = profile(server, { signedResponses: signedResponses() })
    const tab = await browser.signIn()
    expect(tab.page.address()?.href).toBe(`${origin}/`)
    expect(tab.session.snapshot().status).toBe('signed_in')
  })

  test('C18 a user who says no is a signed error', async () => {
    server.automatic = { account: 'ann', deny: true }
    const { session } = sessionOf('page', { signedResponses: signedResponses() })
    expect(await failure(session.signIn())).toMatchObject({ code: 'access_denied', serverError: 'access_denied' })
    server.automatic = { account: 'ann' }
  })
})
