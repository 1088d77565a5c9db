import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { metadataOf } from '../../src/protocol/authorization-server.js'
import { manualClock } from '../../src/testing/manual-clock.js'
import { selfSigned } from '../support/certificate.js'
import { metadata, testClient } from '../support/client.js'
import { type Route, faultServer, flood, hangUp, json, silence, stall, status, text } from '../support/fault-server.js'

const rfc8414 = '/.well-known/oauth-authorization-server'
const openid = '/.well-known/openid-configuration'

async function failure(promise: Promise<unknown>): Promise<Record<string, unknown>> {
  return promise.then(
    () => expect.unreachable('it was accepted'),
    (error: unknown) => error as Record<string, unknown>,
  )
}

/** What becomes of a client whose server says this at the first place. */
async function discovering(route: (origin: string) => Route): Promise<{ readonly error?: unknown; readonly paths: readonly string[] }> {
  const server = await faultServer()
  server.on(rfc8414, route(server.origin))
  const outcome = await metadataOf(testClient({ issuer: server.origin })).then(
    () => ({}),
    (error: unknown) => ({ error }),
  )
  return { ...outcome, paths: server.received.map(({ path }) => path) }
}

describe('where the document is', () => {
  test.for([
    ['D1 the well-known part goes between host and path', '/t1', `${rfc8414}/t1`],
    ['D1 a terminating slash is dropped', '/t1/', `${rfc8414}/t1`],
    ['D1 an issuer without a path', '', rfc8414],
    ['D2 the OpenID place is appended to the path', '/t1', `/t1${openid}`],
    ['D2 a terminating slash is not doubled', '/t1/', `/t1${openid}`],
  ])('%s', async ([, path, place]) => {
    const server = await faultServer()
    const issuer = server.origin + path
    server.on(place as string, json(metadata(issuer)))
    expect((await metadataOf(testClient({ issuer }))).issuer).toBe(issuer)
  })

  test('D3 the places are asked in their order, and the first document counts', async () => {
    const server = await faultServer()
    const issuer = `${server.origin}/t1`
    const asked = () => server.received.map(({ path }) => path)
    server.on(`/t1${openid}`, json(metadata(issuer)))
    await metadataOf(testClient({ issuer }))
    expect(asked()).toEqual([`${rfc8414}/t1`, `${openid}/t1`, `/t1${openid}`])
    server.on(`${openid}/t1`, json(metadata(issuer)))
    await metadataOf(testClient({ issuer }))
    expect(asked().slice(3)).toEqual([`${rfc8414}/t1`, `${openid}/t1`])
  })

  test('D3 an issuer without a path has two places, and each is asked once', async () => {
    const server = await faultServer()
    expect(await failure(metadataOf(testClient({ issuer: server.origin })))).toMatchObject({ code: 'discovery_failed' })
    expect(server.received.map(({ path }) => path)).toEqual([rfc8414, openid])
  })

  test('D3 discoveryUrl is the only place where it is given, and its issuer must still be the configured one', async () => {
    const server = await faultServer()
    const client = () => testClient({ issuer: server.origin, discoveryUrl: `${server.origin}/elsewhere?v=2` })
    server.on('/elsewhere', json(metadata(server.origin)))
    await metadataOf(client())
    expect(server.received.map(({ path }) => path)).toEqual(['/elsewhere?v=2'])
    server.on('/elsewhere', json(metadata('https://evil.example')))
    expect(await failure(metadataOf(client()))).toMatchObject({ code: 'issuer_mismatch' })
  })

  test('D3 a server that sends strangers to its front page is asked on', async () => {
    const server = await faultServer({ [rfc8414]: text('<html>', { 'content-type': 'text/html' }) })
    server.on(openid, json(metadata(server.origin)))
    expect((await metadataOf(testClient({ issuer: server.origin }))).issuer).toBe(server.origin)
  })
})

