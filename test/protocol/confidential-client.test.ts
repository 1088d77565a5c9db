import { X509Certificate } from 'node:crypto'
import { type Server, createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { ClientMetadata } from 'oidc-provider'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { ClientAuthentication } from '../../src/core/client.js'
import { prepareClientCredentials } from '../../src/grants/client-credentials.js'
import { clientAssertion } from '../../src/protocol/client-assertion.js'
import { mutualTls } from '../../src/protocol/client-authentication.js'
import { clientSecretBasic, clientSecretJwt, clientSecretPost } from '../../src/protocol/client-secret.js'
import { privateKeyJwt } from '../../src/protocol/private-key-jwt.js'
import { revoke } from '../../src/protocol/revocation.js'
import { systemClock } from '../../src/system-clock.js'
import { clientCertificate, fetchWith, selfSigned } from '../support/certificate.js'
import { metadata, testClient } from '../support/client.js'
import { type ConfidentialServer, confidentialServer, jobClient } from '../support/confidential-server.js'
import { keyPair, pemOf } from '../support/keys.js'
import { recordOf } from '../support/renewal.js'

// Every client authentication against a real authorization server, oidc-provider, by client credentials.

async function outcomeOf(issuer: string, clientAuthentication: ClientAuthentication, more: Readonly<Record<string, unknown>> = {}) {
  const client = testClient({ issuer, clientAuthentication, scope: ['reports:read'], ...more }, systemClock)
  const outcome = await (await prepareClientCredentials(client)(recordOf(client), {})).send()
  return { client, outcome, said: outcome.ok ? 'a token' : outcome.error.code }
}

/** What comes of one request by each of these. */
async function saidTo(server: ConfidentialServer, attempts: Readonly<Record<string, ClientAuthentication>>, more = {}) {
  const said: Record<string, string> = {}
  for (const [name, one] of Object.entries(attempts))
    said[name] = (await outcomeOf(server.issuer, one, { clientId: 'nightly', ...more })).said
  return said
}

test('K3 T5 clientSecretBasic, id and secret with characters that need encoding', async () => {
  // oidc-provider registers no secret beyond ASCII (RFC 6749 appendix A.2); `é` is in client-authentication.test.ts.
  const client_secret = 'p%+ :&=~/?'
  const odd = jobClient('a:b c', { client_secret, token_endpoint_auth_method: 'client_secret_basic' })
  const server = await confidentialServer({ clients: [odd] })
  const { outcome, client } = await outcomeOf(server.issuer, clientSecretBasic(client_secret), { clientId: 'a:b c' })
  expect(outcome.ok && outcome.answer.scope).toEqual(['reports:read'])
  if (outcome.ok) expect(await revoke(client, outcome.answer.accessToken, 'access_token')).toBe('revoked')
  expect((await outcomeOf(server.issuer, clientSecretBasic('p%+ :&=~/'), { clientId: 'a:b c' })).said).toBe('client_refused')
  expect(server.to('/token')[0]?.form).not.toHaveProperty('client_secret')
})

test('K4 clientSecretPost', async () => {
  const client_secret = 'p%+ :&=~/?'
  const server = await confidentialServer({
    clients: [jobClient('nightly', { client_secret, token_endpoint_auth_method: 'client_secret_post' })],
  })
  expect(await saidTo(server, { right: clientSecretPost(client_secret), wrong: clientSecretPost('another') })).toEqual({
    right: 'a token',
    wrong: 'client_refused',
  })
})

test('K6 clientSecretJwt', async () => {
  const client_secret = 'thirty-two-bytes-are-the-least-for-HS256'
  const server = await confidentialServer({
    clients: [jobClient('nightly', { client_secret, token_endpoint_auth_method: 'client_secret_jwt' })],
  })
  expect(await saidTo(server, { right: clientSecretJwt(client_secret), wrong: clientSecretJwt(client_secret.replace('t', 'T')) })).toEqual({
    right: 'a token',
    wrong: 'client_refused',
  })
})

async function withKeys(algorithms: readonly string[]) {
  const pairs = await Promise.all(algorithms.map(async (algorithm) => ({ algorithm, ...(await keyPair(algorithm)) })))
  const keys = await Promise.all(
    pairs.map(async ({ publicKey, algorithm }) => ({
      ...(await crypto.subtle.exportKey('jwk', publicKey)),
      kid: algorithm,
      alg: algorithm,
      use: 'sig',
    })),
  )
  const registered = { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys } } as unknown as Partial<ClientMetadata>
  return { pairs, server: await confidentialServer({ clients: [jobClient('nightly', registered)] }) }
}

test('K6 K7 K8 privateKeyJwt, of every kind of key: fresh at each request, and accepted once', async () => {
  const { pairs, server } = await withKeys(['RS256', 'PS256', 'ES256', 'ES384', 'ES512', 'Ed25519'])
  for (const { algorithm, privateKey } of pairs) {
    const authentication = privateKeyJwt(await pemOf(privateKey), { algorithm, keyId: algorithm })
    expect((await outcomeOf(server.issuer, authentication, { clientId: 'nightly' })).said).toBe('a token')
    expect((await outcomeOf(server.issuer, authentication, { clientId: 'nightly' })).said).toBe('a token')
  }
  const stranger = privateKeyJwt((await keyPair('ES256')).privateKey, { keyId: 'ES256' })
  expect((await outcomeOf(server.issuer, stranger, { clientId: 'nightly' })).said).toBe('client_refused')
})

