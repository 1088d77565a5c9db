import { inspect } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ClientOptions } from '../../src/core/client.js'
import { clientOptions, readClient } from '../../src/core/client-options.js'
import type { OAuthEvent } from '../../src/core/events.js'
import type { Clock, Store } from '../../src/core/ports.js'
import { present } from '../../src/core/secret.js'
import type { TokenTarget } from '../../src/core/tokens.js'
import { clientSecretBasic, clientSecretPost } from '../../src/protocol/client-secret.js'
import { clientCredentials } from '../../src/sources/client-credentials.js'
import { jwtBearer } from '../../src/sources/jwt-bearer.js'
import { recordKey } from '../../src/sources/record-key.js'
import { tokenExchange } from '../../src/sources/token-exchange.js'
import { memoryStore } from '../../src/stores/memory.js'
import { sealed } from '../../src/stores/sealed.js'
import { systemClock } from '../../src/system-clock.js'
import { manualClock } from '../../src/testing/manual-clock.js'
import { metadata } from '../support/client.js'
import { type FaultServer, type Received, faultServer, json, status } from '../support/fault-server.js'
import { expectNothingFound } from '../support/sweep.js'

const secret = 'secret-that-nobody-sees'
let count = 0
const answer = (more: object = {}) =>
  json({ access_token: `access-token-number-${(count += 1)}`, token_type: 'Bearer', expires_in: 60, ...more })

async function tokenServer(more: object = {}): Promise<FaultServer> {
  const server = await faultServer()
  return server.on('/token', (request, response) => answer(more)(request, response))
}

function made(server: FaultServer, more: Partial<ClientOptions> & { readonly events?: OAuthEvent[] } = {}) {
  const { events = [], ...options } = more
  const clock = manualClock(Date.now())
  const source = clientCredentials({
    authorizationServer: metadata(server.origin),
    clientId: 'nightly',
    clientAuthentication: clientSecretPost(secret),
    scope: ['reports:write'],
    clock,
    observe: (event) => void events.push(event),
    ...options,
  } as ClientOptions)
  return { source, clock, events, said: () => events.map(({ type }) => type) }
}

test('K1 a client that has nothing to show is refused at construction, before any request', async () => {
  const server = await tokenServer()
  expect(() => clientCredentials({ authorizationServer: metadata(server.origin), clientId: 'page' })).toThrow(/clientAuthentication/)
  expect(server.received).toEqual([])
})

test('K2 a refresh token that comes is not kept: the next token is asked for with the credentials', async () => {
  const server = await tokenServer({ refresh_token: 'a-refresh-token-that-comes' })
  const written: string[] = []
  const { source, clock } = made(server, { store: recording(memoryStore(), written) })
  await source.token()
  await clock.advance(61_000)
  await source.token()
  expect(server.to('/token').map(({ form }) => form.get('grant_type'))).toEqual(['client_credentials', 'client_credentials'])
  expect(written.join()).not.toContain('a-refresh-token-that-comes')
})

test('K11 100 calls at once make one token request, and so do two processes that share a store', async () => {
  const server = await tokenServer()
  const store = memoryStore()
  // The machine's own clock: two processes, each with its own.
  const [one, two] = [made(server, { store, clock: systemClock }), made(server, { store, clock: systemClock })]
  const calls = Promise.all(Array.from({ length: 100 }, (_, index) => (index % 2 === 0 ? one : two).source.token()))
  expect(new Set((await calls).map((token) => token.reveal())).size).toBe(1)
  expect(server.to('/token')).toHaveLength(1)
})

test('K11 where the clock of the store is a year ahead, so that each record is over as it comes, the token is served from memory and renewed', async () => {
  const server = await tokenServer()
  server.on('/token', (request, response) => {
    response.sendDate = false
    answer()(request, response)
  })
  const { get, replace } = memoryStore()
  let looks = 0
  const store: Store = { replace, get: (key) => ((looks += 1) > 100 ? new Promise(() => {}) : get(key)) }
  const clock = manualClock(Date.now() - 365 * 24 * 3_600_000)
  const { source } = made(server, { store, clock })
  const tokens = [await source.token(), await source.token()]
  expect(new Set(tokens.map((token) => token.reveal())).size).toBe(1)
  await clock.advance(61_000)
  await source.token()
  expect(server.to('/token')).toHaveLength(2)
})

test('K10 credentials go to no other server: each issuer has its own record and its own requests', async () => {
  const [here, there] = [await tokenServer(), await tokenServer()]
  const store = memoryStore()
  const mine = await made(here, { store }).source.token()
  const other = await made(there, { store }).source.token()
  expect(mine.reveal()).not.toBe(other.reveal())
  expect([here.to('/token').length, there.to('/token').length]).toEqual([1, 1])
})

