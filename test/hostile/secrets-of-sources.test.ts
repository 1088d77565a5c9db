import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exportJWK } from 'jose'
import { expect, onTestFinished, test } from 'vitest'
import type { ClientAuthentication, ClientOptions, OAuthEvent, TokenSource } from '../../src/index.js'
import {
  accessToken,
  clientAssertion,
  clientCredentials,
  clientSecretBasic,
  clientSecretJwt,
  clientSecretPost,
  jwtBearer,
  memoryStore,
  mutualTls,
  oauthFetch,
  privateKeyJwt,
  registerClient,
  sealed,
  tokenExchange,
} from '../../src/index.js'
import { fileStore } from '../../src/node/index.js'
import { type PostgresClient, postgresStore } from '../../src/postgres/index.js'
import { type RedisClient, redisStore } from '../../src/redis/index.js'
import { fakeSession, manualClock } from '../../src/testing/index.js'
import { issuer, request } from '../resource-server/issuer.js'
import { metadata } from '../support/client.js'
import { inTurn, nonceError } from '../support/dpop.js'
import { type FaultServer, faultServer, json } from '../support/fault-server.js'
import { keyPair, pemOf } from '../support/keys.js'
import { expectNothingPrinted } from '../support/printed.js'

// Every public object of tokens in one's own right that carries a secret, and of those who check tokens and keep them, printed in every way.

const clientSecret = 'client-secret-that-nobody-sees'
const assertion = 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbm4ifQ.an-assertion-that-nobody-sees'
const nonces = ['nonce-of-the-token-endpoint', 'nonce-of-the-resource-endpoint']
const encryptionKey = Buffer.alloc(32, 7).toString('base64')

/** Tokens that come one after the other, and an API that takes them. */
async function world(dpop: boolean): Promise<{ readonly server: FaultServer; readonly issued: readonly string[] }> {
  const issued: string[] = []
  const server = await faultServer()
  const answer = json
  server.on('/token', (received, response) => {
    if (dpop && issued.length === 0 && server.to('/token').length === 1) return nonceError(nonces[0])(received, response)
    issued.push(`access-token-that-nobody-sees-${issued.length}`)
    const token = { access_token: issued.at(-1), token_type: dpop ? 'DPoP' : 'Bearer', expires_in: 60 }
    const exchanged = { issued_token_type: 'urn:ietf:params:oauth:token-type:access_token' }
    return answer({ ...token, ...exchanged }, 200, dpop ? { 'dpop-nonce': nonces[0] ?? '' } : {})(received, response)
  })
  const wantsNonce = json({}, 401, { 'www-authenticate': 'DPoP error="use_dpop_nonce"', 'dpop-nonce': nonces[1] ?? '' })
  server.on('/notes', dpop ? inTurn(wantsNonce, json({ notes: [] })) : json({ notes: [] }))
  return { server, issued }
}

const sources: Readonly<Record<string, (options: ClientOptions) => TokenSource>> = {
  clientCredentials,
  'jwtBearer of a text': (options) => jwtBearer({ ...options, assertion }),
  'jwtBearer of a function': (options) => jwtBearer({ ...options, assertion: () => assertion }),
  'tokenExchange of a text': (options) =>
    tokenExchange({ ...options, subjectToken: assertion, subjectTokenType: 'urn:ietf:params:oauth:token-type:jwt' }),
  'tokenExchange of a function': (options) =>
    tokenExchange({ ...options, subjectToken: async () => assertion, subjectTokenType: 'urn:ietf:params:oauth:token-type:jwt' }),
}

