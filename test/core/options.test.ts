import { describe, expect, test } from 'vitest'
import type { OAuthErrorCode } from '../../src/core/errors.js'
import type { ClientDefaults } from '../../src/core/client-options.js'
import { clientOptions, readClient, readLock, readStore } from '../../src/core/client-options.js'
import { ownMembers } from '../../src/core/option.js'
import { readAuthorizationParameters } from '../../src/core/authorization-parameters.js'
import { readReturnTo, readSignInOptions, readSignOutOptions, readTokenOptions } from '../../src/core/options.js'
import { readRedirectUri } from '../../src/core/redirect-uri.js'
import { accessToken } from '../../src/core/access-token.js'
import type { OAuthEvent } from '../../src/core/events.js'

const clock = { now: () => 1_000, monotonic: () => 0, wait: async () => {} }
const defaults: ClientDefaults = { clock }
const good = { issuer: 'https://auth.example.com', clientId: 'notes-web' }
const client = (options: unknown, known = clientOptions) => readClient(options, known, defaults, 'browserSession')

function expectRefused(run: () => unknown, option: string, code: OAuthErrorCode = 'invalid_configuration'): void {
  expect(run).toThrow(expect.objectContaining({ name: 'OAuthError', code, message: expect.stringContaining(`\`${option}`) }))
}

