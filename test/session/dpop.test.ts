import { describe, expect, test } from 'vitest'
import type { Store, UserAgent } from '../../src/core/ports.js'
import type { UserSessionSettings } from '../../src/core/client.js'
import { clientSecretPost } from '../../src/protocol/client-secret.js'
import { privateKeyJwt } from '../../src/protocol/private-key-jwt.js'
import { clientCredentials } from '../../src/sources/client-credentials.js'
import { memoryStore } from '../../src/stores/memory.js'
import { manualClock } from '../../src/testing/manual-clock.js'
import { userSession } from '../../src/user-session.js'
import { metadata } from '../support/client.js'
import { inTurn, nonceError, proofsTo, readProof, tokens } from '../support/dpop.js'
import { type FaultServer, faultServer, json, stall, status } from '../support/fault-server.js'
import { keyPair } from '../support/keys.js'
import { expectNothingFound } from '../support/sweep.js'

// Bound sessions against a server that is scripted: each proof is read by jose.

const redirectUri = 'https://app.example/callback'

/** A user agent whose user says yes; what was asked is remembered. */
function yes(): UserAgent & { readonly asked: URL[] } {
  const asked: URL[] = []
  return {
    asked,
    async authorize(request) {
      const url = await request(redirectUri)
      asked.push(url)
      return new URL(`${redirectUri}?code=c&state=${url.searchParams.get('state')}`)
    },
  }
}

type More = Partial<UserSessionSettings> & { readonly metadata?: Readonly<Record<string, unknown>> }

function bound(server: FaultServer, { metadata: more, ...options }: More = {}) {
  const userAgent = yes()
  const clock = manualClock(Date.now())
  const store = options.store ?? memoryStore()
  const session = userSession({
    authorizationServer: metadata(server.origin, more),
    clientId: 'tool',
    scope: ['notes:read'],
    dpop: true,
    redirectUri,
    userAgent,
    store,
    clock,
    ...options,
  })
  return { session, userAgent, clock, store }
}

/** A sign-in whose user is at the authorization server, and the response that will come back. */
async function left(server: FaultServer, store: Store): Promise<{ readonly response: URL; readonly jkt: string | null }> {
  const { searchParams } = await new Promise<URL>((resolve) => {
    const authorize: UserAgent['authorize'] = async (request) => {
      resolve(await request(redirectUri))
      return new Promise(() => {})
    }
    void bound(server, { store, userAgent: { authorize } })
      .session.signIn()
      .catch(() => {})
  })
  return { response: new URL(`${redirectUri}?code=c&state=${searchParams.get('state')}`), jkt: searchParams.get('dpop_jkt') }
}

const keyName = (server: FaultServer, ...more: readonly string[]) =>
  ['valetkey', 'dpop', server.origin, 'tool', ...more].map(encodeURIComponent).join(':')

async function forget(store: Store, key: string): Promise<void> {
  const held = await store.get(key)
  expect(held).toBeDefined()
  expect(await store.replace(key, held?.version, undefined)).toBe(true)
}

const code = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'resolved',
    (error: { code?: unknown }) => error.code,
  )

