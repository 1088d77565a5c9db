import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { inspect } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ClientAuthentication } from '../../src/core/client.js'
import type { ClientSecret } from '../../src/core/credentials.js'
import { Secret } from '../../src/core/secret.js'
import { clientAssertion } from '../../src/protocol/client-assertion.js'
import { mutualTls, none } from '../../src/protocol/client-authentication.js'
import { clientSecretBasic, clientSecretJwt, clientSecretPost } from '../../src/protocol/client-secret.js'
import { privateKeyJwt } from '../../src/protocol/private-key-jwt.js'
import { revoke } from '../../src/protocol/revocation.js'
import { manualClock } from '../../src/testing/manual-clock.js'
import { metadata, testClient } from '../support/client.js'
import { type FaultServer, faultServer, json } from '../support/fault-server.js'
import { keyPair } from '../support/keys.js'
import { expectNoMarker, marker } from '../support/marker.js'
import { renewal } from '../support/renewal.js'
import { failure } from '../support/sign-in.js'

const tokens = { access_token: `at-${marker}`, token_type: 'Bearer' }
const secret = `s3cret-${marker}`

async function serverAnd(clientAuthentication: ClientAuthentication, more: Readonly<Record<string, unknown>> = {}) {
  const server = await faultServer({ '/token': json(tokens), '/revoke': json({}) })
  return { server, client: testClient({ authorizationServer: metadata(server.origin), clientAuthentication, ...more }) }
}

/** The one request to the token endpoint of a renewal by such a client. */
async function sentBy(clientAuthentication: ClientAuthentication, more: Readonly<Record<string, unknown>> = {}) {
  const { server, client } = await serverAnd(clientAuthentication, more)
  expect((await renewal(client)).ok).toBe(true)
  const [request] = server.to('/token')
  if (request === undefined) throw new Error('nothing was sent')
  return request
}

const methods: readonly (readonly [string, (secret: ClientSecret) => ClientAuthentication, readonly string[]])[] = [
  ['clientSecretBasic', clientSecretBasic, ['authorization']],
  ['clientSecretPost', clientSecretPost, ['client_secret']],
  ['clientSecretJwt', clientSecretJwt, ['client_assertion']],
  ['clientAssertion', clientAssertion, ['client_assertion']],
]

describe('the request', () => {
  test('K3 id and secret are form-encoded before base64', async () => {
    const { headers } = await sentBy(clientSecretBasic('p%+é'), { clientId: 'a:b c' })
    expect(Buffer.from(headers.authorization?.replace('Basic ', '') ?? '', 'base64').toString()).toBe('a%3Ab+c:p%25%2B%C3%A9')
  })

  test('K3 whatever they are, a server that decodes them as forms are decoded finds them', async () => {
    const decoded = (part = '') => new URLSearchParams(`x=${part}`).get('x')
    const printable = fc.string({ unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)), minLength: 1 })
    const anything = fc.string({ unit: 'binary', minLength: 1 }).filter((text) => !/\p{Cc}/u.test(text))
    const fetch = (async () => Response.json(tokens)) as typeof globalThis.fetch
    await fc.assert(
      fc.asyncProperty(printable, anything, async (clientId, secret) => {
        let authorization = ''
        const recording = ((url: string, init: RequestInit) => {
          authorization = (init.headers as Record<string, string>)['authorization'] ?? ''
          return fetch(url, init)
        }) as typeof globalThis.fetch
        const authorizationServer = metadata('https://as.example')
        await renewal(testClient({ authorizationServer, clientId, clientAuthentication: clientSecretBasic(secret), fetch: recording }))
        const parts = Buffer.from(authorization.replace('Basic ', ''), 'base64').toString().split(':')
        expect(parts.map(decoded)).toEqual([clientId, secret])
      }),
    )
  })

  test('K3 with the quirk basic_without_encoding they are sent as they are, in UTF-8', async () => {
    const { headers } = await sentBy(clientSecretBasic('p%+é'), { clientId: 'a b', serverQuirks: ['basic_without_encoding'] })
    expect(Buffer.from(headers.authorization?.replace('Basic ', '') ?? '', 'base64').toString()).toBe('a b:p%+é')
  })

  test('K3 with that quirk an id with a colon is refused, for the colon would end it', async () => {
    const { server, client } = await serverAnd(clientSecretBasic(secret), { clientId: 'a:b', serverQuirks: ['basic_without_encoding'] })
    expect(await failure(renewal(client))).toMatchObject({ code: 'invalid_configuration' })
    expect(server.received).toEqual([])
  })

  test.for([...methods, ['mutualTls', mutualTls, []] as const])(
    'T5 K4 %s: one method a request, and nothing of it in the address',
    async ([, make, shows]) => {
      const { path, headers, form } = await sentBy(make(secret))
      const shown = [...form.keys(), ...Object.keys(headers)].filter((name) =>
        ['authorization', 'client_secret', 'client_assertion'].includes(name),
      )
      expect(shown).toEqual(shows)
      expect(path).toBe('/token')
      expect(form.getAll('client_id').length).toBe(shows[0] === 'authorization' ? 0 : 1)
    },
  )

  test.for(methods)('%s proves the client at the revocation endpoint too', async ([, make, [where = '']]) => {
    const { server, client } = await serverAnd(make(secret))
    expect(await revoke(client, Secret.of('rt'), 'refresh_token')).toBe('revoked')
    const [request] = server.to('/revoke')
    expect(request?.form.get(where) ?? request?.headers[where]).toBeTypeOf('string')
  })
})