describe('what a client says of itself', () => {
  test('the least that there is', () => {
    expect(client(good)).toEqual({
      server: { issuer: 'https://auth.example.com' },
      clientId: 'notes-web',
      clientAuthentication: { method: 'none' },
      scope: [],
      resource: [],
      tokenParameters: {},
      dpop: false,
      deadline: 10_000,
      quirks: new Set(),
      clock,
      emit: expect.any(Function),
    })
  })

  test('all that there is', () => {
    const events: OAuthEvent[] = []
    const own = { ...clock, now: () => 5 }
    const clientAuthentication = { method: 'client_secret_basic' }
    const read = client(
      {
        ...good,
        discoveryUrl: new URL('https://auth.example.com/tenant/openid-configuration?x=y'),
        additionalMetadata: { revocation_endpoint: 'https://auth.example.com/revoke' },
        authorizationServer: undefined,
        clientAuthentication,
        scope: ['a', 'b', 'a'],
        resource: 'https://api.example/',
        audience: 'x',
        tokenParameters: { organization: 'org_1', left: undefined },
        dpop: false,
        store: { get: async () => undefined, replace: async () => true },
        lock: async () => {},
        fetch,
        deadlineSeconds: 2.5,
        serverQuirks: ['json_as_text'],
        observe: (event: OAuthEvent) => events.push(event),
        clock: own,
        account: 'work',
      },
      [...clientOptions, 'account'],
    )
    read.emit({ type: 'discovered' })
    expect(events).toEqual([{ at: 5, issuer: good.issuer, clientId: good.clientId, account: 'work', type: 'discovered' }])
    expect(read.clientAuthentication).toBe(clientAuthentication)
    expect(read).toMatchObject({
      server: {
        issuer: good.issuer,
        discoveryUrl: 'https://auth.example.com/tenant/openid-configuration?x=y',
        additionalMetadata: { revocation_endpoint: 'https://auth.example.com/revoke' },
      },
      scope: ['a', 'b'],
      resource: ['https://api.example/'],
      audience: 'x',
      tokenParameters: { organization: 'org_1' },
      deadline: 2_500,
      fetch,
      clock: own,
    })
    expect([...read.quirks]).toEqual(['json_as_text'])
  })

  test('resources as they were discovered are their indicators, and turn DPoP on where one takes no other tokens', () => {
    const found = (resource: string, dpopBoundAccessTokensRequired: boolean) =>
      ({ resource, authorizationServers: [], scopesSupported: ['a'], dpopBoundAccessTokensRequired }) as const
    const [open, bound] = [found('https://open.example/', false), found('https://bound.example/', true)]
    expect(client({ ...good, resource: open })).toMatchObject({ resource: ['https://open.example/'], dpop: false, scope: [] })
    expect(client({ ...good, resource: bound })).toMatchObject({ resource: ['https://bound.example/'], dpop: true })
    const both = client({ ...good, resource: ['urn:a', open, bound] })
    expect(both).toMatchObject({ resource: ['urn:a', 'https://open.example/', 'https://bound.example/'], dpop: true })
    expect(client({ ...good, resource: open, dpop: true }).dpop).toBe(true)
    expect(client({ ...good, resource: 'urn:a' }).dpop).toBe(false)
    // What a polluted prototype says, no resource has said.
    expectRefused(() => client({ ...good, resource: Object.create(bound) as unknown }), 'resource`')
    expect(client({ ...good, resource: Object.assign(Object.create(bound) as object, { resource: 'urn:b' }) }).dpop).toBe(false)
  })

  test('by metadata', () => {
    const authorizationServer = {
      issuer: 'https://github.com',
      authorization_endpoint: 'https://github.com/login/oauth/authorize?x=y',
      token_endpoint: 'https://github.com/login/oauth/access_token',
      revocation_endpoint: undefined,
      x_unknown: { __proto__: { evil: true } },
    }
    const { server } = client({ authorizationServer, clientId: 'x' })
    expect(server.issuer).toBe('https://github.com')
    expect(server.metadata).toEqual({ ...authorizationServer, revocation_endpoint: undefined })
    expect(Object.keys(server.metadata ?? {})).not.toContain('revocation_endpoint')
  })

  test.for([
    'https://as',
    'https://as/',
    'HTTPS://as',
    'https://as:443',
    'https://as/t1/',
    'http://127.0.0.1:9000',
    'http://localhost',
    'http://[::1]:1/x',
  ])('D5 the issuer is kept as it was written: %s', (issuer) => {
    expect(client({ ...good, issuer }).server.issuer).toBe(issuer)
    expect(client({ clientId: 'x', authorizationServer: { issuer } }).server.issuer).toBe(issuer)
  })

  const server = (members: object) => ({ clientId: 'x', authorizationServer: { issuer: 'https://as', ...members } })
  const wrong: readonly (readonly [row: string, option: string, options: unknown])[] = [
    ['no options', 'options`', undefined],
    ['null', 'options`', null],
    ['a list', 'options`', []],
    ['a text', 'options`', 'https://as'],
    ['no issuer', 'issuer`', { clientId: 'x' }],
    ['an issuer that is undefined', 'issuer`', { issuer: undefined, clientId: 'x' }],
    ['both issuer and authorizationServer', 'authorizationServer`', { ...good, authorizationServer: { issuer: 'https://as' } }],
    ['D6 an issuer over http', 'issuer`', { ...good, issuer: 'http://as' }],
    ['D6 an issuer with a query', 'issuer`', { ...good, issuer: 'https://as?x=1' }],
    ['D6 an issuer with an empty query', 'issuer`', { ...good, issuer: 'https://as?' }],
    ['D6 an issuer with a fragment', 'issuer`', { ...good, issuer: 'https://as#f' }],
    ['an issuer with a user', 'issuer`', { ...good, issuer: 'https://user@as' }],
    ['an issuer with white space', 'issuer`', { ...good, issuer: 'https://as ' }],
    ['an issuer without a scheme', 'issuer`', { ...good, issuer: 'auth.example.com' }],
    ['an issuer with a scheme that runs', 'issuer`', { ...good, issuer: 'javascript://as/%0aalert(1)' }],
    ['an issuer that is a URL object', 'issuer`', { ...good, issuer: new URL('https://as') }],
    ['metadata that is none', 'authorizationServer`', { clientId: 'x', authorizationServer: 'https://as' }],
    ['metadata without an issuer', 'authorizationServer.issuer`', { clientId: 'x', authorizationServer: {} }],
    ['D6 metadata with an issuer over http', 'authorizationServer.issuer`', server({ issuer: 'http://as' })],
    ['D10 a token endpoint over http', 'authorizationServer.token_endpoint`', server({ token_endpoint: 'http://as/t' })],
    [
      'D10 an authorization endpoint over http',
      'authorizationServer.authorization_endpoint`',
      server({ authorization_endpoint: 'http://as/t' }),
    ],
    ['D10 a revocation endpoint over http', 'authorizationServer.revocation_endpoint`', server({ revocation_endpoint: 'http://as/t' })],
    ['D10 an end session endpoint over http', 'authorizationServer.end_session_endpoint`', server({ end_session_endpoint: 'http://as/t' })],
    ['D10 keys over http', 'authorizationServer.jwks_uri`', server({ jwks_uri: 'http://as/t' })],
    [
      'D10 an mTLS endpoint over http',
      'authorizationServer.mtls_endpoint_aliases.token_endpoint`',
      server({ mtls_endpoint_aliases: { token_endpoint: 'http://as/t' } }),
    ],
    ['D11 an endpoint that runs', 'authorizationServer.authorization_endpoint`', server({ authorization_endpoint: 'javascript:alert(1)' })],
    ['D11 an endpoint of data', 'authorizationServer.authorization_endpoint`', server({ authorization_endpoint: 'data:text/html,x' })],
    ['an endpoint with a fragment', 'authorizationServer.authorization_endpoint`', server({ authorization_endpoint: 'https://as/a#f' })],
    ['an endpoint that is no text', 'authorizationServer.token_endpoint`', server({ token_endpoint: 1 })],
    ['discoveryUrl without an issuer', 'discoveryUrl`', { ...server({}), discoveryUrl: 'https://as/x' }],
    ['additionalMetadata without an issuer', 'additionalMetadata`', { ...server({}), additionalMetadata: {} }],
    ['a discoveryUrl over http', 'discoveryUrl`', { ...good, discoveryUrl: 'http://as/x' }],
    [
      'an additional endpoint over http',
      'additionalMetadata.revocation_endpoint`',
      { ...good, additionalMetadata: { revocation_endpoint: 'http://as/x' } },
    ],
    ['no clientId', 'clientId`', { issuer: 'https://as' }],
    ['an empty clientId', 'clientId`', { ...good, clientId: '' }],
    ['a clientId that is a number', 'clientId`', { ...good, clientId: 1 }],
    ['a clientId with a line break', 'clientId`', { ...good, clientId: 'a\nb' }],
    ['clientAuthentication that is a text', 'clientAuthentication`', { ...good, clientAuthentication: 'secret' }],
    ['A13 scope that is no list', 'scope`', { ...good, scope: 'openid profile' }],
    ['A13 a scope value with a space', 'scope`', { ...good, scope: ['openid profile'] }],
    ['A13 a scope value with a quote', 'scope`', { ...good, scope: ['a"b'] }],
    ['A13 a scope value with a backslash', 'scope`', { ...good, scope: ['a\\b'] }],
    ['A13 a scope value with a line break', 'scope`', { ...good, scope: ['a\r\nb'] }],
    ['A13 a scope value with a tab', 'scope`', { ...good, scope: ['a\tb'] }],
    ['A13 a scope value of other letters', 'scope`', { ...good, scope: ['é'] }],
    ['A13 an empty scope value', 'scope`', { ...good, scope: [''] }],
    ['A13 a scope value that is no text', 'scope`', { ...good, scope: [1] }],
    ['A15 a resource with a fragment', 'resource`', { ...good, resource: 'https://api/#x' }],
    ['A15 a resource with an empty fragment', 'resource`', { ...good, resource: ['https://api/#'] }],
    ['A15 a relative resource', 'resource`', { ...good, resource: '/api' }],
    ['A15 an empty resource', 'resource`', { ...good, resource: [''] }],
    ['A15 a resource with white space', 'resource`', { ...good, resource: 'https://api/ x' }],
    ['a resource that was discovered, and says nothing', 'resource`', { ...good, resource: {} }],
    ['a resource within a list within a list', 'resource`', { ...good, resource: [['urn:a']] }],
    [
      'no DPoP where a resource takes bound tokens only',
      'dpop`',
      { ...good, dpop: false, resource: ['urn:a', { resource: 'urn:b', dpopBoundAccessTokensRequired: true }] },
    ],
    ['an empty audience', 'audience`', { ...good, audience: '' }],
    ['an audience that is a list', 'audience`', { ...good, audience: ['x'] }],
    ['T2 a token parameter of the protocol', 'tokenParameters.grant_type`', { ...good, tokenParameters: { grant_type: 'password' } }],
    ['a token parameter that is no text', 'tokenParameters.x`', { ...good, tokenParameters: { x: 1 } }],
    ['an empty token parameter', 'tokenParameters.x`', { ...good, tokenParameters: { x: '' } }],
    ['token parameters as a list', 'tokenParameters`', { ...good, tokenParameters: ['x'] }],
    ['dpop that is no boolean', 'dpop`', { ...good, dpop: 'yes' }],
    ['a store that is none', 'store`', { ...good, store: new Map() }],
    ['a lock that is none', 'lock`', { ...good, lock: {} }],
    ['a fetch that is none', 'fetch`', { ...good, fetch: {} }],
    ['a deadline of 0', 'deadlineSeconds`', { ...good, deadlineSeconds: 0 }],
    ['a deadline below 0', 'deadlineSeconds`', { ...good, deadlineSeconds: -1 }],
    ['a deadline without end', 'deadlineSeconds`', { ...good, deadlineSeconds: Infinity }],
    ['a deadline that is no number', 'deadlineSeconds`', { ...good, deadlineSeconds: NaN }],
    ['a deadline in milliseconds', 'deadlineSeconds`', { ...good, deadlineSeconds: 10_000 }],
    ['a deadline as a text', 'deadlineSeconds`', { ...good, deadlineSeconds: '10' }],
    ['an unknown quirk', 'serverQuirks`', { ...good, serverQuirks: ['constructor'] }],
    ['quirks as a text', 'serverQuirks`', { ...good, serverQuirks: 'json_as_text' }],
    ['observe that is no function', 'observe`', { ...good, observe: console }],
    ['a clock that is none', 'clock`', { ...good, clock: Date }],
    ['an unknown option', 'redirect_uri`', { ...good, redirect_uri: 'https://app/cb' }],
    ['an unknown option of another function', 'redirectUri`', { ...good, redirectUri: 'https://app/cb' }],
  ]
  test.for(wrong)('%s is refused by its name', ([, option, options]) => {
    expectRefused(() => client(options), option)
  })

  test('T2 no parameter of a token request can be given twice or turned', () => {
    for (const name of [
      'grant_type',
      'code',
      'redirect_uri',
      'code_verifier',
      'client_id',
      'client_secret',
      'client_assertion',
      'client_assertion_type',
      'refresh_token',
      'scope',
      'resource',
      'audience',
      'assertion',
      'device_code',
      'subject_token',
      'username',
      'password',
    ]) {
      expectRefused(() => client({ ...good, tokenParameters: { [name]: 'x' } }), `tokenParameters.${name}\``)
    }
  })

  test('dpop is off unless it is asked for', () => {
    expect([client(good).dpop, client({ ...good, dpop: true }).dpop, client({ ...good, dpop: false }).dpop]).toEqual([false, true, false])
  })

  test('the error of an unknown option says who has which', () => {
    expect(() => client({ ...good, scopes: [] })).toThrow(/`scopes` is not an option of browserSession\. It has: issuer, .*clock\./)
  })

  test('options are read as own members only, once', () => {
    const polluted = Object.prototype as unknown as Record<string, unknown>
    Object.assign(polluted, {
      scope: ['evil'],
      dpop: true,
      discoveryUrl: 'https://evil',
      clock: null,
      token_endpoint: 'https://evil',
      account: 'evil',
    })
    try {
      const read = client(good)
      expect(read.scope).toEqual([])
      expect(Object.getPrototypeOf(read)).toBeNull()
      for (const part of [read.server, read.tokenParameters]) expect(Object.getPrototypeOf(part)).toBeNull()
      expect(read.server.discoveryUrl).toBeUndefined()
      const { metadata } = client(server({})).server
      expect(metadata?.token_endpoint).toBeUndefined()
    } finally {
      for (const name of ['scope', 'dpop', 'discoveryUrl', 'clock', 'token_endpoint', 'account']) delete polluted[name]
    }
    let reads = 0
    client({
      ...good,
      get audience() {
        reads += 1
        return reads === 1 ? 'x' : 1
      },
    })
    expect(reads).toBe(1)
  })

  test('D25 a key named __proto__ is a member like another', () => {
    const options = JSON.parse(
      '{"issuer":"https://as","clientId":"x","tokenParameters":{"__proto__":"y"},"additionalMetadata":{"__proto__":{"token_endpoint":"https://evil"}}}',
    )
    const read = client(options)
    expect(Object.keys(read.tokenParameters)).toEqual(['__proto__'])
    expect(read.server.additionalMetadata?.['token_endpoint']).toBeUndefined()
    expectRefused(() => client(JSON.parse('{"__proto__":{"dpop":true},"issuer":"https://as","clientId":"x"}')), '__proto__')
  })

  test('a store may be of a class of its own, and a lock has its word with it', () => {
    class Mine {
      async get() {
        return undefined
      }
      async replace() {
        return true
      }
    }
    const [store, lock] = [new Mine(), Object.assign(async () => {}, { releasedOnlyByDeath: true })]
    const members = ownMembers({ ...good, store, lock }, clientOptions, 'x')
    expect(readStore(members)).toBe(store)
    expect(readLock(members)).toBe(lock)
    expect(client({ ...good, store, lock })).not.toHaveProperty('store')
  })
})

