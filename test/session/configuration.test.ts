import { expect, onTestFinished, test, vi } from 'vitest'
import { browserSession } from '../../src/browser/browser-session.js'
import { indexedDBStore } from '../../src/browser/indexeddb-store.js'
import { OAuthError } from '../../src/core/errors.js'
import { memoryStore } from '../../src/stores/memory.js'
import { systemClock } from '../../src/system-clock.js'
import { scriptedServer } from './scripted.js'

type Options = Parameters<typeof browserSession>[0]

const good = { issuer: 'https://auth.example.com', clientId: 'page', redirectUri: '/callback', scope: ['notes:read'] }

function failureOf(options: object): OAuthError {
  try {
    browserSession(options as Options)
  } catch (error) {
    return error as OAuthError
  }
  throw new Error('It was accepted.')
}

test.each<[string, string, object]>([
  ['no issuer', 'issuer', { issuer: undefined }],
  ['an issuer that is no URL', 'issuer', { issuer: 'auth.example.com' }],
  ['an issuer by http', 'issuer', { issuer: 'http://auth.example.com' }],
  ['D6 an issuer with a query', 'issuer', { issuer: 'https://auth.example.com?tenant=1' }],
  ['D6 an issuer with a fragment', 'issuer', { issuer: 'https://auth.example.com#x' }],
  ['an issuer and metadata', 'authorizationServer', { authorizationServer: { issuer: 'https://auth.example.com' } }],
  [
    'D10 metadata with an endpoint by http',
    'authorizationServer.token_endpoint',
    { issuer: undefined, authorizationServer: { issuer: 'https://a.example', token_endpoint: 'http://a.example/t' } },
  ],
  [
    'D11 metadata with a javascript: endpoint',
    'authorizationServer.authorization_endpoint',
    { issuer: undefined, authorizationServer: { issuer: 'https://a.example', authorization_endpoint: 'javascript:alert(1)' } },
  ],
  ['no clientId', 'clientId', { clientId: undefined }],
  ['an empty clientId', 'clientId', { clientId: '' }],
  ['no redirectUri', 'redirectUri', { redirectUri: undefined }],
  ['A10 a redirectUri with a fragment', 'redirectUri', { redirectUri: '/callback#here' }],
  ['A10 a whole redirectUri with a fragment', 'redirectUri', { redirectUri: 'https://app.example/callback#' }],
  ['A10 a redirectUri by http', 'redirectUri', { redirectUri: 'http://app.example/callback' }],
  ['A10 a relative redirectUri', 'redirectUri', { redirectUri: 'callback' }],
  ['A10 a redirectUri without its scheme', 'redirectUri', { redirectUri: '//app.example/callback' }],
  ['A10 a redirectUri of another scheme', 'redirectUri', { redirectUri: 'javascript:alert(1)' }],
  ['A13 a scope with a quote', 'scope', { scope: ['notes:"read"'] }],
  ['A13 a scope with a backslash', 'scope', { scope: ['notes\\read'] }],
  ['A13 a scope with a space', 'scope', { scope: ['notes:read notes:write'] }],
  ['A13 a scope with a line break', 'scope', { scope: ['a\r\nb'] }],
  ['A13 a scope that is not ASCII', 'scope', { scope: ['nötes'] }],
  ['A13 an empty scope value', 'scope', { scope: [''] }],
  ['a scope that is no list', 'scope', { scope: 'notes:read notes:write' }],
  ['a scope with a number', 'scope', { scope: [1] }],
  ['A15 a resource with a fragment', 'resource', { resource: 'https://api.example.com/#x' }],
  ['A15 a resource that is no URI', 'resource', { resource: ['api'] }],
  ['an unknown option', 'scopes', { scopes: ['notes:read'] }],
  ['an option of another library', 'client_id', { client_id: 'page' }],
  ['a client secret, which a page cannot keep', 'clientAuthentication', { clientAuthentication: { method: 'client_secret_basic' } }],
  ['an account that is no text', 'account', { account: 7 }],
  ['an empty account', 'account', { account: '' }],
  ['an account with half a character', 'account', { account: 'u\uD800' }],
  ['a store without replace', 'store', { store: { get: async () => undefined } }],
  ['a lock that is no function', 'lock', { lock: {} }],
  ['a user agent without authorize', 'userAgent', { userAgent: {} }],
  ['a fetch that is no function', 'fetch', { fetch: 'fetch' }],
  ['a navigate that is no function', 'navigate', { navigate: '/notes' }],
  ['a worker that is no address', 'worker', { worker: 7 }],
  ['a worker without its slash', 'worker', { worker: 'worker.js' }],
  ['a worker with a fragment', 'worker', { worker: '/worker.js#here' }],
  ['a worker of another scheme', 'worker', { worker: new URL('data:text/javascript,0') }],
  ['a worker by http', 'worker', { worker: 'http://app.example/worker.js' }],
  ['a worker without its scheme', 'worker', { worker: '//app.example/worker.js' }],
  ['a worker and a lock', 'lock', { worker: '/worker.js', lock: async () => {} }],
  ['a worker and a fetch', 'fetch', { worker: '/worker.js', fetch: async () => {} }],
  ['a worker and a clock', 'clock', { worker: '/worker.js', clock: systemClock }],
  ['a worker and a store that it does not have', 'store', { worker: '/worker.js', store: memoryStore() }],
  ['an observe that is no function', 'observe', { observe: [] }],
  ['a clock without wait', 'clock', { clock: { now: Date.now, monotonic: Date.now } }],
  ['a deadline of nothing', 'deadlineSeconds', { deadlineSeconds: 0 }],
  ['a deadline that is no number', 'deadlineSeconds', { deadlineSeconds: '10' }],
  ['a quirk that nobody knows', 'serverQuirks', { serverQuirks: ['no_pkce'] }],
  [
    'A11 an authorization parameter of the protocol',
    'authorizationParameters.redirect_uri',
    { authorizationParameters: { redirect_uri: 'https://evil.example' } },
  ],
  [
    'A11 another client in the authorization parameters',
    'authorizationParameters.client_id',
    { authorizationParameters: { client_id: 'evil' } },
  ],
  [
    'A3 a challenge method in the authorization parameters',
    'authorizationParameters.code_challenge_method',
    { authorizationParameters: { code_challenge_method: 'plain' } },
  ],
  ['T2 a token parameter of the protocol', 'tokenParameters.grant_type', { tokenParameters: { grant_type: 'password' } }],
])('%s is bad configuration, and is named when the session is made', (_, option, change) => {
  const error = failureOf({ ...good, ...change })
  expect(error).toBeInstanceOf(OAuthError)
  expect(error.code).toBe('invalid_configuration')
  expect(error.message).toContain(`\`${option}\``)
})