test('K8 an assertion that was used is refused by the server: a fixed one serves once', async () => {
  const { pairs, server } = await withKeys(['ES256'])
  let captured = ''
  const stealing: typeof fetch = async (input, init) => {
    captured = new URLSearchParams(String(init?.body ?? '')).get('client_assertion') ?? captured
    return fetch(input, init)
  }
  const authentication = privateKeyJwt(pairs[0]!.privateKey)
  expect((await outcomeOf(server.issuer, authentication, { clientId: 'nightly', fetch: stealing })).said).toBe('a token')
  expect((await outcomeOf(server.issuer, clientAssertion(captured), { clientId: 'nightly' })).said).toBe('client_refused')
})

test('K9 a machine whose clock is ten minutes fast is accepted when the program brings a clock that is right', async () => {
  const { pairs, server } = await withKeys(['ES256'])
  const machine = { ...systemClock, now: () => systemClock.now() + 600_000 }
  const right = { ...machine, now: () => machine.now() - 600_000 }
  const authentication = privateKeyJwt(pairs[0]!.privateKey)
  expect((await outcomeOf(server.issuer, authentication, { clientId: 'nightly', clock: machine })).said).toBe('client_refused')
  expect((await outcomeOf(server.issuer, authentication, { clientId: 'nightly', clock: right })).said).toBe('a token')
})

test('clientAssertion: what another signs for the client', async () => {
  const { pairs, server } = await withKeys(['ES256'])
  const { SignJWT } = await import('jose')
  const signed = () =>
    new SignJWT({ jti: crypto.randomUUID() })
      .setProtectedHeader({ alg: 'ES256' })
      .setIssuer('nightly')
      .setSubject('nightly')
      .setAudience(server.issuer)
      .setExpirationTime('1m')
      .sign(pairs[0]!.privateKey)
  const authentication = clientAssertion(signed)
  expect(await saidTo(server, { first: authentication, second: authentication })).toEqual({ first: 'a token', second: 'a token' })
})

describe('mutual TLS', () => {
  const ours = fetchWith({ ca: selfSigned.cert, ...clientCertificate })
  const strangers = fetchWith({ ca: selfSigned.cert, ...selfSigned })
  const nobodys = fetchWith({ ca: selfSigned.cert })

  async function clientOf(more: object) {
    return confidentialServer({ clients: [jobClient('nightly', more as Partial<ClientMetadata>)], tls: true })
  }

  async function saidWith(server: ConfidentialServer) {
    const said: Record<string, string> = {}
    for (const [name, fetch] of Object.entries({ ours, strangers, nobodys })) {
      said[name] = (await outcomeOf(server.issuer, mutualTls(), { clientId: 'nightly', fetch })).said
    }
    return said
  }

  test('K12 a certificate that the server knows by its key, at the alias of the token endpoint', async () => {
    const { subject, publicKey } = new X509Certificate(clientCertificate.cert)
    expect(subject).toBe('CN=nightly')
    const x5c = [clientCertificate.cert.replaceAll(/-----[A-Z ]+-----|\s/g, '')]
    const jwk = { ...publicKey.export({ format: 'jwk' }), x5c, use: 'sig' }
    const server = await clientOf({ token_endpoint_auth_method: 'self_signed_tls_client_auth', jwks: { keys: [jwk] } })
    expect(await saidWith(server)).toEqual({ ours: 'a token', strangers: 'client_refused', nobodys: 'client_refused' })
    expect(new Set(server.to('/token').map(({ origin }) => origin))).toEqual(new Set([server.aliases]))
    expect(server.aliases).not.toBe(server.issuer)
  })

  test('K12 a certificate that the server knows by its issuer and subject; revocation goes to its alias too', async () => {
    const server = await clientOf({ token_endpoint_auth_method: 'tls_client_auth', tls_client_auth_subject_dn: 'CN=nightly' })
    expect(await saidWith(server)).toEqual({ ours: 'a token', strangers: 'client_refused', nobodys: 'client_refused' })
    const { client, outcome } = await outcomeOf(server.issuer, mutualTls(), { clientId: 'nightly', fetch: ours })
    expect(outcome.ok && (await revoke(client, outcome.answer.accessToken, 'access_token'))).toBe('revoked')
    expect(server.to('/token/revocation').map(({ origin }) => origin)).toEqual([server.aliases])
  })
})

describe('the server’s certificate', () => {
  async function tokenServer(options: object) {
    const server: Server = createServer({ ...selfSigned, ...options }, (_, response) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"access_token":"at","token_type":"Bearer"}'),
    )
    const requests: string[] = []
    server.on('request', (request) => requests.push(request.url ?? ''))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
    return { requests, origin: `https://127.0.0.1:${(server.address() as AddressInfo).port}` }
  }

  async function send(origin: string, fetch?: typeof globalThis.fetch) {
    const authorizationServer = metadata(origin)
    const client = testClient({
      authorizationServer,
      clientAuthentication: clientSecretPost('s'),
      ...(fetch === undefined ? {} : { fetch }),
    })
    return (await prepareClientCredentials(client)(recordOf(client), {})).send()
  }

  test('K13 D9 one that nobody vouches for gets no credential', async () => {
    const { origin, requests } = await tokenServer({})
    const outcome = await send(origin)
    expect(!outcome.ok && outcome.error).toMatchObject({ code: 'network' })
    expect(requests).toEqual([])
    expect((await send(origin, fetchWith({ ca: selfSigned.cert }))).ok).toBe(true)
  })

  test('K14 a server that has nothing newer than TLS 1.1 gets no credential', async () => {
    const trusting = fetchWith({ ca: selfSigned.cert })
    const old = await tokenServer({ minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' })
    const outcome = await send(old.origin, trusting)
    expect(!outcome.ok && outcome.error).toMatchObject({ code: 'network' })
    expect(old.requests).toEqual([])
    const young = await tokenServer({ minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' })
    expect((await send(young.origin, trusting)).ok).toBe(true)
  })
})