describe('mutual TLS', () => {
  const aliases = (origin: string) => ({
    mtls_endpoint_aliases: { token_endpoint: `${origin}/alias/token`, revocation_endpoint: `${origin}/alias/revoke` },
  })

  async function aliased(clientAuthentication: ClientAuthentication) {
    const server = await faultServer()
    for (const path of ['/token', '/revoke', '/alias/token', '/alias/revoke']) server.on(path, json(tokens))
    const client = testClient({ authorizationServer: metadata(server.origin, aliases(server.origin)), clientAuthentication })
    await renewal(client)
    await revoke(client, Secret.of('rt'), 'refresh_token')
    return server.received.map(({ path, form }) => [path, form.get('client_id')])
  }

  test('K12 it goes to mtls_endpoint_aliases, with the client_id', async () => {
    expect(await aliased(mutualTls())).toEqual([
      ['/alias/token', 'app'],
      ['/alias/revoke', 'app'],
    ])
  })

  test('K12 every other client goes to the endpoints that are not aliases', async () => {
    expect(await aliased(clientSecretPost(secret))).toEqual([
      ['/token', 'app'],
      ['/revoke', 'app'],
    ])
  })

  test('K12 an endpoint without an alias is used as it is', async () => {
    const server = await faultServer({ '/token': json(tokens) })
    const authorizationServer = metadata(server.origin, { mtls_endpoint_aliases: {} })
    expect((await renewal(testClient({ authorizationServer, clientAuthentication: mutualTls() }))).ok).toBe(true)
  })

  test.for(['http://evil.example/token', 'javascript:alert(1)', 'ftp://as.example/token', 7])(
    'K12 D10 an alias that is %s is refused, and nothing is sent',
    async (alias) => {
      const server = await faultServer()
      const issuer = server.origin
      const document = metadata(issuer, { mtls_endpoint_aliases: { token_endpoint: alias } })
      server.on('/.well-known/oauth-authorization-server', json(document))
      const client = testClient({ issuer, clientAuthentication: mutualTls() })
      expect(await failure(renewal(client))).toMatchObject({ code: 'discovery_failed' })
      expect(server.received.map(({ method }) => method)).toEqual(['GET'])
    },
  )
})

