import { decodeJwt } from 'jose'
import { describe, expect, test } from 'vitest'
import { startAuthorization } from '../../src/grants/authorization-code.js'
import { mutualTls } from '../../src/protocol/client-authentication.js'
import { clientSecretBasic } from '../../src/protocol/client-secret.js'
import { privateKeyJwt } from '../../src/protocol/private-key-jwt.js'
import { withProofs } from '../../src/session/proofs.js'
import { memoryStore } from '../../src/stores/memory.js'
import { manualClock } from '../../src/testing/manual-clock.js'
import { metadata, testClient } from '../support/client.js'
import { inTurn, nonceError, readProof } from '../support/dpop.js'
import { type FaultServer, type Route, faultServer, hangUp, json, silence, status, text } from '../support/fault-server.js'
import { keyPair } from '../support/keys.js'
import { expectNoMarker, marker } from '../support/marker.js'
import { failure, redirectUri } from '../support/sign-in.js'

// Pushed authorization requests (RFC 9126) on the wire, against a server that is scripted.

const uri = 'urn:ietf:params:oauth:request_uri:6esc_11ACC5bwc014ltc14eY22c'
const taken = json({ request_uri: uri, expires_in: 60 }, 201)
const request = { owner: 'key', redirectUri, scope: ['openid', 'notes:read'] }

type More = Readonly<Record<string, unknown>>

const required = { require_pushed_authorization_requests: true }

/** A server whose endpoint answers so, and a client of it whose requests are pushed. */
async function stage(answer: Route = taken, options: More = {}, members: More | ((origin: string) => More) = {}) {
  const server = await faultServer({ '/par': answer })
  const endpoint = { pushed_authorization_request_endpoint: `${server.origin}/par` }
  const client = testClient({
    authorizationServer: metadata(server.origin, { ...endpoint, ...(typeof members === 'function' ? members(server.origin) : members) }),
    pushedAuthorizationRequests: true,
    ...options,
  })
  return { server, client, start: (more: object = {}) => startAuthorization(client, { ...request, ...more }) }
}

const pushedForm = (server: FaultServer): URLSearchParams => server.to('/par').at(-1)?.form ?? new URLSearchParams()

describe('the push', () => {
  test('X1 X7 it is a POST of a form that has the whole request, PKCE, state and nonce, and no request_uri', async () => {
    const { server, start } = await stage()
    const { pending } = await start({ loginHint: 'ann&scope=admin', authorizationParameters: { tenant: 'a' } })
    const [{ method, path, headers } = { method: '', path: '', headers: {} }, ...more] = server.received
    expect(more).toEqual([])
    expect([method, path, headers['content-type'], headers.accept, headers.cookie, headers.referer]).toEqual([
      'POST',
      '/par',
      'application/x-www-form-urlencoded;charset=UTF-8',
      'application/json',
      undefined,
      undefined,
    ])
    expect(Object.fromEntries(pushedForm(server))).toEqual({
      response_type: 'code',
      client_id: 'app',
      redirect_uri: redirectUri,
      scope: 'openid notes:read',
      state: pending.state.reveal(),
      nonce: pending.nonce?.reveal(),
      code_challenge: expect.stringMatching(/^[\w-]{43}$/) as string,
      code_challenge_method: 'S256',
      login_hint: 'ann&scope=admin',
      tenant: 'a',
    })
  })

  test('X1 a confidential client authenticates as at the token endpoint', async () => {
    const { server, start } = await stage(taken, { clientAuthentication: clientSecretBasic('the-secret') })
    await start()
    expect(server.to('/par')[0]?.headers.authorization).toBe(`Basic ${btoa('app:the%2Dsecret')}`)
    expect(server.to('/par')[0]?.body).not.toContain('the-secret')
  })

  test('X6 an assertion is for the issuer, whatever address the endpoint has', async () => {
    const { privateKey } = await keyPair('ES256')
    const { server, start } = await stage(
      taken,
      { clientAuthentication: privateKeyJwt(privateKey) },
      { issuer: 'https://as.example', authorization_endpoint: 'https://as.example/authorize' },
    )
    await start()
    expect(decodeJwt(pushedForm(server).get('client_assertion') ?? '')).toMatchObject({ iss: 'app', sub: 'app', aud: 'https://as.example' })
  })

  test('X1 with mutual TLS it goes to the alias that is meant for it', async () => {
    const { server, start } = await stage(status(500), { clientAuthentication: mutualTls() }, (origin) => ({
      mtls_endpoint_aliases: { pushed_authorization_request_endpoint: `${origin}/mtls/par` },
    }))
    server.on('/mtls/par', taken)
    expect((await start()).url.searchParams.get('request_uri')).toBe(uri)
    expect(server.received.map(({ path, form }) => [path, form.get('client_id')])).toEqual([['/mtls/par', 'app']])
  })

  test('X4 the address then has client_id and request_uri only, and what the endpoint has in its own', async () => {
    const { start } = await stage(taken, {}, { authorization_endpoint: 'https://as.example/authorize' })
    const { url } = await start({ authorizationDetails: [{ type: 'payment' }], maxAgeSeconds: 5 })
    expect([...url.searchParams]).toEqual([
      ['client_id', 'app'],
      ['request_uri', uri],
    ])
    const tenant = await stage(taken, {}, { authorization_endpoint: 'https://as.example/authorize?tenant=1' })
    expect((await tenant.start()).url.href).toBe(
      `https://as.example/authorize?tenant=1&client_id=app&request_uri=${encodeURIComponent(uri)}`,
    )
  })

  test('X3 each sign-in pushes its own: a request_uri serves once', async () => {
    const { server, start } = await stage((...exchange) =>
      json({ request_uri: `urn:x:${server.to('/par').length}`, expires_in: 60 }, 201)(...exchange),
    )
    const [one, two] = [await start(), await start()]
    expect([one, two].map(({ url }) => url.searchParams.get('request_uri'))).toEqual(['urn:x:1', 'urn:x:2'])
    expect(new Set(server.to('/par').map(({ form }) => form.get('state'))).size).toBe(2)
  })
})

