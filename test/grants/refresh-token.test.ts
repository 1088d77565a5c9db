import { describe, expect, test } from 'vitest'
import { prepareRenewal } from '../../src/grants/refresh-token.js'
import { manualClock } from '../../src/testing/manual-clock.js'
import { metadata, testClient } from '../support/client.js'
import { type Route, faultServer, flood, json } from '../support/fault-server.js'
import { claimsFor, jwt } from '../support/id-token.js'
import { expectNoMarker, marker } from '../support/marker.js'
import { recordOf, refreshToken, renewal } from '../support/renewal.js'
import { failure } from '../support/sign-in.js'

const tokens = { access_token: `at-${marker}`, token_type: 'Bearer', refresh_token: `rt2-${marker}` }

async function serverAnd(route: Route = json(tokens), more: Readonly<Record<string, unknown>> = {}) {
  const server = await faultServer({ '/token': route })
  return { server, client: testClient({ authorizationServer: metadata(server.origin), ...more }) }
}

describe('the request', () => {
  test('R1 it is the refresh token grant, with the client’s own authentication and further parameters', async () => {
    const { server, client } = await serverAnd(undefined, { tokenParameters: { tenant: 'mine' } })
    const outcome = await renewal(client)
    expect(Object.fromEntries(server.received[0]?.form ?? [])).toEqual({
      grant_type: 'refresh_token',
      refresh_token: refreshToken,
      client_id: 'app',
      tenant: 'mine',
    })
    expect(outcome.ok && outcome.answer.refreshToken?.reveal()).toBe(tokens.refresh_token)
  })

  test('R1 scope, resource and audience are sent when the target has them', async () => {
    const { server, client } = await serverAnd()
    await renewal(client, { scope: ['notes:read'], resource: 'https://api.example/', audience: 'api' })
    expect(Object.fromEntries(server.received[0]?.form ?? [])).toMatchObject({
      scope: 'notes:read',
      resource: 'https://api.example/',
      audience: 'api',
    })
  })

  test('R2 a scope that was not granted is refused here, and nothing is sent', async () => {
    const { server, client } = await serverAnd()
    expect(await failure(renewal(client, { scope: ['notes:read', 'admin'] }))).toMatchObject({
      code: 'scope_not_granted',
      missingScope: ['admin'],
    })
    expect(server.received).toEqual([])
  })

  test('R2 a server that names the same scope differently is asked', async () => {
    const { server, client } = await serverAnd(undefined, { serverQuirks: ['scope_named_differently'] })
    await renewal(client, { scope: ['api://notes/read'] })
    expect(server.received[0]?.form.get('scope')).toBe('api://notes/read')
  })

  test('without a refresh token there is nothing to prepare', async () => {
    const { client } = await serverAnd()
    expect(await failure(renewal(client, {}, { refreshToken: undefined } as object))).toMatchObject({ code: 'sign_in_required' })
  })

  test('a server without a token endpoint is not_supported', async () => {
    const client = testClient({ authorizationServer: { issuer: 'https://as.example' } })
    expect(await failure(renewal(client))).toMatchObject({ code: 'not_supported' })
  })
})

describe('prepare and send', () => {
  /** A fetch that says when it was called, and answers when it is told to. */
  function watched() {
    const calls: string[] = []
    let answer: (response: Response) => void = () => {}
    let signal: AbortSignal | null | undefined
    const fetch = ((url: string, init?: RequestInit) => {
      calls.push(url)
      signal = init?.signal
      return new Promise<Response>((resolve) => {
        answer = resolve
      })
    }) as typeof globalThis.fetch
    return { calls, fetch, answer: (response: Response) => answer(response), signal: () => signal }
  }

  test('nothing is sent by preparing, and the request starts in the very turn in which it is sent', async () => {
    const { calls, fetch, answer } = watched()
    const client = testClient({ authorizationServer: metadata('https://as.example'), fetch })
    const prepared = await prepareRenewal(client)(recordOf(client), {})
    await new Promise((resolve) => setImmediate(resolve))
    expect(calls).toEqual([])
    const outcome = prepared.send()
    expect(calls).toEqual(['https://as.example/token'])
    answer(Response.json(tokens))
    expect((await outcome).ok).toBe(true)
  })

  test('no deadline ends it: an answer that comes much later is an answer', async () => {
    const clock = manualClock()
    const { fetch, answer, signal } = watched()
    const client = testClient({ authorizationServer: metadata('https://as.example'), fetch, deadlineSeconds: 1 }, clock)
    const outcome = (await prepareRenewal(client)(recordOf(client), {})).send()
    await clock.advance(600_000)
    expect(await Promise.race([outcome, Promise.resolve('still waiting')])).toBe('still waiting')
    expect(signal() ?? undefined).toBeUndefined()
    answer(Response.json(tokens))
    expect((await outcome).ok).toBe(true)
  })

  test('what was discarded is not sent', async () => {
    const { server, client } = await serverAnd()
    const prepared = await prepareRenewal(client)(recordOf(client), {})
    prepared.discard()
    await new Promise((resolve) => setImmediate(resolve))
    expect(server.received).toEqual([])
  })

  test('metadata is fetched before it is ready, and a failure there is a failure to prepare', async () => {
    const server = await faultServer()
    const client = testClient({ issuer: server.origin })
    expect(await failure(prepareRenewal(client)(recordOf(client), {}))).toMatchObject({ code: 'discovery_failed' })
  })

  test.for([
    [
      'a fetch that throws',
      () => {
        throw new Error(marker)
      },
    ],
    ['a fetch that returns nonsense', async () => undefined as unknown as Response],
    ['a response that cannot be read', async () => Object.assign(Response.json(tokens), { headers: null })],
  ] as const)('sending never rejects: %s', async ([, fetch]) => {
    const client = testClient({ authorizationServer: metadata('https://as.example'), fetch: fetch as unknown as typeof globalThis.fetch })
    const outcome = await renewal(client)
    expect(outcome).toMatchObject({ ok: false, surelyNotDone: false })
    expect(!outcome.ok && outcome.error).toMatchObject({ code: 'network' })
    expectNoMarker(!outcome.ok && outcome.error)
  })

  test('T29 the cap holds here too, and the memory stays flat', async () => {
    const route = flood(200 * 1024 * 1024)
    const { client } = await serverAnd(route)
    const before = process.memoryUsage().rss
    const outcome = await renewal(client)
    expect(!outcome.ok && outcome.error).toMatchObject({ code: 'token_response_invalid' })
    expect(route.sent).toBeLessThan(20 * 1024 * 1024)
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024)
  })

  test('R1 an answer without a refresh token has none', async () => {
    const { client } = await serverAnd(json({ access_token: 'a', token_type: 'Bearer' }))
    const outcome = await renewal(client)
    expect(outcome.ok && 'refreshToken' in outcome.answer).toBe(false)
  })
})