describe('the nonce of a token endpoint', () => {
  test('P5 is answered with one more request', async () => {
    const server = await faultServer({ '/token': inTurn(nonceError('n1'), tokens()) })
    await bound(server).session.signIn()
    const [first, second] = await proofsTo(server, '/token')
    expect([first?.claims['nonce'], second?.claims['nonce']]).toEqual([undefined, 'n1'])
    expect(first?.claims.jti).not.toBe(second?.claims.jti)
    expect(server.to('/token').map(({ form }) => form.get('code'))).toEqual(['c', 'c'])
  })

  test('P5 that changes with every answer is followed once (attack 66)', async () => {
    let count = 0
    const server = await faultServer({ '/token': (request, response) => nonceError(`n${(count += 1)}`)(request, response) })
    await expect(bound(server).session.signIn()).rejects.toMatchObject({ code: 'request_refused', serverError: 'use_dpop_nonce' })
    expect(server.to('/token')).toHaveLength(2)
  })

  test('P6 is the newest that came, also with a success', async () => {
    const server = await faultServer({ '/token': inTurn(tokens({}, { 'dpop-nonce': 'n1' }), tokens({}, { 'dpop-nonce': 'n2' }), tokens()) })
    const { session } = bound(server)
    await session.signIn()
    await session.token({ rejected: await session.token() })
    await session.token({ rejected: await session.token() })
    expect((await proofsTo(server, '/token')).map(({ claims }) => claims['nonce'])).toEqual([undefined, 'n1', 'n2'])
  })

  test.each([
    ['empty', ''],
    ['with a space', 'a b'],
    ['with a quote', 'a"b'],
    ['with a backslash', 'a\\b'],
    ['not ASCII', 'é'],
    ['too long', 'n'.repeat(1_025)],
  ])('P8 that is none goes into no proof and no store: %s', async (_, nonce) => {
    const server = await faultServer({ '/token': nonceError(nonce) })
    const { session, store } = bound(server)
    await expect(session.signIn()).rejects.toMatchObject({ code: 'dpop_nonce_unreadable', serverError: 'use_dpop_nonce' })
    expect(server.to('/token')).toHaveLength(1)
    expect(await store.get(keyName(server, 'nonces'))).toBeUndefined()
  })

  test('P15 that cannot be read is an error that says which header is missing', async () => {
    const server = await faultServer({ '/token': nonceError() })
    await expect(bound(server).session.signIn()).rejects.toThrow(/Access-Control-Expose-Headers: DPoP-Nonce/)
  })

  test('P15 a renewal that meets it keeps the session, and waits', async () => {
    const server = await faultServer({ '/token': inTurn(tokens(), nonceError()) })
    const { session, clock } = bound(server)
    await session.signIn()
    await clock.advance(61_000)
    for (let time = 0; time < 2; time += 1) {
      await expect(session.token()).rejects.toMatchObject({ code: 'dpop_nonce_unreadable', message: /Access-Control-Expose-Headers/ })
    }
    expect(session.snapshot().status).toBe('signed_in')
    expect(server.to('/token')).toHaveLength(2)
  })

  test('P5 a refresh token is sent once more with it, and a client assertion is made anew', async () => {
    const server = await faultServer({ '/token': inTurn(tokens(), nonceError('n1'), tokens()) })
    const { session } = bound(server, { clientAuthentication: privateKeyJwt((await keyPair('ES256')).privateKey) })
    await session.signIn()
    await session.token({ rejected: await session.token() })
    const [, second, third] = server.to('/token')
    expect(third?.form.get('refresh_token')).toBe(second?.form.get('refresh_token'))
    expect(third?.form.get('client_assertion')).not.toBe(second?.form.get('client_assertion'))
  })

  test('P5 a refresh token is not sent once more by one who slept: others may have sent it meanwhile', async () => {
    const slept: { clock?: ReturnType<typeof manualClock> } = {}
    const server = await faultServer({
      '/token': inTurn(tokens(), async (request, response) => {
        await slept.clock?.advance(2_001)
        await nonceError('n1')(request, response)
      }),
    })
    const { session, clock } = bound(server)
    slept.clock = clock
    await session.signIn()
    await expect(session.token({ rejected: await session.token() })).rejects.toMatchObject({ code: 'request_refused' })
    expect(server.to('/token')).toHaveLength(2)
    expect(session.snapshot().status).toBe('signed_in')
  })

  test.each([
    ['503', status(503, { 'dpop-nonce': 'n1' })],
    ['HTML', json('<html>', 400, { 'content-type': 'text/html', 'dpop-nonce': 'n1' })],
    ['invalid_grant', json({ error: 'invalid_grant' }, 400, { 'dpop-nonce': 'n1' })],
    ['invalid_dpop_proof, with a clock that agrees', json({ error: 'invalid_dpop_proof' }, 400, { 'dpop-nonce': 'n1' })],
  ])('P5 nothing is sent again after an answer that asks for none: %s', async (_, route) => {
    const server = await faultServer({ '/token': inTurn(tokens(), route) })
    const { session } = bound(server)
    await session.signIn()
    await session.token({ rejected: await session.token() }).catch(() => {})
    expect(server.to('/token')).toHaveLength(2)
  })
})

test('P7 authorization server and API on one origin have nonces of their own (attack 67)', async () => {
  const server = await faultServer({
    '/token': tokens({}, { 'dpop-nonce': 'of-the-token-endpoint' }),
    '/notes': json([], 200, { 'dpop-nonce': 'of-the-api' }),
  })
  const { session } = bound(server)
  await session.signIn()
  const { oauthFetch } = await import('../../src/oauth-fetch.js')
  const api = oauthFetch(session, { resources: [`${server.origin}/`] })
  await api(`${server.origin}/notes`)
  await api(`${server.origin}/notes`)
  await session.token({ rejected: await session.token() })
  expect((await proofsTo(server, '/notes')).map(({ claims }) => claims['nonce'])).toEqual([undefined, 'of-the-api'])
  expect((await proofsTo(server, '/token')).map(({ claims }) => claims['nonce'])).toEqual([undefined, 'of-the-token-endpoint'])
})

