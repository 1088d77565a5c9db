import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { type DemoApi, startApi } from '../../demo/servers/api.js'
import {
  type DemoAuthorizationServer,
  mailResource,
  notesResource,
  startAuthorizationServer,
} from '../../demo/servers/authorization-server.js'
import type { OAuthEvent } from '../../src/core/events.js'
import type { Clock, Store } from '../../src/core/ports.js'
import { fileStore } from '../../src/node/file-store.js'
import { oauthFetch } from '../../src/oauth-fetch.js'
import { clientSecretBasic } from '../../src/protocol/client-secret.js'
import { serverSignIn } from '../../src/server-sign-in.js'
import { clientCredentials } from '../../src/sources/client-credentials.js'
import { memoryStore } from '../../src/stores/memory.js'
import { userSession } from '../../src/user-session.js'
import { readProof } from '../support/dpop.js'
import { robot } from '../support/robot.js'
import { shiftedClock } from '../support/shifted-clock.js'
import { expectNothingFound } from '../support/sweep.js'

// Bound tokens against oidc-provider, which checks every proof, and an API that does, with valetkey's own resource server: so that the two sides do not
// vouch for each other only, jose reads what went to the API.

const redirectUri = 'https://app.example/callback'
const secret = 'a-client-secret-of-the-tests'
let server: DemoAuthorizationServer
let api: DemoApi
let required = true

beforeAll(async () => {
  server = await startAuthorizationServer({
    clients: [
      { clientId: 'tool', redirectUris: [redirectUri] },
      { clientId: 'job', clientSecret: secret, grants: ['client_credentials'] },
    ],
    automatic: { account: 'ann' },
    dpop: { nonceSecret: randomBytes(32), requireNonce: () => required },
  })
  api = await startApi({ issuer: server.issuer, resourceServer: server.resourceServer })
})
beforeEach(() => {
  required = true
  api.trouble.nonceKey = undefined
  api.trouble.refuse = 'nothing'
})
afterAll(async () => {
  await api.close()
  await server.close()
  expect(server.errors).toEqual([])
  expect(server.counters.reuses).toBe(0)
})

/** The proofs that a fetch carried, with the address of each and the status of its answer. */
function watched() {
  const proofs: { readonly url: string; readonly proof: string; readonly authorization: string | null; status: number }[] = []
  const watching: typeof fetch = async (input, init) => {
    const headers = new Headers(init?.headers)
    const proof = { url: String(input), proof: headers.get('dpop') ?? '', authorization: headers.get('authorization'), status: 0 }
    if (proof.proof !== '') proofs.push(proof)
    const response = await fetch(input, init)
    proof.status = response.status
    return response
  }
  return { proofs, fetch: watching }
}

interface Options {
  readonly store?: Store
  readonly clock?: Clock
  readonly fetch?: typeof fetch
  readonly observe?: (event: OAuthEvent) => void
  readonly scope?: readonly string[]
}

function tool({ store = memoryStore(), ...more }: Options = {}) {
  const requests: URL[] = []
  const session = userSession({
    issuer: server.issuer,
    clientId: 'tool',
    scope: ['openid', 'mail:read', 'mail:send'],
    resource: mailResource.identifier,
    dpop: true,
    userAgent: robot({ redirectUri, onRequest: (url) => requests.push(url) }),
    redirectUri,
    store,
    ...more,
  })
  const call = oauthFetch(session, { resources: [`${api.origin}/`], ...(more.fetch === undefined ? {} : { fetch: more.fetch }) })
  return { session, requests, call, mail: async (init?: RequestInit) => (await call(`${api.origin}/mail?folder=1#top`, init)).status }
}

test('P1 P2 P4 P13 a sign-in binds the code and the tokens to one key, and the API gets them with a proof of that key', async () => {
  const { proofs, fetch } = watched()
  const { session, requests, mail } = tool({ fetch })
  await session.signIn()
  expect(await mail()).toBe(200)
  const bound = api.log.at(-1)?.boundTo
  expect(bound).toMatch(/^[\w-]{43}$/)
  expect(requests.map((url) => url.searchParams.get('dpop_jkt'))).toEqual([bound])
  const token = await session.token()
  expect(token.tokenType).toBe('DPoP')
  const { url, proof, authorization } = proofs.at(-1) ?? { url: '', proof: '', authorization: '' }
  expect(authorization).toBe(`DPoP ${token.reveal()}`)
  const read = await readProof(proof)
  expect(read.key).toBe(bound)
  expect(read.header).toEqual({
    typ: 'dpop+jwt',
    alg: 'ES256',
    jwk: { kty: 'EC', crv: 'P-256', x: expect.any(String), y: expect.any(String) },
  })
  expect(url).toContain('?folder=1')
  expect(read.claims).toEqual({
    htm: 'GET',
    htu: `${api.origin}/mail`,
    jti: expect.any(String),
    iat: expect.any(Number),
    ath: createHash('sha256').update(token.reveal()).digest('base64url'),
  })
  expect(Math.abs((read.claims.iat ?? 0) - Date.now() / 1_000)).toBeLessThan(60)
})