describe('the redirect URI', () => {
  test.for([
    'https://app.example/callback',
    'https://app.example',
    'HTTPS://App.example:443/callback?x=y',
    'http://127.0.0.1:3000/callback',
    'http://[::1]/callback',
    'http://localhost:5173/callback',
  ])('A9 is kept as it was written: %s', (uri) => {
    expect(readRedirectUri(uri)).toBe(uri)
    expect(readRedirectUri(uri, 'https://elsewhere.example')).toBe(uri)
  })

  test.for([
    ['/callback', 'https://app.example/deep/page?x#y', 'https://app.example/callback'],
    ['/', 'https://app.example', 'https://app.example/'],
    ['/a/../b?x=y', 'http://localhost:5173', 'http://localhost:5173/b?x=y'],
    ['/%09/evil', 'https://app.example', 'https://app.example/%09/evil'],
  ] as const)('A9 %s at %s is a path of its origin', ([uri, base, resolved]) => {
    expect(readRedirectUri(uri, base)).toBe(resolved)
    expect(readRedirectUri(uri, new URL(base))).toBe(resolved)
  })

  test('A9 may have a scheme of the application’s own, where there is no page', () => {
    for (const uri of ['com.example.app:/callback', 'com.example.app://callback', 'io.example-1.app:/x?y']) {
      expect(readRedirectUri(uri)).toBe(uri)
      expectRefused(() => readRedirectUri(uri, 'https://app.example'), 'redirectUri`')
    }
  })

  test.for([
    undefined,
    null,
    '',
    1,
    'callback',
    '//evil/callback',
    '/\\evil',
    '/\t/evil',
    '/callback#x',
    '\\evil',
    'https://app.example/#',
    'https://app.example/callback#x',
    'http://app.example/callback',
    'http://127.0.0.1.example/',
    'https://user@app.example/',
    ' https://app.example/',
    'https://app.exa\nmple/',
    'https:app.example',
    'javascript:alert(1)',
    'data:text/html,x',
    'blob:https://app.example/x',
    'file:///x',
    'myapp:/callback',
    new URL('https://app.example/'),
  ])('A10 is refused: %j', (uri) => {
    // prettier-ignore
    expectRefused(() => readRedirectUri(uri), 'redirectUri`')
    expectRefused(() => readRedirectUri(uri, 'https://app.example/page'), 'redirectUri`')
  })

  test('A10 a path where there is no page, or an odd one, is refused', () => {
    expectRefused(() => readRedirectUri('/callback'), 'redirectUri`')
    expectRefused(() => readRedirectUri('/callback', 'http://app.example'), 'redirectUri`')
    expectRefused(() => readRedirectUri('/callback', 'about:blank'), 'redirectUri`')
  })
})

