import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { Client } from '../../src/core/client.js'
import type { PendingRequest } from '../../src/core/pending-request.js'
import { finishAuthorization } from '../../src/grants/authorization-code.js'
import { manualClock } from '../../src/testing/manual-clock.js'
import { metadata, testClient } from '../support/client.js'
import { type FaultServer, type Route, faultServer, flood, hangUp, json, silence, stall, status, text } from '../support/fault-server.js'
import { expectNoMarker, marker } from '../support/marker.js'
import { code, failure, redirectUri, responseTo, signIn, started } from '../support/sign-in.js'

const tokens = { access_token: `at-${marker}`, token_type: 'Bearer', expires_in: 3600, refresh_token: `rt-${marker}` }

async function tokenServer(route: Route): Promise<FaultServer> {
  return faultServer({ '/token': route })
}

function clientOf(server: FaultServer, more: Readonly<Record<string, unknown>> = {}) {
  return testClient({ authorizationServer: metadata(server.origin), ...more })
}

/** A sign-in whose code is redeemed at a server that answers so. */
async function answered(route: Route, more: Readonly<Record<string, unknown>> = {}) {
  return signIn(clientOf(await tokenServer(route), more))
}

/** The same, where the answer must be refused and nothing of it may show. */
async function refused(route: Route, more: Readonly<Record<string, unknown>> = {}) {
  const error = await failure(answered(route, more))
  expect(error.name).toBe('OAuthError')
  expectNoMarker(error)
  return error
}

const invalid = { code: 'token_response_invalid' }

describe('the request', () => {
  test('T1 it is a POST of a form, without a query', async () => {
    const server = await tokenServer(json(tokens))
    await signIn(clientOf(server))
    const [request] = server.received
    expect(request).toMatchObject({ method: 'POST', path: '/token' })
    expect(request?.headers['content-type']).toBe('application/x-www-form-urlencoded;charset=UTF-8')
    expect(request?.headers.accept).toBe('application/json')
  })

  test('T2 no parameter is there twice, and no further parameter takes the place of one of the protocol', async () => {
    const server = await tokenServer(json(tokens))
    const evil = { grant_type: 'password', code: 'x', redirect_uri: 'x', code_verifier: 'x', client_id: 'x', tenant: 'mine' }
    await signIn({ ...clientOf(server), tokenParameters: evil })
    const form = server.received[0]?.form ?? new URLSearchParams()
    expect(new Set(form.keys()).size).toBe([...form.keys()].length)
    expect(Object.fromEntries(form)).toMatchObject({
      grant_type: 'authorization_code',
      code,
      redirect_uri: redirectUri,
      client_id: 'app',
      tenant: 'mine',
    })
  })

  test('T2 T5 a public client says its client_id in the form and nothing else of itself', async () => {
    const server = await tokenServer(json(tokens))
    await signIn(clientOf(server))
    expect([...(server.received[0]?.form.keys() ?? [])].toSorted()).toEqual([
      'client_id',
      'code',
      'code_verifier',
      'grant_type',
      'redirect_uri',
    ])
    expect(server.received[0]?.headers).not.toHaveProperty('authorization')
  })

  test('T5 a client authentication that was not made here is refused before anything is sent', async () => {
    const server = await tokenServer(json(tokens))
    const client = { ...clientOf(server), clientAuthentication: { method: 'client_secret_basic' } }
    expect(await failure(signIn(client))).toMatchObject({ code: 'invalid_configuration' })
    expect(server.received).toEqual([])
  })

  test('T3 T4 redirect URI and verifier are those of the authorization request', async () => {
    const server = await tokenServer(json(tokens))
    const client = clientOf(server)
    const odd = 'https://app.example/cb?x=%7E&y=a+b'
    const pending = await started(client, { redirectUri: odd })
    await finishAuthorization(client, pending, responseTo(pending))
    const form = server.received[0]?.form
    expect(form?.get('redirect_uri')).toBe(odd)
    expect(form?.get('code_verifier')).toBe(pending.codeVerifier.reveal())
    expect(
      createHash('sha256')
        .update(form?.get('code_verifier') ?? '')
        .digest('base64url'),
    ).toHaveLength(43)
  })

  test('A16 the resource of the authorization request is named again; of several the first, for a token is for one', async () => {
    const server = await tokenServer(json(tokens))
    await signIn(clientOf(server), { resource: ['https://one.example/', 'https://two.example/'] })
    expect(server.received[0]?.form.getAll('resource')).toEqual(['https://one.example/'])
  })

  test('T7 it goes to the server that the response came from', async () => {
    const [one, other] = [await tokenServer(json(tokens)), await tokenServer(json(tokens))]
    const [mine, theirs] = [clientOf(one), clientOf(other)]
    await Promise.all([signIn(mine), started(theirs)])
    expect([one.received.length, other.received.length]).toEqual([1, 0])
  })

  test('T30 T31 T32 it is never cached, sends no cookies and no referrer, and follows no redirect', async () => {
    const seen: RequestInit[] = []
    const server = await tokenServer(json(tokens))
    const recording: typeof fetch = (input, init) => {
      seen.push(init ?? {})
      return fetch(input, init)
    }
    await signIn(clientOf(server, { fetch: recording }))
    expect(seen).toHaveLength(1)
    expect(seen[0]).toMatchObject({ cache: 'no-store', credentials: 'omit', referrerPolicy: 'no-referrer', redirect: 'manual' })
    expect(server.received[0]?.headers).not.toHaveProperty('cookie')
    expect(server.received[0]?.headers).not.toHaveProperty('referer')
  })

  test.for([301, 302, 303, 307, 308])('T8 a redirect with status %i is not followed', async (code) => {
    const evil = await tokenServer(json(tokens))
    const error = await refused(status(code, { location: `${evil.origin}/token?${marker}` }))
    expect(error).toMatchObject({ code: 'server_unavailable' })
    expect(evil.received).toEqual([])
  })

  test('T8 the answer that a fetch brings from elsewhere is not believed', async () => {
    const evil = await tokenServer(json(tokens))
    const following: typeof fetch = (input, init) => fetch(input, { ...init, redirect: 'follow' })
    expect(await refused(status(302, { location: `${evil.origin}/token` }), { fetch: following })).toMatchObject({
      code: 'server_unavailable',
    })
  })
})