describe('what a program gives', () => {
  test.for(methods)('%s: as a function it is asked anew for each request, while that is made ready', async ([, make, [where = '']]) => {
    let turn = 0
    const { server, client } = await serverAnd(make(() => `secret-${(turn += 1)}`))
    expect(turn).toBe(0)
    await renewal(client)
    await renewal(client)
    expect(turn).toBe(2)
    const [one, two] = server.to('/token').map(({ form, headers }) => form.get(where) ?? headers[where])
    expect(one).not.toBe(two)
  })

  test.for(methods)('%s: a function may take its time', async ([, make]) => {
    const later = () => new Promise<string>((resolve) => setImmediate(() => resolve(secret)))
    const { client } = await serverAnd(make(later))
    expect((await renewal(client)).ok).toBe(true)
  })

  const wrong: readonly unknown[] = ['', undefined, null, 7, { secret }, [secret], 'with a line break\n', 'nul\0', '\uD800']
  test.for(methods.flatMap(([name, make]) => wrong.map((value) => [name, inspect(value), make, value] as const)))(
    '%s: %s is invalid_configuration, as a value at once and from a function before anything is sent',
    async ([, , make, value]) => {
      expect(() => make(value as string)).toThrow(expect.objectContaining({ name: 'OAuthError', code: 'invalid_configuration' }) as Error)
      const { server, client } = await serverAnd(make(() => value as string))
      const error = await failure(renewal(client))
      expect(error).toMatchObject({ name: 'OAuthError', code: 'invalid_configuration' })
      expectNoMarker(error)
      expect(server.received).toEqual([])
    },
  )

  test.for(methods)('%s: a function that fails is client_refused, and what it threw is not repeated', async ([, make]) => {
    for (const fail of [() => Promise.reject(new Error(marker)), () => Promise.reject(marker)]) {
      const { server, client } = await serverAnd(make(fail))
      const error = await failure(renewal(client))
      expect(error).toMatchObject({ name: 'OAuthError', code: 'client_refused' })
      expect(error.cause).toBeUndefined()
      expectNoMarker(error)
      expect(server.received).toEqual([])
    }
  })

  test('a function that never answers ends at the deadline', async () => {
    const clock = manualClock()
    const server = await faultServer({ '/token': json(tokens) })
    const client = testClient(
      {
        authorizationServer: metadata(server.origin),
        clientAuthentication: clientSecretPost(() => new Promise(() => {})),
        deadlineSeconds: 2,
      },
      clock,
    )
    const failed = failure(renewal(client))
    await clock.advance(2_000)
    expect(await failed).toMatchObject({ code: 'timed_out' })
    expect(server.received).toEqual([])
  })

  test('nothing of it is to be seen in the object that a program holds', async () => {
    const { privateKey } = await keyPair('ES256', true)
    const jwk = await crypto.subtle.exportKey('jwk', privateKey)
    const made = [
      ...methods.map(([, make]) => make(secret)),
      privateKeyJwt({ ...jwk, kid: marker }, { keyId: marker }),
      mutualTls(),
      none(),
    ]
    for (const one of made) {
      expect(Object.getPrototypeOf(one)).toBeNull()
      expect(Object.isFrozen(one)).toBe(true)
      expect(Reflect.ownKeys(one)).toEqual(['method'])
      expectNoMarker(one)
      expect(inspect(one, { depth: 9, showHidden: true })).not.toContain(jwk.d)
    }
    expect(made.map(({ method }) => method)).toEqual([
      'client_secret_basic',
      'client_secret_post',
      'client_secret_jwt',
      'client_assertion',
      'private_key_jwt',
      'tls_client_auth',
      'none',
    ])
  })

  test('an object that only looks like one is refused', async () => {
    const { client, server } = await serverAnd({ method: 'tls_client_auth' })
    expect(await failure(renewal(client))).toMatchObject({ code: 'invalid_configuration' })
    expect(server.received).toEqual([])
  })
})

describe('another server', () => {
  test('K10 a document that names another issuer gets no credential', async () => {
    const [mine, evil] = [await faultServer(), await faultServer({ '/token': json(tokens) })]
    mine.on('/.well-known/oauth-authorization-server', json(metadata(evil.origin)))
    const client = testClient({ issuer: mine.origin, clientAuthentication: clientSecretPost(secret) })
    expect(await failure(renewal(client))).toMatchObject({ code: 'issuer_mismatch' })
    expect([...evil.received, ...mine.received].filter(({ method }) => method === 'POST')).toEqual([])
  })

  test('K10 each client keeps its own credential', async () => {
    const servers: FaultServer[] = []
    for (const own of ['one', 'two']) {
      const { server, client } = await serverAnd(clientSecretPost(own))
      servers.push(server)
      await renewal(client)
    }
    expect(servers.map((server) => server.received.map(({ form }) => form.get('client_secret')))).toEqual([['one'], ['two']])
  })

  test('K5 a page is offered no function that takes a secret or a key', async () => {
    const offered = Object.keys(await import('../../src/browser/index.js'))
    expect(offered.filter((name) => /secret|credential|privateKey|assertion|mutual|none/i.test(name))).toEqual([])
  })

  test('K13 nothing in the source turns the checking of certificates off', () => {
    const src = fileURLToPath(new URL('../../src/', import.meta.url))
    const text = readdirSync(src, { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts'))
      .map((path) => readFileSync(join(src, path), 'utf8'))
      .join('\n')
    expect(text).not.toMatch(/rejectUnauthorized|NODE_TLS_REJECT|checkServerIdentity|secureProtocol|minVersion|dispatcher/)
  })
})