describe('where the application goes afterwards', () => {
  const base = new URL('https://app.example/here/page?x')

  test.for([
    ['/notes?page=2#top', 'https://app.example/notes?page=2#top'],
    ['notes', 'https://app.example/here/notes'],
    ['', 'https://app.example/here/page?x'],
    ['#top', 'https://app.example/here/page?x#top'],
    ['https://app.example:443/x', 'https://app.example/x'],
    ['/%09/evil', 'https://app.example/%09/evil'],
    ['/@evil.example/', 'https://app.example/@evil.example/'],
    ['//app.example/x', 'https://app.example/x'],
  ] as const)('C16 %j is a place of the same origin', ([returnTo, href]) => {
    expect(readReturnTo(returnTo, base)?.href).toBe(href)
  })

  test.for(
    [
      '//evil',
      '/\\evil',
      '\\\\evil',
      '/\t/evil',
      '/\n/evil',
      '\t//evil',
      'https://evil/',
      'https:evil.example',
      'https:/\\evil',
      'https://app@evil',
      'https://app.example@evil/',
      'https://user@app.example/',
      'http://app.example/',
      'https://app.example:8443/',
      'https://app.example./',
      'https://app.example.evil/',
      'javascript:alert(1)',
      'data:text/html,x',
      'blob:https://app.example/9e6a1a3a',
      'filesystem:https://app.example/x',
      'file:///x',
      'mailto:x@app.example',
      'https://',
      'about:blank',
      'view-source:https://app.example/',
    ].filter((returnTo) => returnTo !== 'https:evil.example'),
  )('C16 %j is refused', (returnTo) => {
    // prettier-ignore
    expectRefused(() => readReturnTo(returnTo, base), 'returnTo`')
  })

  test('C16 without one there is none; at a place without an origin all are refused', () => {
    expect(readReturnTo(undefined, base)).toBeUndefined()
    for (const returnTo of ['about:blank', 'https://app.example/'])
      expectRefused(() => readReturnTo(returnTo, new URL('about:blank')), 'returnTo`')
  })
})