test.for(Object.keys(sources).flatMap((name) => [false, true].map((dpop) => ({ name, dpop }))))(
  'attack 27 29 35 no object of $name shows a secret, an assertion, a token, a proof or a nonce, with dpop: $dpop',
  async ({ name, dpop }) => {
    const { server, issued } = await world(dpop)
    const events: OAuthEvent[] = []
    const store = sealed(memoryStore(), { encryptionKey })
    const clientAuthentication = clientSecretBasic(clientSecret)
    const source = sources[name]?.({
      authorizationServer: metadata(server.origin, { dpop_signing_alg_values_supported: ['ES256'] }),
      clientId: 'nightly',
      clientAuthentication,
      clock: manualClock(Date.now()),
      observe: (event) => void events.push(event),
      store,
      dpop,
    })
    if (source === undefined) throw new Error(`There is no source ${name}.`)
    const api = oauthFetch(source, { resources: [`${server.origin}/`] })
    expect((await api(`${server.origin}/notes`)).status).toBe(200)
    const first = await source.token()
    const later = await source.token({ rejected: first })
    server.on('/token', json({ error: 'invalid_grant', error_description: clientSecret, assertion }, 400))
    const thrown: unknown = await source.token({ rejected: later }).catch((error: unknown) => error)
    expect(thrown).toBeInstanceOf(Error)
    const proofs = server.received.map(({ headers }) => String(headers['dpop'] ?? '')).filter((proof) => proof !== '')
    expect([issued.length, proofs.length > 0]).toEqual([2, dpop])
    const secrets = [clientSecret, assertion, encryptionKey, ...issued, ...proofs, ...nonces]
    expectNothingPrinted(secrets, { source, api, first, later, thrown, store, clientAuthentication, events })
  },
)

test('attack 27 35 no client authentication shows its secret, its key or its assertion, before its use and after it', async () => {
  const keys = await keyPair('ES256')
  const [pem, jwk] = [await pemOf(keys.privateKey), await exportJWK(keys.privateKey)]
  const authentications: Readonly<Record<string, ClientAuthentication>> = {
    clientSecretBasic: clientSecretBasic(clientSecret),
    clientSecretPost: clientSecretPost(async () => clientSecret),
    clientSecretJwt: clientSecretJwt(clientSecret),
    'privateKeyJwt of a PEM': privateKeyJwt(pem),
    'privateKeyJwt of a JWK': privateKeyJwt({ ...jwk, alg: 'ES256' }),
    'privateKeyJwt of a function': privateKeyJwt(async () => pem),
    clientAssertion: clientAssertion(assertion),
    'clientAssertion of a function': clientAssertion(() => assertion),
    mutualTls: mutualTls(),
  }
  const secrets = [clientSecret, assertion, jwk.d ?? '', ...pem.split('\n').filter((line) => line.length > 40 && !line.startsWith('-'))]
  expectNothingPrinted(secrets, authentications)
  const { server } = await world(false)
  const thrown: unknown[] = []
  for (const clientAuthentication of Object.values(authentications)) {
    const source = clientCredentials({ authorizationServer: metadata(server.origin), clientId: 'nightly', clientAuthentication })
    await source.token().catch((error: unknown) => thrown.push(error))
  }
  expectNothingPrinted(secrets, { ...authentications, thrown })
})

test('attack 27 35 what a registration brings shows no secret, nor does its refusal', async () => {
  const server = await faultServer({
    '/register': json({ client_id: 'notes', client_secret: clientSecret, client_secret_expires_at: 0 }, 201),
  })
  const authorizationServer = metadata(server.origin, { registration_endpoint: `${server.origin}/register` })
  const asked = { authorizationServer, metadata: { token_endpoint_auth_method: 'client_secret_basic' } }
  const registered = await registerClient(asked)
  server.on('/register', json({ client_id: 7, client_secret: clientSecret, registration_access_token: clientSecret }, 201))
  const thrown: unknown = await registerClient(asked).catch((error: unknown) => error)
  expect(thrown).toBeInstanceOf(Error)
  expectNothingPrinted([clientSecret], { registered, thrown })
})

