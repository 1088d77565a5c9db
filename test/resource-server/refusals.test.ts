import { expect, test } from 'vitest'
import { OAuthError, challengeOf } from '../../src/index.js'
import { resourceServer } from '../../src/resource-server/index.js'
import { type Issuer, audience, issuer, request, url, verdict } from './issuer.js'

async function refused(of: Issuer, what: Request, needed?: Parameters<Issuer['api']['verifyAccessToken']>[1]): Promise<Response> {
  const result = await of.api.verifyAccessToken(what, needed)
  if (result.ok) throw new Error('it was not refused')
  return result.response
}
const challengesOf = (response: Response) => response.headers.get('www-authenticate')
const algs = 'algs="ES256 Ed25519 EdDSA ES384 ES512 PS256 RS256"'

test('who shows no token is asked for one, and told of no error (RFC 6750 section 3.1)', async () => {
  const of = await issuer()
  for (const headers of [{}, { authorization: 'Basic YTpi' }, { authorization: '' }]) {
    const response = await refused(of, new Request(url, { headers }))
    expect([response.status, challengesOf(response)]).toEqual([401, `Bearer, DPoP ${algs}`])
  }
})

test('F1 a token in the query or in the body is passed over', async () => {
  const of = await issuer()
  const token = await of.token()
  const form = new Request(url, { method: 'POST', body: new URLSearchParams({ access_token: token }) })
  for (const what of [new Request(`${url}&access_token=${token}`), form]) expect((await refused(of, what)).status).toBe(401)
})

test.for(['Bearer', 'Bearer ', 'Bearer a b', 'Bearer a, Bearer b', 'Bearer "a"', 'DPoP a,b', `Bearer ${'a'.repeat(20_000)}`])(
  'an Authorization header that holds no token, or two, is a bad request: %s',
  async (authorization) => {
    const response = await refused(await issuer(), request(authorization))
    expect([response.status, /error="(\w+)"/.exec(challengesOf(response) ?? '')?.[1]]).toEqual([400, 'invalid_request'])
  },
)

test('F10 too little scope is 403, and says how much is needed; the page reads it with challengeOf', async () => {
  const of = await issuer()
  const response = await refused(of, request(`Bearer ${await of.token()}`), { scope: ['notes:read', 'notes:write'] })
  expect([response.status, challengesOf(response)]).toEqual([
    403,
    'Bearer error="insufficient_scope", error_description="The token does not allow this", scope="notes:read notes:write"',
  ])
  expect(challengeOf(response)).toMatchObject({ error: 'insufficient_scope', scope: ['notes:read', 'notes:write'] })
  expect(await verdict(of.api, request(`Bearer ${await of.token()}`), { scope: ['mail:read'] })).toBe('ann with notes:read mail:read')
})

test('F11 too weak or too old a sign-in is 401, and says what is needed (RFC 9470)', async () => {
  const of = await issuer()
  const needed = { acrValues: ['gold', 'platinum'], maxAgeSeconds: 300 }
  const tokens = [
    { claims: {}, ok: false },
    { claims: { acr: 'silver', auth_time: of.now() }, ok: false },
    { claims: { acr: 'gold' }, ok: false },
    { claims: { acr: 'gold', auth_time: of.now() - 301 }, ok: false },
    { claims: { acr: 'gold', auth_time: 'today' }, ok: false },
    { claims: { acr: 'platinum', auth_time: of.now() - 300 }, ok: true },
  ]
  for (const { claims, ok } of tokens)
    expect((await of.api.verifyAccessToken(request(`Bearer ${await of.token(claims)}`), needed)).ok).toBe(ok)
  const response = await refused(of, request(`Bearer ${await of.token()}`), needed)
  expect(response.status).toBe(401)
  expect(challengeOf(response)).toMatchObject({
    error: 'insufficient_user_authentication',
    acrValues: ['gold', 'platinum'],
    maxAgeSeconds: 300,
  })
})