describe('what is not bound', () => {
  test.each(['Bearer', 'bEARER'])('P11 T14 a %s answer is refused, and nothing of it is stored (attack 60)', async (token_type) => {
    const server = await faultServer({
      '/token': tokens({ token_type, access_token: 'downgraded-access', refresh_token: 'downgraded-refresh' }),
    })
    const { session, store } = bound(server)
    expect(await code(session.signIn())).toBe('token_response_invalid')
    expect(await session.resume()).toBe(false)
    const held = await Promise.all(
      ['session', 'dpop'].map((kind) => store.get(['valetkey', kind, server.origin, 'tool', ''].map(encodeURIComponent).join(':'))),
    )
    expectNothingFound(['downgraded-access', 'downgraded-refresh'], { held })
  })

  test('T14 a renewal that is answered with Bearer hands out nothing of it', async () => {
    const server = await faultServer({ '/token': inTurn(tokens(), tokens({ token_type: 'Bearer', access_token: 'downgraded' })) })
    const { session, clock } = bound(server)
    await session.signIn()
    await clock.advance(61_000)
    expect(await code(session.token())).toBe('token_response_invalid')
  })

  test('T15 a DPoP answer to a client that wants Bearer is refused', async () => {
    const server = await faultServer({ '/token': tokens() })
    expect(await code(bound(server, { dpop: false }).session.signIn())).toBe('token_response_invalid')
    expect(server.to('/token')[0]?.headers['dpop']).toBeUndefined()
  })

  test('T14 a Bearer session that is in the store is made a bound one by the next renewal; its token is not handed out', async () => {
    const server = await faultServer({ '/token': inTurn(tokens({ token_type: 'Bearer', access_token: 'unbound' }), tokens()) })
    const store = memoryStore()
    await bound(server, { dpop: false, store }).session.signIn()
    const token = await bound(server, { store }).session.token()
    expect([token.tokenType, token.reveal()]).toEqual(['DPoP', expect.stringMatching(/^access-/)])
  })

  test('T15 a bound session serves no client that proves nothing, and outlives it', async () => {
    const server = await faultServer({ '/token': tokens() })
    const store = memoryStore()
    await bound(server, { store }).session.signIn()
    expect(await code(bound(server, { dpop: false, store }).session.token())).toBe('sign_in_required')
    expect((await bound(server, { store }).session.token()).tokenType).toBe('DPoP')
    expect(server.to('/token')).toHaveLength(1)
  })
})