test('a token of a scope is a token of that scope: each target has its own', async () => {
  const server = await tokenServer()
  const { source } = made(server)
  const usual = await source.token()
  const narrow = await source.token({ scope: ['reports:read'] })
  expect(narrow.reveal()).not.toBe(usual.reveal())
  expect((await source.token({ scope: ['reports:read'] })).reveal()).toBe(narrow.reveal())
  expect(server.to('/token').map(({ form }) => form.get('scope'))).toEqual(['reports:write', 'reports:read'])
})

test('what the server did not grant is scope_not_granted for a call that needs it', async () => {
  const server = await tokenServer({ scope: 'reports:read' })
  const { source } = made(server)
  await expect(source.token({ scope: ['reports:read', 'reports:write'] })).rejects.toMatchObject({
    code: 'scope_not_granted',
    missingScope: ['reports:write'],
  })
  expect((await source.token({ scope: ['reports:read'] })).scope).toEqual(['reports:read'])
})

test('a refused token is renewed once for all who were refused', async () => {
  const server = await tokenServer()
  const { source } = made(server)
  const rejected = await source.token()
  const later = await Promise.all(Array.from({ length: 50 }, () => source.token({ rejected })))
  expect(new Set(later.map((token) => token.reveal())).size).toBe(1)
  expect(server.to('/token')).toHaveLength(2)
})

test.each([
  ['invalid_client', 401, 'client_refused'],
  ['invalid_scope', 400, 'scope_refused'],
  ['invalid_grant', 400, 'request_refused'],
])('nothing ends: after %s the caller gets its code, and a later call succeeds', async (error, code, expected) => {
  const server = await faultServer({ '/token': json({ error }, code) })
  const { source, clock } = made(server)
  await expect(source.token()).rejects.toMatchObject({ code: expected })
  server.on('/token', (request, response) => answer()(request, response))
  await clock.advance(5 * 60_000)
  expect((await source.token()).reveal()).toContain('access-token')
})

test('R9 a server that is busy is left alone for as long as it says, by all who share the store', async () => {
  const server = await faultServer({ '/token': status(429, { 'retry-after': '5' }) })
  const store = memoryStore()
  const [one, two] = [made(server, { store }), made(server, { store })]
  await expect(one.source.token()).rejects.toMatchObject({ code: 'server_unavailable' })
  await expect(two.source.token()).rejects.toMatchObject({ code: 'server_unavailable', retryAt: expect.any(Number) as number })
  expect(server.to('/token')).toHaveLength(1)
})

test('a mark whose sender is dead costs two seconds, not a whole deadline', async () => {
  const server = await faultServer({ '/token': () => {} })
  const store = memoryStore()
  const dead = made(server, { store })
  dead.source.token().catch(() => {})
  await expect.poll(() => server.to('/token').length).toBe(1)
  server.on('/token', (request, response) => answer()(request, response))
  const keys: string[] = []
  const alive = made(server, { store: keyed(store, keys) })
  const call = alive.source.token()
  // Time passes only while it watches.
  await expect.poll(() => keys.length).toBeGreaterThan(0)
  await alive.clock.advance(2_500)
  expect((await call).reveal()).toContain('access-token')
})