test('attack 27 35 no store shows its key, nor what refuses one', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'valetkey-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const redis = { hmGet: async () => [null, null, null], eval: async () => 1 } as unknown as RedisClient
  const postgres = { query: async () => ({ rows: [], rowCount: 0 }) } as unknown as PostgresClient
  const named = { old: encryptionKey, new: Buffer.alloc(32, 8).toString('base64') }
  const stores: Readonly<Record<string, unknown>> = {
    sealed: sealed(memoryStore(), { encryptionKey }),
    'sealed by several': sealed(memoryStore(), { encryptionKey: named }),
    'sealed by a function': sealed(memoryStore(), { encryptionKey: () => encryptionKey }),
    fileStore: await fileStore(join(folder, 'records.json'), { encryptionKey }),
    redisStore: redisStore(redis, { encryptionKey }),
    postgresStore: postgresStore(postgres, { encryptionKey }),
    thrown: await (async () => sealed(memoryStore(), { encryptionKey: encryptionKey.slice(0, 40) }))().catch((error: unknown) => error),
  }
  expect(stores['thrown']).toBeInstanceOf(Error)
  expectNothingPrinted([encryptionKey, named.new, encryptionKey.slice(0, 40)], stores)
})

test('attack 27 35 no object of a resource server shows the token that a request carries, the proof of it, or the API’s own secret', async () => {
  const { api, another, token, thumbprint, proof, says, server } = await issuer()
  const [jwt, random] = [await token(), 'a-random-string-that-nobody-sees']
  const bound = await token({ cnf: { jkt: await thumbprint() } })
  says({ token_type: 'Bearer' })
  const proofs = [await proof(bound), await proof(bound)]
  const withProof = (one: string | undefined) => request(`DPoP ${bound}`, { dpop: one ?? '' })
  const verified = {
    'a JWT': await api.verifyAccessToken(request(`Bearer ${jwt}`)),
    'a random string': await api.verifyAccessToken(request(`Bearer ${random}`)),
    'a bound one': await api.verifyAccessToken(withProof(proofs[0])),
  }
  expect(Object.values(verified).map(({ ok }) => ok)).toEqual([true, true, true])
  says({ active: false, client_secret: 'secret of the API' })
  const refused = {
    'a random string': await api.verifyAccessToken(request(`Bearer ${random}`)),
    'a JWT that was changed': await api.verifyAccessToken(request(`Bearer ${jwt.slice(0, -4)}AAAA`)),
    'a bound one as Bearer': await api.verifyAccessToken(request(`Bearer ${bound}`)),
    'a proof that was used': await api.verifyAccessToken(withProof(proofs[0])),
    'no proof': await api.verifyAccessToken(withProof('none')),
    'too little scope': await api.verifyAccessToken(request(`Bearer ${jwt}`), { scope: ['admin'] }),
    malformed: await api.verifyAccessToken(request(`Bearer ${jwt} ${random}`)),
  }
  expect(Object.values(refused).map(({ ok }) => ok)).not.toContain(true)
  const said = await Promise.all(
    Object.values(refused).map(async (one) => (one.ok ? '' : [...one.response.headers, await one.response.clone().text()].join())),
  )
  server.on('/introspect', json({ error: 'invalid_client', error_description: 'secret of the API' }, 401))
  const thrown: unknown = await another({})
    .verifyAccessToken(request(`Bearer ${random}`))
    .catch((error: unknown) => error)
  expect(thrown).toBeInstanceOf(Error)
  const secrets = [
    jwt,
    bound,
    random,
    ...proofs,
    'secret of the API',
    'secret+of+the+API',
    Buffer.from('api:secret+of+the+API').toString('base64'),
  ]
  expectNothingPrinted(secrets, { api, verified, refused, said, thrown })
})

test('a session of an application’s own tests does not print its token either', async () => {
  const given = 'a-token-that-nobody-sees'
  const session = fakeSession({ status: 'signed_in', grantedScope: ['notes:read'], token: accessToken(given) })
  const token = await session.token()
  expect(token.reveal()).toBe(given)
  expectNothingPrinted([given], { session, token, snapshot: session.snapshot() })
})