test('P2 P5 P6 of every call that the API accepts, and of every token request, jose finds the proof right: signed by the one key, for this request and this nonce', async () => {
  const { proofs, fetch } = watched()
  const { session, mail } = tool({ fetch })
  await session.signIn()
  api.trouble.nonceKey = newNonceKey()
  for (const method of ['GET', 'POST', 'GET']) await mail({ method })
  await session.token({ rejected: await session.token() })
  expect(await mail()).toBe(200)
  const read = await Promise.all(
    proofs.map(async ({ url, authorization, proof, status }) => {
      const { claims, key } = await readProof(proof)
      const token = authorization?.replace(/^DPoP /, '')
      expect(claims['htu']).toBe(new URL(url).origin + new URL(url).pathname)
      expect(claims['ath']).toBe(token === undefined ? undefined : createHash('sha256').update(token).digest('base64url'))
      return { jti: claims.jti, key, said: `${new URL(url).pathname} ${claims['nonce'] === undefined ? 'no' : 'a'} nonce ${status}` }
    }),
  )
  expect(new Set(read.map(({ key }) => key)).size).toBe(1)
  expect(new Set(read.map(({ jti }) => jti)).size).toBe(read.length)
  expect(read.map(({ said }) => said)).toEqual([
    '/token no nonce 400',
    '/token a nonce 200',
    '/mail no nonce 401',
    '/mail a nonce 200',
    '/mail a nonce 202',
    '/mail a nonce 200',
    '/token a nonce 200',
    '/mail a nonce 200',
  ])
})

const newNonceKey = () => randomBytes(32).toString('base64')

test('R12 every renewal proves the key of the first token, in another process too', async () => {
  const store = memoryStore()
  const one = tool({ store })
  await one.session.signIn()
  const first = await one.session.token()
  await one.mail()
  await one.session.token({ rejected: first })
  await one.mail()
  const other = tool({ store: processOf(store) })
  expect(await other.session.resume()).toBe(true)
  await other.session.token({ rejected: await other.session.token() })
  await other.mail()
  const keys = api.log.slice(-3).map(({ boundTo }) => boundTo)
  expect(keys[0]).toBeDefined()
  expect(new Set(keys).size).toBe(1)
})

/** The same store as another process has it: no object is shared. */
function processOf(store: Store): Store {
  return { get: (key) => store.get(key), replace: (key, seen, next) => store.replace(key, seen, next) }
}

const tokenErrors = (from: number) => server.log.slice(from).filter(({ path }) => path === '/token')

test('P5 the token endpoint wants a nonce: one more request, and none when it is known', async () => {
  const store = memoryStore()
  const { session } = tool({ store })
  const from = server.log.length
  await session.signIn()
  expect(tokenErrors(from).map(({ error, status }) => error ?? status)).toEqual(['use_dpop_nonce', 200])
  await session.token({ rejected: await session.token() })
  expect(tokenErrors(from).map(({ error, status }) => error ?? status)).toEqual(['use_dpop_nonce', 200, 200])
})

describe('a fleet', () => {
  test('P7 two processes over one store have one key, and pay one request for the nonce of the token endpoint', async () => {
    const store = memoryStore()
    const from = server.log.length
    const job = (scope: string) =>
      clientCredentials({
        issuer: server.issuer,
        clientId: 'job',
        clientAuthentication: clientSecretBasic(secret),
        scope: [scope],
        resource: scope.startsWith('notes') ? notesResource.identifier : mailResource.identifier,
        dpop: true,
        store: processOf(store),
      })
    const [one, two] = [job('mail:read'), job('mail:send')]
    await one.token()
    await two.token()
    expect(tokenErrors(from).map(({ error, status }) => error ?? status)).toEqual(['use_dpop_nonce', 200, 200])
    const call = async (source: typeof one, method: string) =>
      (await oauthFetch(source, { resources: [`${api.origin}/`] })(`${api.origin}/mail`, { method })).status
    expect([await call(one, 'GET'), await call(two, 'POST')]).toEqual([200, 202])
    const [first, second] = api.log.slice(-2)
    expect(first?.boundTo).toBeDefined()
    expect(first?.boundTo).toBe(second?.boundTo)
  })

  test('P6 and pay one for a new nonce of an API', async () => {
    const store = memoryStore()
    const clock = shiftedClock()
    const one = tool({ store })
    await one.session.signIn()
    const other = tool({ store: processOf(store), clock })
    expect(await other.session.resume()).toBe(true)
    expect(await other.mail()).toBe(200)
    api.trouble.nonceKey = newNonceKey()
    const from = api.log.length
    expect(await one.mail()).toBe(200)
    clock.forward(100)
    expect(await other.mail()).toBe(200)
    expect(api.log.slice(from).map(({ status }) => status)).toEqual([401, 200, 200])
  })
})