describe('whose the document is', () => {
  test('D4 a document of another issuer is not used, and nothing else is asked', async () => {
    const { error, paths } = await discovering(() => json(metadata('https://evil.example')))
    expect(error).toMatchObject({ code: 'issuer_mismatch' })
    expect(paths).toEqual([rfc8414])
  })

  test.for([
    ['a slash more', (origin: string) => `${origin}/`],
    ['the scheme in capitals', (origin: string) => origin.replace('http', 'HTTP')],
    ['a percent-encoded character', (origin: string) => origin.replace('127', '%3127')],
    ['a default path', (origin: string) => `${origin}/.`],
  ] as const)('D5 the issuer in the document is compared code point by code point: %s', async ([, change]) => {
    const { error } = await discovering((origin) => json({ ...metadata(origin), issuer: change(origin) }))
    expect(error).toMatchObject({ code: 'issuer_mismatch' })
  })

  test.for([
    'https://as.example?x=1',
    'https://as.example#f',
    'https://as.example?',
    'http://as.example',
    'https://u:p@as.example',
    'as.example',
  ])('D6 the issuer %s is refused before any request', async (issuer) => {
    let asked = 0
    const fetch = () => Promise.reject(new Error(`${(asked += 1)}`))
    const client = { ...testClient({ issuer: 'https://as.example', fetch }), server: { issuer } }
    expect(await failure(metadataOf(client))).toMatchObject({ code: 'invalid_configuration' })
    expect(asked).toBe(0)
  })
})