describe('the key', () => {
  test('P12 that is lost ends the session with its reason: nothing is sent, and no other takes its place', async () => {
    const server = await faultServer({ '/token': tokens() })
    const store = memoryStore()
    await bound(server, { store }).session.signIn()
    await forget(store, keyName(server, 'ES256'))
    const events: unknown[] = []
    // Another process: what the first one holds in memory is no help.
    const later = bound(server, { store: otherProcess(store), observe: (event) => events.push(event) })
    expect(await code(later.session.token())).toBe('dpop_key_lost')
    expect(await later.session.resume()).toBe(false)
    expect(later.session.snapshot()).toMatchObject({ status: 'signed_out', ended: 'key_lost' })
    expect(events).toMatchObject([{ type: 'session_ended', reason: 'key_lost' }])
    expect(server.to('/token')).toHaveLength(1)
    expect(await store.get(keyName(server, 'ES256'))).toBeUndefined()
    // A sign-in is bound to a new one.
    await later.session.signIn()
    expect((await later.session.token()).tokenType).toBe('DPoP')
  })

  test('P12 that is lost ends nothing in the application’s own right: a new token is bound to a new one', async () => {
    const server = await faultServer({ '/token': tokens() })
    const store = memoryStore()
    const job = () =>
      clientCredentials({
        authorizationServer: metadata(server.origin),
        clientId: 'tool',
        clientAuthentication: clientSecretPost('a-secret'),
        dpop: true,
        store: otherProcess(store),
      })
    await job().token()
    expect(await job().token()).toMatchObject({ tokenType: 'DPoP' })
    expect(server.to('/token')).toHaveLength(1)
    await forget(store, keyName(server, 'ES256'))
    expect(await job().token()).toMatchObject({ tokenType: 'DPoP' })
    const [first, second] = await proofsTo(server, '/token')
    expect(second?.key).not.toBe(first?.key)
  })

  test('P12 that cannot be reached is not lost', async () => {
    const server = await faultServer({ '/token': tokens() })
    const store = memoryStore()
    await bound(server, { store }).session.signIn()
    let reachable = false
    const failing: Store = {
      get: (key) => (key.startsWith('valetkey:dpop') && !reachable ? Promise.reject(new Error('no connection')) : store.get(key)),
      replace: (...write) => store.replace(...write),
    }
    const { session } = bound(server, { store: failing })
    expect(await code(session.token())).toBe('store_unavailable')
    reachable = true
    expect(await code(session.token())).toBe('resolved')
  })

  test('P12 that is lost between request and response ends the sign-in, and the code is not sent', async () => {
    const server = await faultServer({ '/token': tokens() })
    const store = memoryStore()
    const { response } = await left(server, store)
    await forget(store, keyName(server, 'ES256'))
    expect(await code(bound(server, { store: otherProcess(store) }).session.resume(response))).toBe('dpop_key_lost')
    expect(server.to('/token')).toEqual([])
  })

  test('P13 R12 is named in the authorization request, and proves it is there at each token request', async () => {
    const server = await faultServer({ '/token': tokens() })
    const { session, userAgent } = bound(server)
    await session.signIn()
    await session.token({ rejected: await session.token() })
    const keys = (await proofsTo(server, '/token')).map(({ key }) => key)
    expect(new Set([...keys, userAgent.asked[0]?.searchParams.get('dpop_jkt')]).size).toBe(1)
    expect(keys).toHaveLength(2)
  })

  test('R12 P12 is the same at each renewal, whatever the server has come to prefer since', async () => {
    const server = await faultServer({ '/token': tokens() })
    const store = memoryStore()
    await bound(server, { store }).session.signIn()
    const later = bound(server, { store: otherProcess(store), metadata: { dpop_signing_alg_values_supported: ['EdDSA'] } })
    await later.session.token({ rejected: await later.session.token() })
    const proofs = await proofsTo(server, '/token')
    expect(proofs.map(({ header }) => header['alg'])).toEqual(['ES256', 'ES256'])
    expect(new Set(proofs.map(({ key }) => key)).size).toBe(1)
  })

  test('P13 is that of the authorization request when its code is redeemed', async () => {
    const server = await faultServer({ '/token': tokens() })
    const store = memoryStore()
    const { response, jkt } = await left(server, store)
    await bound(server, { store, metadata: { dpop_signing_alg_values_supported: ['EdDSA'] } }).session.resume(response)
    expect((await proofsTo(server, '/token')).map(({ key }) => key)).toEqual([jkt])
  })

  test('P13 without dpop no key is named, none is made, and nothing is proven', async () => {
    const server = await faultServer({ '/token': tokens({ token_type: 'Bearer' }) })
    const { session, userAgent, store } = bound(server, { dpop: false })
    await session.signIn()
    expect(userAgent.asked[0]?.searchParams.has('dpop_jkt')).toBe(false)
    expect(server.to('/token')[0]?.headers['dpop']).toBeUndefined()
    expect(await store.get(keyName(server, 'ES256'))).toBeUndefined()
  })

  test('P17 is another for each issuer and each client', async () => {
    const [one, two] = [await faultServer({ '/token': tokens() }), await faultServer({ '/token': tokens() })]
    const store = memoryStore()
    await bound(one, { store }).session.signIn()
    await bound(two, { store }).session.signIn()
    await bound(one, { store, clientId: 'other' }).session.signIn()
    const keys = [...(await proofsTo(one, '/token')), ...(await proofsTo(two, '/token'))].map(({ key }) => key)
    expect(new Set(keys).size).toBe(3)
  })

  test('two who make it at the same time have the same', async () => {
    const server = await faultServer({ '/token': tokens() })
    const store = memoryStore()
    await Promise.all(
      Array.from({ length: 5 }, (_, index) => bound(server, { store: otherProcess(store), account: `${index}` }).session.signIn()),
    )
    expect(new Set((await proofsTo(server, '/token')).map(({ key }) => key)).size).toBe(1)
  })

  test.each([
    [undefined, 'ES256'],
    [['ES384', 'Ed25519', 'ES256'], 'ES256'],
    [['ES384', 'Ed25519'], 'Ed25519'],
    [['EdDSA'], 'EdDSA'],
  ])('P14 is for an algorithm that the server knows: %s', async (dpop_signing_alg_values_supported, alg) => {
    const server = await faultServer({ '/token': tokens() })
    await bound(server, { metadata: { dpop_signing_alg_values_supported } }).session.signIn()
    expect((await readProof(server.to('/token')[0]?.headers['dpop'])).header['alg']).toBe(alg)
  })

  test('P14 a server that knows none of ours is told so, before anybody leaves for it', async () => {
    const server = await faultServer({ '/token': tokens() })
    const { session, userAgent } = bound(server, { metadata: { dpop_signing_alg_values_supported: ['ES384', 'RS256'] } })
    await expect(session.signIn()).rejects.toMatchObject({ code: 'not_supported', message: /ES256, Ed25519, EdDSA/ })
    expect(userAgent.asked).toEqual([])
  })

  test('nothing of it, of proofs and of nonces is in an error, an event or a token', async () => {
    const server = await faultServer({ '/token': inTurn(nonceError('nonce-that-is-looked-for'), tokens(), nonceError()) })
    const events: unknown[] = []
    const { session, store, clock } = bound(server, { observe: (event) => events.push(event) })
    await session.signIn()
    const token = await session.token()
    await clock.advance(61_000)
    const error = await session.token().catch((thrown: unknown) => thrown)
    const text = (await store.get(keyName(server, 'ES256')))?.value ?? ''
    const { jwk } = JSON.parse(text) as { jwk: string }
    const { d } = JSON.parse(jwk) as { d: string }
    const proofs = server.to('/token').map(({ headers }) => String(headers['dpop']))
    expectNothingFound([d, 'nonce-that-is-looked-for', ...proofs], { error, events, token, session, snapshot: session.snapshot() })
  })
})