test('a page of any origin may read why, and no refusal is stored or shows anything of the token', async () => {
  const of = await issuer()
  const token = await of.token({ aud: 'https://other.example/' })
  const response = await refused(of, request(`Bearer ${token}`))
  expect(response.headers.get('access-control-allow-origin')).toBe('*')
  // `Date` is for a client whose clock is wrong.
  expect(response.headers.get('access-control-expose-headers')).toBe('WWW-Authenticate, DPoP-Nonce, Date, Retry-After')
  expect(response.headers.get('cache-control')).toBe('no-store')
  const body = (await response.json()) as { error: string }
  expect(body.error).toBe('invalid_token')
  expect(JSON.stringify([...response.headers, body])).not.toContain(token.slice(-20))
})

const options = { issuer: 'https://auth.example', audience }

test.for<{ name: string; options: object }>([
  { name: 'audience', options: { issuer: 'https://auth.example' } },
  { name: 'audience', options: { ...options, audience: 7 } },
  { name: 'issuer', options: { audience } },
  { name: 'issuer', options: { ...options, issuer: 'http://auth.example' } },
  { name: 'dpop', options: { ...options, dpop: true } },
  { name: 'dpopNonceKey', options: { ...options, dpopNonceKey: 'short' } },
  { name: 'dpopNonceKey', options: { ...options, dpopNonceKey: 'no base64, whatever the length of it is' } },
  { name: 'dpopNonceKey', options: { ...options, dpopNonceKey: Buffer.alloc(33).toString('base64') } },
  { name: 'dpopNonceKey', options: { ...options, dpopNonceKey: 7 } },
  { name: 'dpopNonceKey', options: { ...options, dpop: 'refused', dpopNonceKey: Buffer.alloc(32).toString('base64') } },
  { name: 'introspection.clientAuthentication', options: { ...options, introspection: { clientId: 'api' } } },
  { name: 'clientId', options: { ...options, introspection: { clientAuthentication: { method: 'none' } } } },
  {
    name: 'introspection.cacheSeconds',
    options: { ...options, introspection: { clientId: 'a', clientAuthentication: { method: 'none' }, cacheSeconds: 61 } },
  },
  {
    name: 'cacheSeconds',
    options: { ...options, introspection: { clientId: 'a', clientAuthentication: { method: 'none' }, cacheSeconds: -1 } },
  },
  { name: 'fetch', options: { ...options, fetch: 7 } },
  { name: 'scope', options: { ...options, scope: ['a'] } },
])('a wrong or unknown option is named at construction: $name', ({ name, options }) => {
  expect(() => resourceServer(options as never)).toThrow(OAuthError)
  expect(() => resourceServer(options as never)).toThrow(`\`${name}\``)
})

test('a key that is wrong is not shown', () => {
  const dpopNonceKey = Buffer.from('a key that is too short').toString('base64')
  let thrown: unknown
  try {
    resourceServer({ ...options, dpopNonceKey })
  } catch (error) {
    thrown = error
  }
  expect(thrown).toMatchObject({ code: 'invalid_configuration' })
  expect(String((thrown as Error).stack)).not.toContain(dpopNonceKey)
})

test('what is needed is checked as well', async () => {
  const { api } = await issuer()
  for (const needed of [{ scope: 'notes:read' }, { scopes: [] }, { acrValues: ['a b'] }, { maxAgeSeconds: -1 }])
    await expect(api.verifyAccessToken(request(undefined), needed as never)).rejects.toMatchObject({ code: 'invalid_configuration' })
})

test('attack 45 a polluted Object.prototype makes no token good', async () => {
  const of = await issuer()
  const token = await of.token()
  const pollution = { active: true, cnf: { jkt: 'evil' }, scope: 'admin', aud: audience, audience: 'https://evil.example', dpop: 'refused' }
  for (const [name, value] of Object.entries(pollution))
    Object.defineProperty(Object.prototype, name, { value, configurable: true, writable: true })
  try {
    of.server.on('/introspect', (_, response) => response.writeHead(200, { 'content-type': 'application/json' }).end('{}'))
    expect(await verdict(of.api, request('Bearer a-random-string'))).toBe('503')
    expect(await verdict(of.api, request(`Bearer ${token}`), {})).toBe('ann with notes:read mail:read')
    expect(await verdict(of.another({}), request(`Bearer ${token}`))).toBe('ann with notes:read mail:read')
  } finally {
    for (const name of Object.keys(pollution)) delete (Object.prototype as Record<string, unknown>)[name]
  }
})
