import { decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose'
import { beforeAll, describe, expect, test } from 'vitest'
import type { SignedRequests } from '../../src/core/client.js'
import { startAuthorization } from '../../src/grants/authorization-code.js'
import { signedRequests } from '../../src/protocol/signed-requests.js'
import { withProofs } from '../../src/session/proofs.js'
import { memoryStore } from '../../src/stores/memory.js'
import { manualClock } from '../../src/testing/manual-clock.js'
import { metadata, testClient } from '../support/client.js'
import { faultServer, json } from '../support/fault-server.js'
import { keyPair, pemOf } from '../support/keys.js'
import { expectNoMarker, marker } from '../support/marker.js'
import { failure, redirectUri } from '../support/sign-in.js'

// Signed authorization requests (RFC 9101): what is in them, and that jose verifies them.

const issuer = 'https://as.example'
const time = Date.UTC(2026, 5, 1)
const request = { owner: 'key', redirectUri, scope: ['openid', 'notes:read'] }

let keys: CryptoKeyPair
beforeAll(async () => {
  keys = await keyPair('ES256')
})

type More = Readonly<Record<string, unknown>>

function clientOf(signing: SignedRequests | undefined, options: More = {}, members: More = {}) {
  const authorizationServer = metadata(issuer, members)
  const fetch = () => expect.unreachable('fetched')
  return testClient({ authorizationServer, fetch, signedRequests: signing, ...options }, manualClock(time))
}

async function started(client: ReturnType<typeof clientOf>, more: object = {}) {
  const { url, pending } = await startAuthorization(client, { ...request, ...more })
  return { url, pending, jwt: url.searchParams.get('request') ?? '' }
}

describe('the request object', () => {
  test('X8 it says of itself what it is, has the whole request, and its client is the one outside', async () => {
    const resource = ['https://a.example/', 'https://b.example/']
    const { url, pending, jwt } = await started(clientOf(signedRequests(keys.privateKey, { keyId: '2026-11' }), { resource }), {
      maxAgeSeconds: 5,
      authorizationDetails: [{ type: 'payment', amount: { value: '1' } }],
      authorizationParameters: { tenant: 'a' },
    })
    expect(Object.fromEntries(url.searchParams)).toEqual({ client_id: 'app', request: jwt })
    const { payload, protectedHeader } = await jwtVerify(jwt, keys.publicKey, {
      currentDate: new Date(time),
      audience: issuer,
      issuer: 'app',
    })
    expect(protectedHeader).toEqual({ alg: 'ES256', typ: 'oauth-authz-req+jwt', kid: '2026-11' })
    const seconds = time / 1_000
    expect(payload).toEqual({
      iss: 'app',
      aud: issuer,
      client_id: 'app',
      jti: expect.any(String) as string,
      iat: expect.closeTo(seconds, -1) as number,
      nbf: payload.iat,
      exp: (payload.iat ?? 0) + 60,
      response_type: 'code',
      redirect_uri: redirectUri,
      scope: 'openid notes:read',
      state: pending.state.reveal(),
      nonce: pending.nonce?.reveal(),
      code_challenge: expect.stringMatching(/^[\w-]{43}$/) as string,
      code_challenge_method: 'S256',
      resource,
      max_age: 5,
      authorization_details: [{ type: 'payment', amount: { value: '1' } }],
      tenant: 'a',
    })
  })

  test('X8 it has neither a request nor a request_uri in it, nor the client as its subject', async () => {
    const client = clientOf(signedRequests(keys.privateKey))
    const claims = decodeJwt((await started(client)).jwt)
    for (const name of ['request', 'request_uri', 'sub']) expect(claims).not.toHaveProperty(name)
    for (const name of ['request', 'request_uri', 'sub', 'client_id'])
      expect(await failure(started(client, { authorizationParameters: { [name]: 'app' } }))).toMatchObject({
        code: 'invalid_configuration',
        message: expect.stringContaining(`authorizationParameters.${name}`) as string,
      })
  })

  test('X8 what a program adds changes nothing that the JWT says of itself', async () => {
    const evil = { iss: 'evil', aud: 'evil', exp: '9999999999', nbf: '0', jti: 'evil' }
    const claims = decodeJwt((await started(clientOf(signedRequests(keys.privateKey)), { authorizationParameters: evil })).jwt)
    expect(claims).toMatchObject({ iss: 'app', aud: issuer, nbf: expect.any(Number) as number, exp: (claims.iat ?? 0) + 60 })
    expect(claims.jti).not.toBe('evil')
  })

  test('X8 each has a jti of its own', async () => {
    const client = clientOf(signedRequests(keys.privateKey))
    const made = await Promise.all(Array.from({ length: 100 }, () => started(client)))
    expect(new Set(made.map(({ jwt }) => decodeJwt(jwt).jti)).size).toBe(100)
  })

  test.for(['RS256', 'PS256', 'ES384', 'Ed25519'])('X8 %s: as a PEM', async (algorithm) => {
    const { privateKey, publicKey } = await keyPair(algorithm)
    const { jwt } = await started(clientOf(signedRequests(await pemOf(privateKey), { algorithm })))
    await jwtVerify(jwt, publicKey, { currentDate: new Date(time), algorithms: [algorithm] })
  })

  test('X8 as a function the key is read anew for each request', async () => {
    const other = await keyPair('ES256')
    const given = [keys.privateKey, other.privateKey]
    const client = clientOf(signedRequests(() => given.shift() as CryptoKey))
    await jwtVerify((await started(client)).jwt, keys.publicKey, { currentDate: new Date(time) })
    await jwtVerify((await started(client)).jwt, other.publicKey, { currentDate: new Date(time) })
  })

  test('X8 X4 pushed, it is in the body with the client’s name, and the address has neither', async () => {
    const uri = 'urn:ietf:params:oauth:request_uri:1'
    const server = await faultServer({ '/par': json({ request_uri: uri, expires_in: 60 }, 201) })
    const client = withProofs(
      testClient({
        authorizationServer: metadata(server.origin, { pushed_authorization_request_endpoint: `${server.origin}/par` }),
        pushedAuthorizationRequests: true,
        signedRequests: signedRequests(keys.privateKey),
        dpop: true,
      }),
      memoryStore(),
    )
    const { url, pending } = await startAuthorization(client, request)
    expect(Object.fromEntries(url.searchParams)).toEqual({ client_id: 'app', request_uri: uri })
    const form = server.to('/par')[0]?.form ?? new URLSearchParams()
    expect([...form.keys()].toSorted()).toEqual(['client_id', 'request'])
    expect(decodeJwt(form.get('request') ?? '')).toMatchObject({ state: pending.state.reveal(), dpop_jkt: pending.boundTo })
  })

  test('a polluted prototype does not change what is signed', async () => {
    const prototype = Object.prototype as unknown as Record<string, unknown>
    const evil = { kid: 'evil', alg: 'RS512', sub: 'app', toJSON: () => 'evil', signedRequests: 'evil' }
    const client = clientOf(signedRequests(keys.privateKey))
    Object.assign(prototype, evil)
    const { jwt } = await started(client).finally(() => {
      for (const name of Object.keys(evil)) delete prototype[name]
    })
    expect(decodeProtectedHeader(jwt)).toEqual({ alg: 'ES256', typ: 'oauth-authz-req+jwt' })
    expect(decodeJwt(jwt)).toMatchObject({ iss: 'app', client_id: 'app', response_type: 'code' })
    expect(decodeJwt(jwt)).not.toHaveProperty('sub')
  })
})

describe('what is refused before anybody is sent anywhere', () => {
  test('X8 a server that takes signed requests only, by a client that has no key', async () => {
    const error = await failure(started(clientOf(undefined, {}, { require_signed_request_object: true })))
    expect(error).toMatchObject({ name: 'OAuthError', code: 'not_supported', message: expect.stringContaining('signedRequests') as string })
  })

  test('X8 a server that says it takes none', async () => {
    const client = clientOf(signedRequests(keys.privateKey), {}, { request_parameter_supported: false })
    expect(await failure(started(client))).toMatchObject({ code: 'not_supported' })
  })

  test.for<readonly [string, unknown]>([
    ['a key', 'a key'],
    ['nothing', null],
    ['an object', {}],
  ])('%s as the option is invalid_configuration at construction', ([, value]) => {
    expect(() => clientOf(value as SignedRequests)).toThrow(
      expect.objectContaining({ code: 'invalid_configuration', message: expect.stringContaining('signedRequests') as string }) as Error,
    )
  })

  test('an object that only looks like it is invalid_configuration', async () => {
    expect(await failure(started(clientOf({ type: 'oauth-authz-req+jwt' })))).toMatchObject({ code: 'invalid_configuration' })
  })

  test.for<readonly [string, unknown, object]>([
    ['no key', undefined, {}],
    ['a text that is no PEM', marker, {}],
    ['a public key', { kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA' }, {}],
    ['an option that nobody knows', undefined, { audience: 'x' }],
    ['an algorithm without a public key', undefined, { algorithm: 'HS256' }],
  ])('%s is invalid_configuration at once', ([what, key, options]) => {
    const given = what === 'no key' || key !== undefined ? key : keys.privateKey
    const make = () => signedRequests(given as CryptoKey, options)
    expect(make).toThrow(expect.objectContaining({ code: 'invalid_configuration' }) as Error)
  })

  test.for<readonly [string, unknown, string]>([
    ['throws', () => Promise.reject(new Error(marker)), 'client_refused'],
    ['gives no key', () => marker, 'invalid_configuration'],
  ])('a function that %s', async ([, key, code]) => {
    const error = await failure(started(clientOf(signedRequests(key as () => string))))
    expect(error).toMatchObject({ code })
    expectNoMarker(error)
  })

  test('nothing of the key is in what a program prints', () => {
    expectNoMarker(signedRequests(() => marker))
  })
})