/** The same store as another process has it: no object is shared. */
function otherProcess(store: Store): Store {
  return { get: (key) => store.get(key), replace: (key, seen, next) => store.replace(key, seen, next) }
}

test('P16 a clock that is off is corrected by the server’s Date, for the API too, which says nothing of its own', async () => {
  const now = Date.now()
  const ahead = new Date(now + 600_000).toUTCString()
  const server = await faultServer({
    '/token': inTurn(json({ error: 'invalid_dpop_proof' }, 400, { date: ahead }), tokens({}, { date: ahead })),
  })
  const { session } = bound(server, { clock: manualClock(now) })
  await session.signIn()
  const [first, second] = await proofsTo(server, '/token')
  expect((second?.claims.iat ?? 0) - (first?.claims.iat ?? 0)).toBeGreaterThan(590)
  const { dpop } = await (await session.token()).headersFor('GET', 'https://api.example/notes')
  expect((await readProof(dpop)).claims.iat).toBe(second?.claims.iat)
})

describe('headersFor', () => {
  test('P4 P2 gives other carriers the token and a proof for one call', async () => {
    const server = await faultServer({ '/token': tokens({ access_token: 'carried-token' }) })
    const { session } = bound(server)
    await session.signIn()
    const token = await session.token()
    const headers = await token.headersFor('POST', 'https://api.example/rpc?q=1#f')
    expect(headers['authorization']).toBe('DPoP carried-token')
    expect((await readProof(headers['dpop'])).claims).toMatchObject({ htm: 'POST', htu: 'https://api.example/rpc' })
    expect((await token.headersFor('POST', new URL('https://api.example/rpc')))['dpop']).not.toBe(headers['dpop'])
  })

  test.each([
    ['no whole URL', 'GET', '/notes'],
    ['no URL of a server', 'GET', 'blob:https://api.example/1'],
    ['no method', 'GET /', 'https://api.example/'],
  ])('refuses what cannot be proven: %s', async (_, method, url) => {
    const server = await faultServer({ '/token': tokens() })
    const { session } = bound(server)
    await session.signIn()
    await expect((await session.token()).headersFor(method, url)).rejects.toMatchObject({ code: 'invalid_configuration' })
  })
})

test('R7 a renewal with a proof that gets no answer is a doubt as any other', async () => {
  const server = await faultServer({ '/token': inTurn(tokens(), stall) })
  const { session, clock } = bound(server)
  await session.signIn()
  const rejected = await session.token()
  const waiting = code(session.token({ rejected }))
  await expect.poll(() => server.to('/token').length).toBe(2)
  await clock.advance(10_001)
  expect(await waiting).toBe('timed_out')
})