describe('whether it is pushed', () => {
  test('X5 a server that takes no others gets it pushed, without any option', async () => {
    const { start } = await stage(taken, { pushedAuthorizationRequests: undefined }, required)
    expect([...(await start()).url.searchParams.keys()]).toEqual(['client_id', 'request_uri'])
  })

  test.for([undefined, false])('X5 a server that only offers it gets it in the address where the option is %s', async (asked) => {
    const { server, start } = await stage(taken, { pushedAuthorizationRequests: asked })
    expect((await start()).url.searchParams.get('response_type')).toBe('code')
    expect(server.received).toEqual([])
  })

  test.for<readonly [string, More, More, string]>([
    ['is asked for, and the server has no endpoint for it', {}, { pushed_authorization_request_endpoint: undefined }, 'not_supported'],
    [
      'is required, and the server has no endpoint for it',
      { pushedAuthorizationRequests: undefined },
      { ...required, pushed_authorization_request_endpoint: undefined },
      'not_supported',
    ],
    ['is refused, and the server takes no others', { pushedAuthorizationRequests: false }, required, 'invalid_configuration'],
  ])('X5 where a push %s, nobody is sent anywhere', async ([, options, members, code]) => {
    const { server, start } = await stage(taken, options, members)
    const error = await failure(start())
    expect(error).toMatchObject({ name: 'OAuthError', code })
    expect(error.message).toContain('pushedAuthorizationRequests')
    expect(server.received).toEqual([])
  })

  test.for(['yes', 1, null])('an option that is %j is refused at construction', async (asked) => {
    await expect(stage(taken, { pushedAuthorizationRequests: asked })).rejects.toMatchObject({
      code: 'invalid_configuration',
      message: expect.stringContaining('pushedAuthorizationRequests') as string,
    })
  })
})