test('P13 a server signs a user in, and a job of another process acts for them with the same key', async () => {
  const store = memoryStore()
  const client = { issuer: server.issuer, clientId: 'tool', dpop: true, resource: mailResource.identifier }
  const routes = serverSignIn({ ...client, store, redirectUri, scope: ['openid', 'mail:read'] })
  const { location, binding } = await routes.start()
  expect(location.searchParams.get('dpop_jkt')).toMatch(/^[\w-]{43}$/)
  const { account } = await routes.finish(await robot({ redirectUri }).authorize(async () => location, {}), { binding })
  const job = userSession({ ...client, store: processOf(store), account })
  await job.token({ rejected: await job.token() })
  expect((await oauthFetch(job, { resources: [`${api.origin}/`] })(`${api.origin}/mail`)).status).toBe(200)
  expect(api.log.at(-1)?.boundTo).toBe(location.searchParams.get('dpop_jkt'))
})

test('P16 a clock that is ten minutes behind learns the server’s time from its refusal', async () => {
  required = false
  const behind = shiftedClock()
  behind.forward(-600_000)
  // Without openid, for an ID token says itself when it was made.
  const { session, mail } = tool({ clock: behind, scope: ['mail:read'] })
  await session.signIn()
  expect(await mail()).toBe(200)
})

test('P7 R12 processes over one file have one key, and pay one request for a nonce', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'valetkey-dpop-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const options = { encryptionKey: randomBytes(32).toString('base64') }
  const stores = [await fileStore(join(folder, 'tokens'), options), await fileStore(join(folder, 'tokens'), options)] as const
  const from = server.log.length
  const one = tool({ store: stores[0] })
  await one.session.signIn()
  const other = tool({ store: stores[1] })
  expect(await other.session.resume()).toBe(true)
  await other.session.token({ rejected: await other.session.token() })
  expect(await other.mail()).toBe(200)
  expect(await one.mail()).toBe(200)
  expect(tokenErrors(from).map(({ error, status }) => error ?? status)).toEqual(['use_dpop_nonce', 200, 200])
  const [first, second] = api.log.slice(-2)
  expect(first?.boundTo).toBe(second?.boundTo)
  // On the disk nothing of the key can be read.
  const files = await readdir(folder, { recursive: true, withFileTypes: true })
  const texts = await Promise.all(files.filter((file) => file.isFile()).map((file) => readFile(join(file.parentPath, file.name), 'utf8')))
  expect(texts.join()).toContain('dpop')
  expect(texts.join()).not.toMatch(/"kty"|"d"/)
})

test(
  'R5 1,000 calls at once with an expired bound token make one token request, and one more where the nonce is another',
  { timeout: 120_000 },
  async () => {
    const clock = shiftedClock()
    const store = memoryStore()
    const { session, call } = tool({ clock, store })
    await session.signIn()
    const storm = async () => Promise.all(Array.from({ length: 1_000 }, async () => (await call(`${api.origin}/mail`)).status))
    clock.forward(61_000)
    let from = server.log.length
    expect(new Set(await storm())).toEqual(new Set([200]))
    expect(tokenErrors(from).map(({ error, status }) => error ?? status)).toEqual([200])
    // A nonce that the server does not know any more.
    clock.forward(61_000)
    from = server.log.length
    await spoilNonces(store)
    expect(new Set(await storm())).toEqual(new Set([200]))
    expect(tokenErrors(from).map(({ error, status }) => error ?? status)).toEqual(['use_dpop_nonce', 200])
  },
)

/** Puts another nonce in the place of each. */
async function spoilNonces(store: Store): Promise<void> {
  const key = ['valetkey', 'dpop', server.issuer, 'tool', 'nonces'].map(encodeURIComponent).join(':')
  const held = await store.get(key)
  const spoilt = (held?.value ?? '').replaceAll(/,"[^"]+"\]/g, ',"spoilt"]')
  expect(await store.replace(key, held?.version, { version: 'spoilt', value: spoilt })).toBe(true)
}

test('no token, no proof and nothing of the key is where it does not belong', async () => {
  const events: OAuthEvent[] = []
  const { proofs, fetch } = watched()
  const store = memoryStore()
  const { session, mail } = tool({ fetch, store, observe: (event) => events.push(event) })
  await session.signIn()
  await mail()
  const token = await session.token()
  api.trouble.refuse = 'token'
  await mail()
  server.revokeGrants()
  const error = await session.token({ rejected: await session.token() }).catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({ code: 'sign_in_required' })
  const key = (await store.get(['valetkey', 'dpop', server.issuer, 'tool', 'ES256'].map(encodeURIComponent).join(':')))?.value ?? ''
  const { d } = JSON.parse((JSON.parse(key) as { jwk: string }).jwk) as { d: string }
  expectNothingFound([...server.issued(), ...proofs.map(({ proof }) => proof), d], { events, token, session, error, log: api.log })
})