describe('the options of signIn', () => {
  test('those that are given, and no others', () => {
    const signal = new AbortController().signal
    const given = {
      scope: ['a', 'b'],
      returnTo: '/x',
      prompt: 'consent',
      loginHint: 'me@example.com',
      acrValues: ['urn:x'],
      maxAgeSeconds: 0,
      uiLocales: ['de', 'en-GB'],
      authorizationDetails: [{ type: 'payment', amount: 1 }],
      authorizationParameters: { access_type: 'offline' },
      signal,
    }
    expect(readSignInOptions(given)).toEqual(given)
    expect(readSignInOptions(undefined)).toEqual({})
    const none = readSignInOptions(Object.fromEntries(Object.keys(given).map((name) => [name, undefined])))
    expect(Object.keys(none)).toEqual([])
  })

  test('A17 authorization details that JSON cannot say are refused, and what is changed later is not sent', () => {
    const circular: { type: string; self?: unknown } = { type: 'payment' }
    circular.self = circular
    for (const detail of [circular, { type: 'payment', amount: 7n }])
      expectRefused(() => readSignInOptions({ authorizationDetails: [detail] }), 'authorizationDetails')
    const asked = [{ type: 'payment', amount: 7 }]
    const read = readSignInOptions({ authorizationDetails: asked })
    asked.forEach((detail) => (detail.amount = 700))
    expect(read.authorizationDetails).toEqual([{ type: 'payment', amount: 7 }])
  })

  test('F11 a Challenge can be spread into them', () => {
    const challenge = { error: 'insufficient_scope', scope: ['a'], resourceMetadata: 'https://a/x' } as const
    expect(readSignInOptions({ ...challenge, returnTo: '/pay' })).toEqual({ scope: ['a'], returnTo: '/pay' })
  })

  test.for([
    ['scope', 'a b'],
    ['scope', ['a b']],
    ['returnTo', new URL('https://app.example/')],
    ['returnTo', ''],
    ['prompt', 'login consent'],
    ['prompt', 'create'],
    ['loginHint', 1],
    ['acrValues', 'a'],
    ['acrValues', ['a b']],
    ['maxAgeSeconds', -1],
    ['maxAgeSeconds', NaN],
    ['maxAgeSeconds', '60'],
    ['uiLocales', 'de'],
    ['authorizationDetails', {}],
    ['authorizationDetails', [{}]],
    ['authorizationDetails', [{ type: '' }]],
    ['authorizationDetails', '[{"type":"payment"}]'],
    ['authorizationDetails', [null]],
    ['authorizationDetails', [{ type: 'payment', toJSON: () => 7 }]],
    ['authorizationParameters', { state: 'x' }],
    ['authorizationParameters', 'x=y'],
    ['signal', {}],
    ['maxAge', 60],
  ] as const)('a wrong %s is refused by its name: %j', ([name, value]) => {
    expectRefused(() => readSignInOptions({ [name]: value }), name)
  })

  test('A11 no parameter of an authorization request can be given twice or turned', () => {
    for (const name of [
      'response_type',
      'response_mode',
      'client_id',
      'redirect_uri',
      'scope',
      'state',
      'nonce',
      'code_challenge',
      'code_challenge_method',
      'resource',
      'prompt',
      'login_hint',
      'acr_values',
      'max_age',
      'request',
      'request_uri',
      'id_token_hint',
      'client_secret',
    ]) {
      expectRefused(() => readSignInOptions({ authorizationParameters: { [name]: 'x' } }), `authorizationParameters.${name}\``)
    }
    expect(readAuthorizationParameters({ authorizationParameters: { organization: 'org_1' } })).toEqual({ organization: 'org_1' })
    expect(readAuthorizationParameters({})).toBeUndefined()
  })
})