describe('a store that cannot be reached', () => {
  test('is passed over: each process has its own token, and an event says so once, and once when it is back', async () => {
    const server = await tokenServer()
    const memory = memoryStore()
    let fails = true
    const down = async (): Promise<never> => Promise.reject(new Error('no route to the store'))
    const store: Store = {
      get: async (key) => (fails ? down() : memory.get(key)),
      replace: async (key, seen, next) => (fails ? down() : memory.replace(key, seen, next)),
    }
    const { source, clock, said } = made(server, { store })
    const first = await source.token()
    expect((await source.token()).reveal()).toBe(first.reveal())
    expect(said().filter((type) => type === 'store_failed')).toHaveLength(1)
    fails = false
    await clock.advance(6_000)
    // What this process has is put into the store that knows nothing of it: nobody has to ask again.
    expect((await source.token()).reveal()).toBe(first.reveal())
    expect(said().filter((type) => type === 'store_recovered')).toHaveLength(1)
    expect((await made(server, { store }).source.token()).reveal()).toBe(first.reveal())
    expect(server.to('/token')).toHaveLength(1)
  })

  test('because its encryption key is none, is passed over too, and the event says that this is it', async () => {
    const server = await tokenServer()
    const { source, events } = made(server, { store: sealed(memoryStore(), { encryptionKey: async () => 'no key' }) })
    expect((await source.token()).reveal()).toContain('access-token')
    expect(events).toContainEqual(expect.objectContaining({ type: 'store_failed', code: 'invalid_configuration' }))
  })

  /** As a client that waits for its connection has it: no answer, and after five seconds no more waiting. */
  const silent = (clock: Clock, asked: string[]): Store => {
    const never = async (key: string): Promise<never> => {
      asked.push(key)
      await clock.wait(5_000)
      throw new Error('no answer of the store')
    }
    return { get: never, replace: never }
  }

  test('and does not answer costs its time, and no call its token, however short the deadline', async () => {
    const server = await tokenServer()
    const clock = manualClock(Date.now())
    const asked: string[] = []
    const call = made(server, { store: silent(clock, asked), clock, deadlineSeconds: 1 }).source.token()
    await expect.poll(() => asked.length).toBe(1)
    await clock.advance(5_000)
    expect((await call).reveal()).toContain('access-token')
  })

  test('is tried again by one call at a time: the others do not wait for it', async () => {
    const server = await tokenServer({ expires_in: 600 })
    const clock = manualClock(Date.now())
    const asked: string[] = []
    const { source, said } = made(server, { store: silent(clock, asked), clock })
    const first = source.token()
    await expect.poll(() => asked.length).toBe(1)
    await clock.advance(5_000)
    const token = (await first).reveal()
    await clock.advance(6_000)
    const before = asked.length
    const tries = source.token()
    await expect.poll(() => asked.length).toBe(before + 1)
    expect((await source.token()).reveal()).toBe(token)
    await clock.advance(5_000)
    expect((await tries).reveal()).toBe(token)
    expect(asked).toHaveLength(before + 1)
    expect(said().filter((type) => type === 'store_failed')).toHaveLength(1)
  })
})

test('no secret is in an event, an error, a key of the store or the source itself', async () => {
  const server = await faultServer({ '/token': json({ error: 'invalid_client' }, 401) })
  const keys: string[] = []
  const { source, events } = made(server, { store: keyed(memoryStore(), keys), tokenParameters: { tenant: 'a-tenant-nobody-need-read' } })
  const error: unknown = await source.token().catch((thrown: unknown) => thrown)
  expectNothingFound([secret, 'a-tenant-nobody-need-read'], {
    error,
    events,
    keys,
    source: inspect(source, { showHidden: true, depth: 9 }),
  })
})

test('every input that differs makes another key', async () => {
  const short = fc.string({ minLength: 1, maxLength: 3, unit: fc.constantFrom('a', 'b', '"', ',', ' ') })
  const name = fc.constantFrom('a', 'b', 'ab')
  const inputs = fc.record({
    path: name,
    clientId: name,
    scope: fc.uniqueArray(name, { maxLength: 3 }),
    resource: fc.uniqueArray(fc.constantFrom('https://a.example/', 'https://b.example/'), { maxLength: 2 }),
    audience: fc.option(name, { nil: undefined }),
    tokenParameters: fc.dictionary(name, short, { maxKeys: 2 }),
    grantType: name,
    about: fc.array(short, { maxLength: 2 }),
    method: fc.boolean(),
  })
  type Inputs = typeof inputs extends fc.Arbitrary<infer T> ? T : never
  const keyOf = async ({ path, about, grantType, method, ...options }: Inputs): Promise<string> => {
    const client = readClient(
      {
        ...options,
        issuer: `https://as.example/${path}`,
        clientAuthentication: method ? clientSecretBasic(secret) : clientSecretPost(secret),
      },
      clientOptions,
      { clock: manualClock() },
    )
    return recordKey(client, grantType, present<TokenTarget>({ scope: client.scope, audience: client.audience }), about)
  }
  /** The same but for the order of what has none. */
  const plain = ({ scope, tokenParameters, ...rest }: Inputs): string =>
    JSON.stringify([
      rest.path,
      rest.clientId,
      rest.resource,
      rest.audience ?? null,
      rest.grantType,
      rest.about,
      rest.method,
      scope.toSorted(),
      Object.entries(tokenParameters).toSorted(),
    ])
  const names = fc.constantFrom<keyof Inputs>('path', 'clientId', 'scope', 'resource', 'audience', 'tokenParameters', 'grantType', 'about', 'method') // prettier-ignore
  await fc.assert(
    fc.asyncProperty(inputs, inputs, names, async (one, other, changed) => {
      // Two that differ in everything say little of each: here one thing alone is as in the other.
      for (const next of [other, { ...one, [changed]: other[changed] }])
        expect((await keyOf(one)) === (await keyOf(next))).toBe(plain(one) === plain(next))
    }),
    { numRuns: 500 },
  )
})