describe('R16 an ID token in the answer', () => {
  const original = { iss: '', sub: 'alice', aud: 'app', nonce: 'n0', auth_time: 1_700_000_000 }

  async function renewedWith(change: Readonly<Record<string, unknown>>, kept: Readonly<Record<string, unknown>> = {}) {
    const server = await faultServer()
    const client = testClient({ authorizationServer: metadata(server.origin) })
    const id_token = jwt(claimsFor(server.origin, undefined, Date.now(), { marker, ...change }))
    server.on('/token', json({ ...tokens, id_token }))
    const outcome = await renewal(client, {}, { idTokenClaims: { ...original, iss: server.origin, ...kept } })
    if (!outcome.ok) expectNoMarker(outcome.error)
    return outcome.ok ? outcome.answer.idTokenClaims : outcome.error
  }

  test.for([
    ['of the same subject and issuer', {}],
    ['with the same nonce', { nonce: 'n0' }],
    ['with the same auth_time', { auth_time: 1_700_000_000 }],
    ['with azp, the client', { azp: 'app' }],
    ['whose audience is a list with the client', { aud: ['app'] }],
  ] as const)('R16 %s is accepted', async ([, change]) => {
    expect(await renewedWith(change)).toMatchObject({ sub: 'alice' })
  })

  test('R16 another subject is different_user', async () => {
    expect(await renewedWith({ sub: 'bob' })).toMatchObject({ code: 'different_user' })
  })

  test.for([
    ['another issuer', { iss: 'https://evil.example' }],
    ['another audience', { aud: 'other' }],
    ['another nonce', { nonce: 'n1' }],
    ['another auth_time', { auth_time: 1_800_000_000 }],
    ['another azp', { azp: 'other' }],
    ['an old iat', { iat: 1_600_000_000 }],
    ['an old exp', { exp: 1_600_000_000 }],
    ['no sub', { sub: undefined }],
  ] as const)('R16 %s is id_token_invalid', async ([, change]) => {
    expect(await renewedWith(change)).toMatchObject({ code: 'id_token_invalid' })
  })

  test('R16 another issuer than that of the sign-in is refused, even if it is the server’s', async () => {
    expect(await renewedWith({}, { iss: 'https://before.example' })).toMatchObject({ code: 'id_token_invalid' })
  })

  test('R16 a nonce that cannot be compared, for the record kept none, is ignored', async () => {
    expect(await renewedWith({ nonce: 'n1' }, { nonce: undefined })).toMatchObject({ sub: 'alice' })
  })

  test('R16 an answer without an ID token is accepted', async () => {
    const { client } = await serverAnd()
    const outcome = await renewal(client, {}, { idTokenClaims: { ...original, iss: client.server.issuer } })
    expect(outcome.ok && outcome.answer.idTokenClaims).toBeUndefined()
    expect(outcome.ok).toBe(true)
  })

  test('R16 of a session without openid an ID token is ignored', async () => {
    const { client } = await serverAnd(json({ ...tokens, id_token: 'any.thing.at-all' }))
    const outcome = await renewal(client)
    expect(outcome.ok && outcome.answer.idToken).toBeUndefined()
    expect(outcome.ok).toBe(true)
  })
})
