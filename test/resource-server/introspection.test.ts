import { expect, test } from 'vitest'
import { clientSecretBasic } from '../../src/index.js'
import { hangUp, json, status, text } from '../support/fault-server.js'
import { issuer, request, verdict } from './issuer.js'

const opaque = (token = 'a-random-string') => request(`Bearer ${token}`)

test('a random string is what the authorization server says of it; the API says who asks, and shows its secret in no address', async () => {
  const { api, server, says } = await issuer()
  says({ token_type: 'Bearer' })
  expect(await verdict(api, opaque())).toBe('ann with notes:read mail:read')
  const [asked] = server.to('/introspect')
  expect(asked).toMatchObject({ method: 'POST', path: '/introspect' })
  expect(asked?.headers.authorization).toBe(`Basic ${Buffer.from('api:secret+of+the+API').toString('base64')}`)
  expect(Object.fromEntries(asked?.form ?? [])).toEqual({ token: 'a-random-string', token_type_hint: 'access_token' })
})

const now = Date.UTC(2026, 0, 1) / 1_000

test.for<{ name: string; claims: object }>([
  { name: 'is not active', claims: { active: false } },
  { name: 'is of another issuer', claims: { iss: 'https://evil.example' } },
  { name: 'is for another API', claims: { aud: ['https://other.example/'] } },
  { name: 'is for nobody', claims: { aud: undefined } },
  { name: 'has expired', claims: { exp: now } },
  { name: 'is not good yet', claims: { nbf: now + 60 } },
  { name: 'is of no known type', claims: { token_type: 'mac' } },
  { name: 'is bound by a certificate', claims: { cnf: { 'x5t#S256': 'abc' } } },
])('a token that $name is invalid_token', async ({ claims }) => {
  const { api, says } = await issuer()
  says(claims)
  expect(await verdict(api, opaque())).toBe('401 invalid_token')
})

test.for([
  { name: '500', route: status(500) },
  { name: 'a redirect', route: status(302, { location: 'https://evil.example/' }) },
  { name: 'nothing', route: hangUp },
  { name: 'HTML', route: text('<html>', { 'content-type': 'text/html' }) },
  { name: 'JSON that calls itself text', route: text('{"active":true}', { 'content-type': 'text/plain' }) },
  { name: 'a list', route: json([true]) },
  { name: '"active" as a string', route: json({ active: 'true' }) },
])('where the introspection endpoint answers $name nothing is said of the token: 503', async ({ route }) => {
  const { api, server } = await issuer()
  server.on('/introspect', route)
  expect(await verdict(api, opaque())).toBe('503')
})

test.for([
  { name: 'refuses the client', route: json({ error: 'invalid_client' }, 401) },
  { name: 'refuses the client with 400', route: json({ error: 'invalid_client' }, 400) },
  { name: 'does not let it ask', route: status(403) },
])('where the endpoint $name its operator is told: client_refused, and no secret', async ({ route }) => {
  const { api, server } = await issuer()
  server.on('/introspect', route)
  const error: unknown = await api.verifyAccessToken(opaque()).catch((error: unknown) => error)
  expect(error).toMatchObject({ name: 'OAuthError', code: 'client_refused' })
  expect(JSON.stringify(error) + String((error as Error).stack)).not.toContain('secret of the API')
})

test('an API that takes JWTs only asks nobody about a random string', async () => {
  const { another, server } = await issuer()
  expect(await verdict(another({ introspection: undefined as never }), opaque())).toBe('401 invalid_token')
  expect(server.to('/introspect')).toEqual([])
})

test('without a cache a token that was revoked is refused at once', async () => {
  const { api, server, says } = await issuer()
  says({})
  expect(await verdict(api, opaque())).toBe('ann with notes:read mail:read')
  says({ active: false })
  expect(await verdict(api, opaque())).toBe('401 invalid_token')
  expect(server.to('/introspect')).toHaveLength(2)
})

test('with a cache those who ask at once share one question, and an answer is believed as long as it says, and not beyond the token', async () => {
  const { another, server, says, clock, now } = await issuer()
  const api = another({ introspection: { ...settings, cacheSeconds: 10 } })
  says({ exp: now() + 14 })
  expect(new Set(await Promise.all(Array.from({ length: 20 }, () => verdict(api, opaque()))))).toEqual(
    new Set(['ann with notes:read mail:read']),
  )
  expect(server.to('/introspect')).toHaveLength(1)
  await clock.advance(9_999)
  await verdict(api, opaque())
  expect(server.to('/introspect')).toHaveLength(1)
  await clock.advance(1)
  expect(await verdict(api, opaque())).toBe('ann with notes:read mail:read')
  expect(server.to('/introspect')).toHaveLength(2)
  await clock.advance(4_000)
  expect(await verdict(api, opaque())).toBe('401 invalid_token')
  expect(server.to('/introspect')).toHaveLength(2)
  await verdict(api, opaque('another'))
  expect(server.to('/introspect')).toHaveLength(3)
})

test('an answer of inactive is believed too, so that a flood of one bad token asks once', async () => {
  const { another, server, says, clock } = await issuer()
  const api = another({ introspection: { ...settings, cacheSeconds: 10 } })
  says({ active: false })
  for (let call = 0; call < 5; call += 1) expect(await verdict(api, opaque())).toBe('401 invalid_token')
  expect(server.to('/introspect')).toHaveLength(1)
  await clock.advance(10_000)
  says({})
  expect(await verdict(api, opaque())).toBe('ann with notes:read mail:read')
})

const settings = { clientId: 'api', clientAuthentication: clientSecretBasic('secret of the API') }