test('a worker of another origin than the page is bad configuration; of the same it is none, nor with a database of another name', () => {
  vi.stubGlobal('window', { location: { href: 'https://app.example/notes' } })
  onTestFinished(() => void vi.unstubAllGlobals())
  for (const worker of ['https://evil.example/worker.js', new URL('https://evil.example/worker.js'), 'https://app.example:8443/worker.js'])
    expect(failureOf({ ...good, worker })).toMatchObject({ code: 'invalid_configuration', message: expect.stringContaining('`worker`') })
  for (const worker of ['/worker.js', '/deep/worker.js?v=2', 'https://app.example/worker.js', new URL('https://app.example/worker.js')])
    expect(() => browserSession({ ...good, worker, store: indexedDBStore({ database: 'mail' }) })).not.toThrow()
})

test('bad configuration is found before any request', async () => {
  const server = await scriptedServer()
  const { issuer } = server.authorizationServer
  let called = 0
  const counting: typeof fetch = (...parameters) => ((called += 1), fetch(...parameters))
  for (const change of [{ scope: ['a b'] }, { redirectUri: '/c#x' }, { unknown: true }, { account: '' }])
    failureOf({ ...good, issuer, fetch: counting, ...change })
  const session = browserSession({ ...good, issuer, fetch: counting })
  for (const options of [
    { scope: ['a b'] },
    { scope: 'a' },
    { prompt: 'nothing' },
    { returnTo: 1 },
    { maxAgeSeconds: -1 },
    { unknown: true },
    { authorizationParameters: { state: 'mine' } },
  ]) {
    await expect(session.signIn(options as object)).rejects.toMatchObject({
      code: 'invalid_configuration',
      message: expect.stringContaining(`\`${Object.keys(options)[0]}`),
    })
  }
  await expect(session.token({ scope: 'a' } as object)).rejects.toMatchObject({ code: 'invalid_configuration' })
  await expect(session.signOut({ everywhere: true } as object)).rejects.toMatchObject({ code: 'invalid_configuration' })
  expect(called).toBe(0)
  expect(server.wire.received).toEqual([])
})

test('attack 45 what a polluted Object.prototype says is no option', () => {
  const polluted = Object.prototype as unknown as Record<string, unknown>
  polluted['scopes'] = ['admin']
  polluted['serverQuirks'] = ['no_pkce']
  try {
    expect(() => browserSession(good)).not.toThrow()
  } finally {
    delete polluted['scopes']
    delete polluted['serverQuirks']
  }
})

test('a session can be made and shown where there is no window, and says there what it cannot do', async () => {
  expect(typeof window).toBe('undefined')
  const session = browserSession(good)
  expect(session.snapshot()).toEqual({ status: 'unknown', grantedScope: [] })
  expect(session.missingScope(['notes:read'])).toEqual(['notes:read'])
  const stop = session.subscribe(() => {})
  stop()
  expect(await session.resume()).toBe(false)
  await expect(session.token()).rejects.toMatchObject({ code: 'sign_in_required' })
  await expect(session.signIn()).rejects.toMatchObject({ code: expect.stringMatching(/^(not_supported|invalid_configuration)$/) })
})

test('returnTo where there is no page is refused by its name, and nothing is signed out', async () => {
  const session = browserSession({ ...good, redirectUri: 'https://app.example/callback' })
  for (const leaving of [session.signIn({ returnTo: '/bye' }), session.signOut({ returnTo: '/bye', atAuthorizationServer: true })]) {
    await expect(leaving).rejects.toMatchObject({ code: 'invalid_configuration', message: expect.stringContaining('`returnTo`') })
  }
  expect(await session.signOut({ atAuthorizationServer: true })).toMatchObject({ authorizationServer: 'not_supported' })
})

test('methods may be passed around unbound', async () => {
  const { snapshot, missingScope, subscribe, resume, token } = browserSession(good)
  subscribe(() => {})()
  expect([snapshot().status, missingScope([])]).toEqual(['unknown', []])
  expect(await resume()).toBe(false)
  await expect(token()).rejects.toBeInstanceOf(OAuthError)
})