describe('what the document is', () => {
  test.for([
    ['D7 JSON that calls itself HTML', (origin: string) => text(JSON.stringify(metadata(origin)), { 'content-type': 'text/html' })],
    ['D7 JSON without a content type', (origin: string) => text(JSON.stringify(metadata(origin)))],
    ['D7 a redirect', () => status(302, { location: '/elsewhere' })],
    ['D7 201', (origin: string) => json(metadata(origin), 201)],
    ['D7 no JSON', () => text('{"issuer"', { 'content-type': 'application/json' })],
    ['D7 a list', () => json([])],
    ['D7 no issuer', () => json({})],
    ['D7 503', () => status(503)],
    ['D8 an endpoint that is no text', (origin: string) => json(metadata(origin, { token_endpoint: 7 }))],
    [
      'D17 nested beyond all measure',
      (origin: string) =>
        text(`{"issuer":"${origin}","x":${'['.repeat(200_000)}${']'.repeat(200_000)}}`, { 'content-type': 'application/json' }),
    ],
  ] as const)('%s is no document', async ([, route]) => {
    expect((await discovering(route)).error).toMatchObject({ code: 'discovery_failed' })
  })

  test.for(['application/json; charset=utf-8', 'Application/JSON', 'application/json ;charset=x'])('D7 %s is JSON', async (type) => {
    expect(await discovering((origin) => text(JSON.stringify(metadata(origin)), { 'content-type': type }))).not.toHaveProperty('error')
  })

  test('D8 members that nobody knows have no effect, and a member that is null is none', async () => {
    const server = await faultServer()
    server.on(rfc8414, json(metadata(server.origin, { x_evil: { token_endpoint: 'http://evil.example' }, registration_endpoint: null })))
    expect(await metadataOf(testClient({ issuer: server.origin }))).toMatchObject({ token_endpoint: `${server.origin}/token` })
  })

  test('D9 a certificate that nobody vouches for is refused', async () => {
    const server = createServer(selfSigned, (_, response) => response.end('{}'))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
    const issuer = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
    expect(await failure(metadataOf(testClient({ issuer })))).toMatchObject({ code: 'network' })
  })

  const endpoints = [
    'authorization_endpoint',
    'token_endpoint',
    'revocation_endpoint',
    'jwks_uri',
    'userinfo_endpoint',
    'end_session_endpoint',
  ]
  test.for([
    ...endpoints,
    'introspection_endpoint',
    'pushed_authorization_request_endpoint',
    'device_authorization_endpoint',
    'registration_endpoint',
  ])('D10 an http %s spoils the whole document', async (name) => {
    expect((await discovering((origin) => json(metadata(origin, { [name]: 'http://as.example/x' })))).error).toMatchObject({
      code: 'discovery_failed',
    })
  })

  test('D10 an http endpoint among the aliases for mutual TLS spoils it too', async () => {
    const aliases = { mtls_endpoint_aliases: { token_endpoint: 'http://as.example/x' } }
    expect((await discovering((origin) => json(metadata(origin, aliases)))).error).toMatchObject({ code: 'discovery_failed' })
  })

  test.for(
    endpoints.flatMap((name) =>
      ['javascript:alert(1)', 'data:text/html,x', 'blob:https://as.example/1', 'https://user:secret@as.example/'].map(
        (url) => [name, url] as const,
      ),
    ),
  )('D11 %s: %s is not an endpoint', async ([name, url]) => {
    expect((await discovering((origin) => json(metadata(origin, { [name]: url })))).error).toMatchObject({ code: 'discovery_failed' })
  })

  test('D12 a redirect is not followed', async () => {
    const evil = await faultServer()
    evil.on('/doc', json(metadata(evil.origin)))
    const { error } = await discovering(() => status(302, { location: `${evil.origin}/doc` }))
    expect(error).toMatchObject({ code: 'discovery_failed' })
    expect(evil.received).toEqual([])
  })

  test('D12 a fetch that follows redirects all the same does not get its document believed', async () => {
    const server = await faultServer({ [rfc8414]: status(302, { location: '/doc' }), [openid]: status(302, { location: '/doc' }) })
    server.on('/doc', json(metadata(server.origin)))
    const following: typeof fetch = (input, init) => fetch(input, { ...init, redirect: 'follow' })
    expect(await failure(metadataOf(testClient({ issuer: server.origin, fetch: following })))).toMatchObject({ code: 'discovery_failed' })
  })

  test('D13 additionalMetadata adds what the document leaves out and replaces nothing', async () => {
    const server = await faultServer()
    const { revocation_endpoint: left, ...document } = metadata(server.origin)
    server.on(rfc8414, json(document))
    const additionalMetadata = {
      revocation_endpoint: left as string,
      token_endpoint: 'https://evil.example/token',
      issuer: 'https://evil.example',
    }
    const client = testClient({ issuer: server.origin, additionalMetadata })
    const found = await metadataOf(client)
    expect(found).toMatchObject({ issuer: server.origin, token_endpoint: `${server.origin}/token`, revocation_endpoint: left })
    expect(await metadataOf(client)).toBe(found)
    expect(server.received).toHaveLength(1)
  })

  test('D14 two issuers keep their endpoints apart, and so do two clients that add different things', async () => {
    const [one, two] = [await faultServer(), await faultServer()]
    for (const server of [one, two]) server.on(rfc8414, json({ issuer: server.origin, token_endpoint: `${server.origin}/token` }))
    const shared: typeof fetch = (input, init) => fetch(input, init)
    const of = (issuer: string, more = {}) => metadataOf(testClient({ issuer, fetch: shared, ...more }))
    expect((await of(one.origin)).token_endpoint).toBe(`${one.origin}/token`)
    expect((await of(two.origin)).token_endpoint).toBe(`${two.origin}/token`)
    const added = await of(one.origin, { additionalMetadata: { revocation_endpoint: 'https://a.example/r' } })
    expect(added.revocation_endpoint).toBe('https://a.example/r')
    expect(await of(one.origin)).not.toHaveProperty('revocation_endpoint')
    expect(one.received).toHaveLength(1)
  })

  test('D25 members named __proto__ or constructor reach no prototype, here or where it is merged', async () => {
    const server = await faultServer()
    const evil = `{"__proto__":{"polluted":true,"token_endpoint":"https://evil.example"},"constructor":{"prototype":{"polluted":true}},"issuer":"${server.origin}","claims":{"__proto__":{"polluted":true}}}`
    server.on(rfc8414, text(evil, { 'content-type': 'application/json' }))
    const found = await metadataOf(testClient({ issuer: server.origin }))
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
    expect(Object.getPrototypeOf(found)).toBeNull()
    expect(found.token_endpoint).toBeUndefined()
    const merged = Object.assign({}, found, found['claims']) as Record<string, unknown>
    expect(merged['polluted']).toBeUndefined()
    expect(Object.getPrototypeOf(merged)).toBe(Object.prototype)
  })
})