describe('the answer', () => {
  test.for<readonly [string, Route]>([
    ['a status of 200', json({ request_uri: uri, expires_in: 60 }, 200)],
    ['no content', status(204)],
    ['another media type', text(JSON.stringify({ request_uri: uri, expires_in: 60 }), { 'content-type': 'text/html' }, 201)],
    ['no JSON', text(marker, { 'content-type': 'application/json' }, 201)],
    ['a list', json([uri], 201)],
    ['no request_uri', json({ expires_in: 60, other: marker }, 201)],
    ['an empty request_uri', json({ request_uri: '', expires_in: 60 }, 201)],
    ['a request_uri that is no text', json({ request_uri: [uri], expires_in: 60 }, 201)],
    ['a request_uri with a line break', json({ request_uri: `${uri}\r\n${marker}`, expires_in: 60 }, 201)],
    ['no expires_in', json({ request_uri: uri }, 201)],
    ['an expires_in of 0', json({ request_uri: uri, expires_in: 0 }, 201)],
    ['an expires_in that is no number', json({ request_uri: uri, expires_in: 'soon' }, 201)],
  ])('X2 %s is refused', async ([, answer]) => {
    const { start } = await stage(answer)
    const error = await failure(start())
    expect(error).toMatchObject({ name: 'OAuthError', code: 'authorization_response_invalid' })
    expectNoMarker(error)
  })

  test('X2 an expires_in that is a decimal text is read as the number that it is', async () => {
    const { start } = await stage(json({ request_uri: uri, expires_in: '60' }, 201))
    expect((await start()).url.searchParams.get('request_uri')).toBe(uri)
  })

  test.for<readonly [string, Route, string, string | undefined]>([
    ['an error of the client', json({ error: 'invalid_client', error_description: marker }, 401), 'client_refused', 'invalid_client'],
    [
      'an error with a challenge',
      json({ error: 'invalid_client' }, 401, { 'www-authenticate': 'Basic' }),
      'client_refused',
      'invalid_client',
    ],
    ['an error of the request', json({ error: 'invalid_request' }, 400), 'request_refused', 'invalid_request'],
    ['an error of the scope', json({ error: 'invalid_scope' }, 400), 'scope_refused', 'invalid_scope'],
    ['an error of the resource', json({ error: 'invalid_target' }, 400), 'resource_refused', 'invalid_target'],
    ['a refusal', json({ error: 'access_denied' }, 403), 'access_denied', 'access_denied'],
    ['an error that nobody registered', json({ error: `made_up_${marker}` }, 400), 'request_refused', undefined],
    ['a refusal that says nothing', text(marker, {}, 403), 'request_refused', undefined],
    ['a request that is too large', status(413), 'request_refused', undefined],
    ['too many requests', status(429), 'server_unavailable', undefined],
    ['a server in trouble', status(503), 'server_unavailable', undefined],
    ['a redirect', status(302, { location: 'https://evil.example/' }), 'server_unavailable', undefined],
    ['a connection that breaks', hangUp, 'network', undefined],
  ])('%s is a typed error', async ([, answer, code, serverError]) => {
    const { server, start } = await stage(answer)
    const error = await failure(start())
    expect(error).toMatchObject({ name: 'OAuthError', code })
    expect(error['serverError']).toBe(serverError)
    expect(error.message).not.toContain('token endpoint')
    expectNoMarker(error)
    expect(server.received).toHaveLength(1)
  })

  test('a server that never answers is waited for no longer than the deadline', async () => {
    const server = await faultServer({ '/par': silence })
    const clock = manualClock(Date.now())
    const authorizationServer = metadata(server.origin, { pushed_authorization_request_endpoint: `${server.origin}/par` })
    const client = testClient({ authorizationServer, pushedAuthorizationRequests: true }, clock)
    const error = failure(startAuthorization(client, request))
    await expect.poll(() => server.received.length).toBe(1)
    await clock.advance(10_001)
    expect(await error).toMatchObject({ code: 'timed_out' })
  })
})

describe('with bound tokens', () => {
  async function bound(answer: Route) {
    const { server, client } = await stage(answer, { dpop: true }, { dpop_signing_alg_values_supported: ['ES256'] })
    const provable = withProofs(client, memoryStore())
    return { server, start: () => startAuthorization(provable, request) }
  }

  test('P13 X1 the request is proven, by the key that the code is bound to', async () => {
    const { server, start } = await bound(taken)
    const { url, pending } = await start()
    const proof = await readProof(server.to('/par')[0]?.headers['dpop'])
    expect(proof.claims).toMatchObject({ htm: 'POST', htu: `${server.origin}/par` })
    expect(proof.key).toBe(pending.boundTo)
    expect(pushedForm(server).get('dpop_jkt')).toBe(pending.boundTo)
    expect(url.searchParams.has('dpop_jkt')).toBe(false)
  })

  test('P5 a nonce that is asked for is met by one more request, with a client authentication and a proof of its own', async () => {
    const { server, start } = await bound(inTurn(nonceError('n-1'), taken))
    await start()
    const proofs = await Promise.all(server.to('/par').map(({ headers }) => readProof(headers['dpop'])))
    expect(proofs.map(({ claims }) => claims['nonce'])).toEqual([undefined, 'n-1'])
    expect(new Set(proofs.map(({ claims }) => claims.jti)).size).toBe(2)
  })

  test.for<readonly [string, Route, number, string]>([
    ['a nonce that is asked for again and again', nonceError('n-1'), 2, 'request_refused'],
    ['a nonce that cannot be read', nonceError(), 1, 'dpop_nonce_unreadable'],
  ])('P5 P15 %s is an error', async ([, answer, requests, code]) => {
    const { server, start } = await bound(answer)
    expect(await failure(start())).toMatchObject({ code })
    expect(server.to('/par')).toHaveLength(requests)
  })
})