describe('the options of signOut and token', () => {
  test('those that are given, and no others', () => {
    const rejected = accessToken('x')
    const given = { scope: ['a'], resource: 'urn:x', audience: 'y', rejected, minimumValiditySeconds: 5, signal: AbortSignal.abort() }
    expect(readTokenOptions(given)).toEqual(given)
    expect(readTokenOptions(given).rejected).toBe(rejected)
    expect(readTokenOptions(undefined)).toEqual({})
    expect(Object.keys(readTokenOptions({ scope: undefined }))).toEqual([])
    expect(readSignOutOptions({ atAuthorizationServer: true, returnTo: '/' })).toEqual({ atAuthorizationServer: true, returnTo: '/' })
    expect(readSignOutOptions(undefined)).toEqual({})
  })

  test.for([
    ['scope', 'a'],
    ['resource', '/x'],
    ['audience', ''],
    ['rejected', 'text'],
    ['rejected', {}],
    ['minimumValiditySeconds', -1],
    ['signal', 'x'],
    ['force', true],
  ] as const)('a wrong %s of token is refused by its name', ([name, value]) => {
    expectRefused(() => readTokenOptions({ [name]: value }), name)
  })

  test.for([
    ['atAuthorizationServer', 'yes'],
    ['returnTo', 1],
    ['signal', 1],
    ['revoke', true],
  ] as const)('a wrong %s of signOut is refused by its name', ([name, value]) => {
    expectRefused(() => readSignOutOptions({ [name]: value }), name)
  })
})