describe('D16 how often the document is fetched', () => {
  test('D16 a hundred calls are one fetch and one object, and after an hour there is one more', async () => {
    const server = await faultServer()
    server.on(rfc8414, json(metadata(server.origin)))
    const clock = manualClock()
    const events: string[] = []
    const client = testClient({ issuer: server.origin, observe: (event) => events.push(event.type) }, clock)
    const first = await Promise.all(Array.from({ length: 50 }, () => metadataOf(client)))
    for (let call = 0; call < 50; call += 1) first.push(await metadataOf(client))
    expect(new Set(first).size).toBe(1)
    expect(server.received).toHaveLength(1)
    await clock.advance(60 * 60_000 - 1)
    await metadataOf(client)
    expect(server.received).toHaveLength(1)
    await clock.advance(1)
    await metadataOf(client)
    expect(server.received).toHaveLength(2)
    expect(events).toEqual(['discovered', 'discovered'])
  })

  test('D16 a failure is not kept', async () => {
    const server = await faultServer({ [rfc8414]: status(503) })
    const client = testClient({ issuer: server.origin })
    expect(await failure(metadataOf(client))).toMatchObject({ code: 'discovery_failed', status: 503 })
    server.on(rfc8414, json(metadata(server.origin)))
    await metadataOf(client)
    expect(server.received).toHaveLength(2)
  })

  test('D16 those who ask at the same time share a failure too', async () => {
    const server = await faultServer({ [rfc8414]: status(503) })
    const client = testClient({ issuer: server.origin })
    const all = await Promise.allSettled(Array.from({ length: 20 }, () => metadataOf(client)))
    expect(all.every(({ status }) => status === 'rejected')).toBe(true)
    expect(server.received).toHaveLength(1)
  })

  test('D16 metadata by hand is never fetched, and stays one object', async () => {
    const client = testClient({ authorizationServer: metadata('https://as.example'), fetch: () => expect.unreachable('fetched') })
    expect(await metadataOf(client)).toBe(await metadataOf(client))
    expect(await metadataOf(client)).toMatchObject({ token_endpoint: 'https://as.example/token' })
  })

  test('D16 the shelf has an end: the oldest of many issuers is fetched again', async () => {
    const asked: string[] = []
    const many: typeof fetch = async (input) => {
      const { origin } = new URL(String(input))
      asked.push(origin)
      return Response.json({ issuer: origin })
    }
    for (let issuer = 0; issuer <= 50; issuer += 1)
      await metadataOf(testClient({ issuer: `https://as${issuer}.example`, fetch: many }, manualClock()))
    const again = testClient({ issuer: 'https://as0.example', fetch: many }, manualClock())
    await metadataOf(again)
    await metadataOf(again)
    expect(asked).toHaveLength(52)
  })
})

describe('D17 size and time', () => {
  test('D17 a document of 200 MB is given up at 1 MiB', async () => {
    const route = flood(200 * 1024 * 1024)
    expect((await discovering(() => route)).error).toMatchObject({ code: 'discovery_failed' })
    expect(route.sent).toBeLessThan(20 * 1024 * 1024)
  })

  test.for([
    ['never answers', silence],
    ['stops in the middle', stall],
  ] as const)('D17 a server that %s is given up at the deadline, all places together', async ([, route]) => {
    const server = await faultServer({ [rfc8414]: route })
    const clock = manualClock()
    const found = failure(metadataOf(testClient({ issuer: server.origin, deadlineSeconds: 3 }, clock)))
    await clock.advance(2_999)
    expect(await Promise.race([found, Promise.resolve('still waiting')])).toBe('still waiting')
    await clock.advance(1)
    expect(await found).toMatchObject({ code: 'timed_out' })
  })

  test('D17 a broken connection is a network failure', async () => {
    expect((await discovering(() => hangUp)).error).toMatchObject({ code: 'network' })
  })
})