describe('tokens for assertions', () => {
  const jwt = (claims: object): string => `${btoa('{"alg":"none"}')}.${btoa(JSON.stringify(claims))}.signature`
  const usual = (server: FaultServer) => ({ authorizationServer: metadata(server.origin), clientId: 'pod', clock: manualClock(Date.now()) })
  const grants = (server: FaultServer): readonly Received[] => server.to('/token')

  test('jwtBearer reads a fresh assertion for each token, and keeps its token for whom it speaks', async () => {
    const server = await tokenServer()
    let asked = 0
    const options = usual(server)
    const source = jwtBearer({ ...options, assertion: () => jwt({ iss: 'platform', sub: 'pod', jti: String((asked += 1)) }) })
    const first = await source.token()
    expect((await source.token()).reveal()).toBe(first.reveal())
    await options.clock.advance(61_000)
    await source.token()
    const sent = grants(server).map(({ form }) => form.get('assertion'))
    expect(new Set(sent).size).toBe(2)
  })

  test('the token of one subject is never another’s, though they share a store', async () => {
    const server = await tokenServer({ issued_token_type: 'urn:ietf:params:oauth:token-type:access_token' })
    const store = memoryStore()
    const tokenOf = async (sub: string): Promise<string> => {
      const exchange = { subjectToken: jwt({ iss: 'platform', sub }), subjectTokenType: 'urn:ietf:params:oauth:token-type:jwt' }
      return (await tokenExchange({ ...usual(server), ...exchange, store }).token()).reveal()
    }
    const [ann, bob] = [await tokenOf('ann'), await tokenOf('bob')]
    expect(ann).not.toBe(bob)
    expect(await tokenOf('ann')).toBe(ann)
    expect(grants(server)).toHaveLength(2)
  })

  test('an assertion function that throws is client_refused, and its words are not repeated', async () => {
    const server = await tokenServer()
    const source = jwtBearer({ ...usual(server), assertion: () => Promise.reject(new Error(`cannot read ${secret}`)) })
    const error: unknown = await source.token().catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'client_refused' })
    expectNothingFound([secret], { error })
    expect(server.received).toEqual([])
  })

  test.each([[undefined], [null], [5], [new TextEncoder().encode('a file read as bytes')], ['']])(
    'an assertion function that answers with %s is invalid_configuration, and nothing is sent',
    async (answered) => {
      const server = await tokenServer()
      const assertion = (async () => answered) as unknown as () => Promise<string>
      const refused = { name: 'OAuthError', code: 'invalid_configuration' }
      await expect(jwtBearer({ ...usual(server), assertion }).token()).rejects.toMatchObject(refused)
      const exchange = { subjectToken: assertion, subjectTokenType: 'urn:ietf:params:oauth:token-type:jwt' }
      await expect(tokenExchange({ ...usual(server), ...exchange }).token()).rejects.toMatchObject(refused)
      expect(server.received).toEqual([])
    },
  )

  test('an assertion function that never answers is timed_out at the deadline, and the next call asks again', async () => {
    const server = await tokenServer()
    const options = usual(server)
    let answers = false
    const source = jwtBearer({
      ...options,
      assertion: async () => (answers ? jwt({ iss: 'platform', sub: 'pod' }) : new Promise<never>(() => {})),
    })
    const call = expect(source.token()).rejects.toMatchObject({ code: 'timed_out' })
    await options.clock.advance(10_000)
    await call
    answers = true
    expect((await source.token()).reveal()).toContain('access-token')
  })

  test.each([
    ['assertion', () => jwtBearer({ issuer: 'https://as.example', clientId: 'pod', assertion: '' })],
    ['subjectToken', () => tokenExchange({ issuer: 'https://as.example', clientId: 'ci', subjectToken: '', subjectTokenType: 'x' })],
    ['subjectTokenType', () => tokenExchange({ issuer: 'https://as.example', clientId: 'ci', subjectToken: 'x' } as never)],
  ])('a wrong %s is refused at construction', (name, make) => {
    expect(make).toThrow(name)
  })
})

function recording(store: Store, written: string[]): Store {
  return {
    ...store,
    replace: async (key, seen, next) => {
      if (next !== undefined) written.push(next.value)
      return store.replace(key, seen, next)
    },
  }
}

function keyed(store: Store, keys: string[]): Store {
  return {
    get: async (key) => {
      keys.push(key)
      return store.get(key)
    },
    replace: store.replace,
  }
}
