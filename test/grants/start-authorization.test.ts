import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { type AuthorizationRequest, startAuthorization } from '../../src/grants/authorization-code.js'
import { withParameters } from '../../src/protocol/with-parameters.js'
import { metadata, testClient } from '../support/client.js'
import { marker } from '../support/marker.js'

const origin = 'https://as.example'
const request: AuthorizationRequest = { owner: 'key', redirectUri: 'https://app.example/cb', scope: ['notes:read'] }

/** Nothing is fetched here: the metadata is given by hand. */
function client(more: Readonly<Record<string, unknown>> = {}, server: Readonly<Record<string, unknown>> = {}) {
  return testClient({ authorizationServer: metadata(origin, server), fetch: () => expect.unreachable('fetched'), ...more })
}

function start(more: Partial<AuthorizationRequest> = {}, of = client()) {
  return startAuthorization(of, { ...request, ...more })
}

async function refused(more: Readonly<Record<string, unknown>>, of = client()): Promise<unknown> {
  return start(more as Partial<AuthorizationRequest>, of).then(
    () => expect.unreachable('it was accepted'),
    (error: unknown) => error,
  )
}

describe('what is asked for', () => {
  test('A1 the response type is code, and the request has what a code request has', async () => {
    const { url } = await start()
    expect(url.origin + url.pathname).toBe(`${origin}/authorize`)
    expect([...url.searchParams.keys()].toSorted()).toEqual(
      ['client_id', 'code_challenge', 'code_challenge_method', 'redirect_uri', 'response_type', 'scope', 'state'].toSorted(),
    )
    expect(Object.fromEntries(url.searchParams)).toMatchObject({ response_type: 'code', client_id: 'app', scope: 'notes:read' })
  })

  test('A2 every request has a PKCE challenge, and it is that of the pending verifier', async () => {
    const { url, pending } = await start()
    const challenge = createHash('sha256').update(pending.codeVerifier.reveal()).digest('base64url')
    expect(url.searchParams.get('code_challenge')).toBe(challenge)
  })

  test('A3 the challenge is S256, and a server that lists methods without it is not used', async () => {
    expect((await start()).url.searchParams.get('code_challenge_method')).toBe('S256')
    expect((await start({}, client({}, { code_challenge_methods_supported: ['plain', 'S256'] }))).url.search).toContain('S256')
    for (const methods of [['plain'], [], 'S256']) {
      expect(await refused({}, client({}, { code_challenge_methods_supported: methods }))).toMatchObject({ code: 'not_supported' })
    }
  })

  test('A3 a server without an authorization endpoint is not used', async () => {
    expect(await refused({}, client({}, { authorization_endpoint: undefined }))).toMatchObject({ code: 'not_supported' })
  })

  test('D15 where the server says nothing of PKCE, state is sent with it and protects the response', async () => {
    const { url, pending } = await start()
    expect(url.searchParams.get('state')).toBe(pending.state.reveal())
  })

  test('M6 D15 PKCE is what every request has: a server that lists its methods without S256 is refused, one that says nothing gets PKCE and state', async () => {
    // The profile of MCP refuses on silence too. There is no such profile here: `state` alone protects the response where PKCE is not known.
    expect(await refused({}, client({}, { code_challenge_methods_supported: ['plain'] }))).toMatchObject({ code: 'not_supported' })
    for (const said of [{ code_challenge_methods_supported: ['S256'] }, {}]) {
      const { searchParams } = (await start({}, client({}, said))).url
      expect([searchParams.get('code_challenge_method'), searchParams.has('state')]).toEqual(['S256', true])
    }
  })

  test('A4 verifiers are 43 unreserved characters, none twice, and Math.random has no say in them', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0)
    const all = await Promise.all(Array.from({ length: 1_000 }, () => start()))
    vi.restoreAllMocks()
    const verifiers = all.map(({ pending }) => pending.codeVerifier.reveal())
    expect(verifiers.every((verifier) => /^[\w.~-]{43}$/.test(verifier))).toBe(true)
    expect(new Set(verifiers).size).toBe(1_000)
    expect(new Set(all.map(({ pending }) => pending.state.reveal())).size).toBe(1_000)
  })

  test('A5 two requests have each their own challenge', async () => {
    const [one, two] = await Promise.all([start(), start()])
    expect(one.url.searchParams.get('code_challenge')).not.toBe(two.url.searchParams.get('code_challenge'))
  })

  test('A6 state is always sent, of 256 bits, and cannot be given', async () => {
    expect((await start()).url.searchParams.get('state')).toMatch(/^[\w-]{43}$/)
    expect(await refused({ state: 'mine' })).toMatchObject({ code: 'invalid_configuration' })
  })

  test('A7 neither the address to return to nor the owner is in the URL', async () => {
    const { url, pending } = await start({ returnTo: `/${marker}`, owner: marker })
    expect(url.href).not.toContain(marker)
    expect(pending).toMatchObject({ returnTo: `/${marker}`, owner: marker })
  })

  test.for([
    'https://app.example/cb',
    'https://app.example',
    'https://app.example/cb?x=%7E&y=a+b',
    'http://127.0.0.1:5000/cb',
    'com.example.app:/cb',
  ])('A9 the redirect URI %s is sent byte for byte', async (redirectUri) => {
    const { url, pending } = await start({ redirectUri })
    expect(url.searchParams.get('redirect_uri')).toBe(redirectUri)
    expect(pending.redirectUri).toBe(redirectUri)
  })

  test.for([
    'http://app.example/cb',
    'https://app.example/cb#x',
    '/cb',
    'javascript:alert(1)',
    'data:text/html,x',
    'https://u:p@app.example/',
    '',
  ])('A10 the redirect URI %j is refused', async (redirectUri) => {
    expect(await refused({ redirectUri })).toMatchObject({ code: 'invalid_configuration' })
  })

  test('A11 the query of the endpoint is kept as it was written, and a fragment is not', async () => {
    const { url } = await start({}, client({}, { authorization_endpoint: `${origin}/a?tenant=%7e1&empty&two=a%20b` }))
    expect(url.search).toMatch(/^\?tenant=%7e1&empty&two=a%20b&response_type=code&/)
    expect(withParameters(`${origin}/a?t=1#here`, new URLSearchParams('b=2')).href).toBe(`${origin}/a?t=1&b=2`)
  })

  test('A11 no parameter is there twice, not even one that the endpoint has already', async () => {
    const { url } = await start({}, client({}, { authorization_endpoint: `${origin}/a?client_id=other&sc%6fpe=admin&p=1` }))
    expect(url.searchParams.getAll('client_id')).toEqual(['app'])
    expect(url.searchParams.getAll('scope')).toEqual(['notes:read'])
    expect(url.searchParams.get('p')).toBe('1')
  })

  test.for([
    'client_id',
    'response_type',
    'response_mode',
    'redirect_uri',
    'scope',
    'state',
    'nonce',
    'code_challenge',
    'code_challenge_method',
    'resource',
    'request',
    'request_uri',
  ])('A11 %s cannot be given as a further parameter', async (name) => {
    expect(await refused({ authorizationParameters: { [name]: 'mine' } })).toMatchObject({ code: 'invalid_configuration' })
  })

  test('A11 further parameters are sent', async () => {
    const { url } = await start({ authorizationParameters: { access_type: 'offline', organization: 'org&scope=admin' } })
    expect(url.searchParams.get('access_type')).toBe('offline')
    expect(url.searchParams.get('organization')).toBe('org&scope=admin')
    expect(url.searchParams.getAll('scope')).toEqual(['notes:read'])
  })

  test('A12 what has no value is not sent', async () => {
    const { url } = await start({ scope: [], resource: [], acrValues: [], uiLocales: [], authorizationDetails: [] })
    expect([...url.searchParams.values()]).not.toContain('')
    expect(url.searchParams.has('scope')).toBe(false)
    expect([...url.searchParams.keys()]).not.toContain('authorization_details')
  })

  test.for(['a"b', 'a\\b', 'a\r\nb', 'a\tb', 'a b', 'tök', ''])('A13 the scope value %j is refused', async (value) => {
    expect(await refused({ scope: ['ok', value] })).toMatchObject({ code: 'invalid_configuration' })
  })

  test('A13 scope values are parted by single spaces, each once, whatever they are', async () => {
    const token = fc.stringMatching(/^[\x21\x23-\x5B\x5D-\x7E]+$/)
    await fc.assert(
      fc.asyncProperty(fc.array(token, { minLength: 1 }), async (scope) => {
        const { url } = await start({ scope })
        expect(url.searchParams.get('scope')).toBe([...new Set(scope)].join(' '))
      }),
    )
  })

  test('A14 no scope is asked for but what was said: no openid, no offline_access', async () => {
    expect((await start({ scope: [] })).url.searchParams.has('scope')).toBe(false)
    expect((await start({ scope: ['a'] })).url.searchParams.get('scope')).toBe('a')
  })

  test('A15 each resource is a parameter of its own, as written', async () => {
    const resource = ['https://api.example/a?x=1', 'urn:example:b']
    const { url, pending } = await start({ resource })
    expect(url.searchParams.getAll('resource')).toEqual(resource)
    expect(pending.resource).toEqual(resource)
    expect((await start({}, client({ resource }))).url.searchParams.getAll('resource')).toEqual(resource)
  })

  test.for(['https://api.example/#x', '/a', 'https://api.example/#', ''])('A15 the resource %j is refused', async (resource) => {
    expect(await refused({ resource: [resource] })).toMatchObject({ code: 'invalid_configuration' })
  })

  test('A15 an audience is sent as audience', async () => {
    const { url } = await start({}, client({ audience: 'https://api.example/' }))
    expect(url.searchParams.get('audience')).toBe('https://api.example/')
  })

  test('A17 authorization details are a JSON list of objects that have a type', async () => {
    const authorizationDetails = [{ type: 'payment', amount: 1 }]
    const { url } = await start({ authorizationDetails })
    expect(JSON.parse(url.searchParams.get('authorization_details') as string)).toEqual(authorizationDetails)
    const inherited: unknown = Object.create({ type: 'payment' })
    for (const wrong of [
      [{}],
      ['payment'],
      [{ type: 7 }],
      [{ type: '' }],
      'payment',
      { type: 'payment' },
      [null],
      [{ type: 'a' }, {}],
      [inherited],
    ]) {
      expect(await refused({ authorizationDetails: wrong })).toMatchObject({ code: 'invalid_configuration' })
    }
  })

  test('A18 the pending request knows its issuer and client, and when it was made', async () => {
    const { pending } = await start()
    expect(pending).toMatchObject({ issuer: origin, clientId: 'app' })
    expect(Math.abs(pending.createdAt - Date.now())).toBeLessThan(60_000)
  })

  test('A24 prompt, login_hint, acr_values, max_age and ui_locales are sent verbatim', async () => {
    const { url, pending } = await start({
      prompt: 'consent',
      loginHint: 'a+b&c@x',
      acrValues: ['one', 'two'],
      maxAgeSeconds: 0,
      uiLocales: ['de-CH', 'en'],
    })
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      prompt: 'consent',
      login_hint: 'a+b&c@x',
      acr_values: 'one two',
      max_age: '0',
      ui_locales: 'de-CH en',
    })
    expect(pending.maxAgeSeconds).toBe(0)
  })

  interface Offline {
    readonly name: string
    readonly scope: readonly string[]
    readonly of?: Readonly<Record<string, unknown>>
    readonly prompt?: 'login' | 'none'
    readonly expected: string | null
  }

  test.for<Offline>([
    { name: 'goes with consent', scope: ['openid', 'offline_access'], expected: 'consent' },
    { name: 'is alone with the prompt that was asked for', scope: ['openid', 'offline_access'], prompt: 'login', expected: 'login' },
    { name: 'is alone where nobody may be asked', scope: ['openid', 'offline_access'], prompt: 'none', expected: 'none' },
    { name: 'is no scope of OpenID Connect without openid', scope: ['offline_access', 'notes:read'], expected: null },
    { name: 'that is not asked for changes nothing', scope: ['openid'], expected: null },
    {
      name: 'needs no consent where the server has other conditions',
      scope: ['openid', 'offline_access'],
      of: { serverQuirks: ['offline_access_without_consent'] },
      expected: null,
    },
  ])('O20 offline_access $name', async ({ scope, of, prompt, expected }) => {
    const { url } = await start({ scope, prompt }, client(of))
    expect(url.searchParams.get('prompt')).toBe(expected)
    expect(url.searchParams.get('scope')).toBe(scope.join(' '))
  })

  test('O1 a nonce is sent when openid is asked for, new each time, and only then', async () => {
    const [one, two] = [await start({ scope: ['openid'] }), await start({ scope: ['openid'] })]
    expect(one.url.searchParams.get('nonce')).toMatch(/^[\w-]{43}$/)
    expect(one.pending.nonce?.reveal()).toBe(one.url.searchParams.get('nonce'))
    expect(one.url.searchParams.get('nonce')).not.toBe(two.url.searchParams.get('nonce'))
    expect((await start()).url.searchParams.has('nonce')).toBe(false)
    expect((await start()).pending.nonce).toBeUndefined()
  })
})