describe('T6 a code is sent once', () => {
  test.for([
    ['the connection breaks', hangUp, 'network'],
    ['503', status(503), 'server_unavailable'],
    ['429', status(429, { 'retry-after': '1' }), 'server_unavailable'],
    ['an answer without sense', text('?'), 'token_response_invalid'],
  ] as const)('T6 %s: the error comes at once, and the code is not sent again', async ([, route, expected]) => {
    const server = await tokenServer(route)
    const error = await failure(signIn(clientOf(server)))
    expect(error).toMatchObject({ code: expected })
    expectNoMarker(error)
    expect(server.received).toHaveLength(1)
  })

  test('T6 invalid_grant for a code is authorization_failed', async () => {
    expect(await refused(json({ error: 'invalid_grant', error_description: marker }, 400))).toMatchObject({
      code: 'authorization_failed',
      serverError: 'invalid_grant',
      status: 400,
    })
  })
})

describe('what a success must be', () => {
  test.for([201, 202, 206])('T9 status %i is none', async (code) => {
    expect(await refused(json(tokens, code))).toMatchObject(invalid)
  })

  test.for([
    ['204', status(204)],
    ['a list', json([tokens])],
    ['null', json(null)],
    ['a string', json(marker)],
    ['nothing', text('', { 'content-type': 'application/json' })],
    ['malformed JSON', text(`{"access_token":"${marker}"`, { 'content-type': 'application/json' })],
    ['trailing garbage', text(`${JSON.stringify(tokens)}x`, { 'content-type': 'application/json' })],
    ['a byte order mark', text(`\uFEFF${JSON.stringify(tokens)}`, { 'content-type': 'application/json' })],
    ['UTF-16', text(Buffer.from(JSON.stringify(tokens), 'utf16le'), { 'content-type': 'application/json' })],
    [
      'bytes that are no UTF-8',
      text(Buffer.concat([Buffer.from('{"access_token":"a","token_type":"Bearer","x":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')]), {
        'content-type': 'application/json',
      }),
    ],
    ['nested beyond all measure', text(`{"a":${'['.repeat(200_000)}${']'.repeat(200_000)}}`, { 'content-type': 'application/json' })],
    ['an error with status 200', json({ error: 'invalid_grant', error_description: marker })],
  ] as const)('T9 %s is none', async ([, route]) => {
    expect(await refused(route)).toMatchObject(invalid)
  })

  test.for(['text/html', 'text/plain', 'application/json2', 'application/problem+json', 'application/x-www-form-urlencoded', ''])(
    'T10 JSON with the content type %j is refused',
    async (type) => {
      expect(await refused(text(JSON.stringify(tokens), type === '' ? {} : { 'content-type': type }))).toMatchObject(invalid)
    },
  )

  test.for([
    'application/json',
    'Application/JSON',
    'application/json ;charset=UTF-8',
    ' application/json;x',
    'application/json; charset=x',
  ])('T10 JSON with the content type %j is read', async (type) => {
    expect((await answered(text(JSON.stringify(tokens), { 'content-type': type }))).accessToken.reveal()).toBe(tokens.access_token)
  })

  test.for([undefined, 7, '', null, {}])('T11 the access_token %j is refused', async (access_token) => {
    expect(await refused(json({ ...tokens, access_token }))).toMatchObject(invalid)
  })

  test.for(['Bearer', 'bearer', 'bEARER'])('T12 the token_type %s is Bearer', async (token_type) => {
    expect((await answered(json({ ...tokens, token_type }))).tokenType).toBe('Bearer')
  })

  test.for([undefined, '', 7, 'mac', 'N_A', 'constructor', '__proto__', `x-${marker}`])(
    'T13 the token_type %j is refused',
    async (token_type) => {
      expect(await refused(json({ ...tokens, token_type }))).toMatchObject(invalid)
    },
  )

  test('T14 a Bearer answer to a client that wants bound tokens is refused', async () => {
    const server = await tokenServer(json(tokens))
    const error = await failure(signIn({ ...clientOf(server), dpop: true }))
    expect(error).toMatchObject(invalid)
    expectNoMarker(error)
  })

  test.for(['DPoP', 'dpop'])('T15 a %s answer to a client that wants Bearer is refused', async (token_type) => {
    expect(await refused(json({ ...tokens, token_type }))).toMatchObject(invalid)
  })

  test.for([
    ['absent: as requested', undefined, undefined],
    ['narrower', 'a', ['a']],
    ['T17 wider: it is seen', 'a admin', ['a', 'admin']],
    ['none', '', []],
    ['several spaces', ' a  b ', ['a', 'b']],
  ] as const)('T16 the granted scope is what the answer says, %s', async ([, scope, expected]) => {
    const answer = await answered(json({ ...tokens, scope }))
    expect(answer.scope).toEqual(expected)
  })

  test.for([['a'], 7, null, 'a"b', 'a\r\nb', 'tök', 'a,\\b'])('T28 the scope %j is refused', async (scope) => {
    expect(await refused(json({ ...tokens, scope }))).toMatchObject(invalid)
  })

  test.for([
    ['T19 absent', undefined, undefined],
    ['T20 a number', 3600, 3_600_000],
    ['T20 a decimal string', '3600', 3_600_000],
    ['T20 a fraction', 0.5, 500],
    ['T20 0 is as absent, so that no answer is expired on arrival', 0, undefined],
    ['T20 "0"', '0', undefined],
    ['T20 less than a millisecond', 0.0001, undefined],
    ['T20 beyond all measure', 1e300, 315_360_000_000],
    ['T20 many digits', '9'.repeat(400), 315_360_000_000],
  ] as const)('%s', async ([, expires_in, expected]) => {
    expect((await answered(json({ ...tokens, expires_in }))).lifetime).toBe(expected)
  })

  test.for([-1, null, true, {}, [60], '3600abc', '', ' 60', '-60', '0x10', '1e3', 'NaN', 'Infinity'])(
    'T20 the expires_in %j is refused',
    async (expires_in) => {
      expect(await refused(json({ ...tokens, expires_in }))).toMatchObject(invalid)
    },
  )

  test('T20 an expires_in that JSON cannot say is refused or counted as long', async () => {
    const answer = await answered(
      text(`{"access_token":"a","token_type":"Bearer","expires_in":1e999}`, { 'content-type': 'application/json' }),
    )
    expect(answer.lifetime).toBe(315_360_000_000)
  })

  test('T22 members that nobody knows are ignored and not kept', async () => {
    const answer = await answered(json({ ...tokens, x_secret: marker, id_token: `not.asked.${marker}`, '__proto__ ': 1 }))
    expect(Object.keys(answer).toSorted()).toEqual(['accessToken', 'lifetime', 'refreshToken', 'serverTime', 'tokenType'])
  })

  test('T22 members named __proto__ and constructor have no effect', async () => {
    const evil = `{"__proto__":{"refresh_token":"evil","polluted":1},"constructor":{"prototype":{"polluted":1}},"access_token":"a","token_type":"Bearer"}`
    const answer = await answered(text(evil, { 'content-type': 'application/json' }))
    expect(answer.refreshToken).toBeUndefined()
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })

  test('T22 of two members of one name the last counts', async () => {
    const twice = '{"access_token":"one","access_token":"two","token_type":"Bearer"}'
    expect((await answered(text(twice, { 'content-type': 'application/json' }))).accessToken.reveal()).toBe('two')
  })

  test('T23 a token of 16 KB works', async () => {
    expect((await answered(json({ ...tokens, access_token: 'a'.repeat(16_384) }))).accessToken.reveal()).toHaveLength(16_384)
  })

  test('T24 what is in an access token is nobody’s business', async () => {
    const expired = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from('{"exp":1}').toString('base64url')}.`
    for (const access_token of [expired, 'a.b.c', '..']) {
      const answer = await answered(json({ ...tokens, access_token }))
      expect([answer.accessToken.reveal(), answer.lifetime]).toEqual([access_token, 3_600_000])
    }
  })

  test.for([null, '', 7, {}, 'a\r\nb', 'tök'])('T27 the refresh_token %j is refused', async (refresh_token) => {
    expect(await refused(json({ ...tokens, refresh_token }))).toMatchObject(invalid)
  })

  test.for([`${marker}\r\nX: 1`, `${marker} b`, `${marker}ö`, `${marker}€`, `${marker}\u0000`, `${marker}\u007f`])(
    'T28 the access token %j is refused on receipt, and not shown',
    async (access_token) => {
      expect(await refused(json({ ...tokens, access_token }))).toMatchObject(invalid)
    },
  )

  test('T28 granted authorization details are kept, malformed ones refused', async () => {
    expect((await answered(json({ ...tokens, authorization_details: [{ type: 'payment' }] }))).authorizationDetails).toEqual([
      { type: 'payment' },
    ])
    for (const authorization_details of [{}, 'x', [{}], [7]]) {
      expect(await refused(json({ ...tokens, authorization_details }))).toMatchObject(invalid)
    }
  })

  test('the time of the server is read from Date, and only from a date', async () => {
    const date = 'Tue, 06 Jan 2026 10:00:00 GMT'
    expect((await answered(json(tokens, 200, { date }))).serverTime).toBe(Date.parse(date))
    expect(await answered(json(tokens, 200, { date: '2026' }))).not.toHaveProperty('serverTime')
  })

  test('what was received prints as redacted, and has no prototype', async () => {
    const answer = await answered(json(tokens))
    expect(Object.getPrototypeOf(answer)).toBeNull()
    expectNoMarker(answer.accessToken)
    expectNoMarker(answer.refreshToken)
    expect(JSON.stringify({ answer })).not.toContain(marker)
  })
})

describe('T29 size and time', () => {
  /** What comes of redeeming a code; its deadline counts from this turn on. */
  function redeeming(client: Client, pending: PendingRequest) {
    return failure(finishAuthorization(client, pending, responseTo(pending)))
  }

  test('T29 an answer of 200 MB is given up at 1 MiB, and the memory stays flat', async () => {
    const before = process.memoryUsage().rss
    const route = flood(200 * 1024 * 1024)
    expect(await refused(route)).toMatchObject(invalid)
    expect(route.sent).toBeLessThan(20 * 1024 * 1024)
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024)
  })

  test('T29 the same of 200 MB that are packed into 200 KB', async () => {
    const { gzipSync } = await import('node:zlib')
    const packed = gzipSync(Buffer.alloc(200 * 1024 * 1024, 0x20))
    const before = process.memoryUsage().rss
    expect(await refused(text(packed, { 'content-type': 'application/json', 'content-encoding': 'gzip' }))).toMatchObject(invalid)
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024)
  })

  test('T29 a body of just 1 MiB is read, one byte more is not', async () => {
    const body = (size: number) =>
      JSON.stringify({ ...tokens, x: '' }).replace('"x":""', `"x":"${'a'.repeat(size - JSON.stringify({ ...tokens, x: '' }).length)}"`)
    const type = { 'content-type': 'application/json' }
    expect((await answered(text(body(1024 * 1024), type))).tokenType).toBe('Bearer')
    expect(await refused(text(body(1024 * 1024 + 1), type))).toMatchObject(invalid)
  })

  test.for([
    ['never answers', silence],
    ['stops in the middle', stall],
  ] as const)('T29 a server that %s is given up at the deadline', async ([, route]) => {
    const clock = manualClock()
    const server = await tokenServer(route)
    const client = testClient({ authorizationServer: metadata(server.origin), deadlineSeconds: 5 }, clock)
    const found = redeeming(client, await started(client))
    await clock.advance(4_999)
    expect(await Promise.race([found, Promise.resolve('still waiting')])).toBe('still waiting')
    await clock.advance(1)
    expect(await found).toMatchObject({ code: 'timed_out' })
    expectNoMarker(await found)
  })

  test('T29 a fetch that does not care for signals is given up all the same', async () => {
    const clock = manualClock()
    const client = testClient({ authorizationServer: metadata('https://as.example'), fetch: () => new Promise(() => {}) }, clock)
    const found = redeeming(client, await started(client))
    await clock.advance(10_000)
    expect(await found).toMatchObject({ code: 'timed_out' })
  })

  test('a fetch whose error quotes what was sent shows none of it', async () => {
    const leaking: typeof fetch = (_, init) => Promise.reject(new TypeError(`could not send ${String(init?.body)}`, { cause: init }))
    const client = testClient({ authorizationServer: metadata('https://as.example'), fetch: leaking })
    const error = await failure(signIn(client))
    expect(error).toMatchObject({ code: 'network' })
    expectNoMarker(error)
  })
})
