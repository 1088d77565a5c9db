import { type JWTPayload, exportJWK } from 'jose'
import { expect, test } from 'vitest'
import { hangUp, json, status, text } from '../support/fault-server.js'
import { keyPair } from '../support/keys.js'
import { issuer, request, verdict } from './issuer.js'

const bearer = (token: string) => request(`Bearer ${token}`)

test('a JWT access token of this authorization server, for this API, is good, and says who, for which client and what', async () => {
  const { api, token } = await issuer()
  const result = await api.verifyAccessToken(bearer(await token()))
  expect(result).toMatchObject({ ok: true, subject: 'ann', clientId: 'page', scope: ['notes:read', 'mail:read'], claims: { sub: 'ann' } })
})

const now = Date.UTC(2026, 0, 1) / 1_000

test.for<{ name: string; claims?: JWTPayload; header?: Record<string, unknown> }>([
  { name: 'of another issuer', claims: { iss: 'https://evil.example' } },
  { name: 'for another API', claims: { aud: 'https://other.example/' } },
  { name: 'for nobody', claims: { aud: undefined as never } },
  { name: 'that has expired', claims: { exp: now } },
  { name: 'that never expires', claims: { exp: undefined as never } },
  { name: 'whose end is no number', claims: { exp: '9999999999' as never } },
  { name: 'that is not good yet', claims: { nbf: now + 3_600 } },
  { name: 'from far in the future', claims: { iat: now + 3_600 } },
  { name: 'without a time', claims: { iat: undefined as never } },
  { name: 'of nobody', claims: { sub: undefined as never } },
  { name: 'of no client', claims: { client_id: undefined } },
  { name: 'without an id', claims: { jti: undefined as never } },
  { name: 'bound by a certificate', claims: { cnf: { 'x5t#S256': 'abc' } } },
  { name: 'bound in two ways', claims: { cnf: { jkt: 'a', 'x5t#S256': 'abc' } } },
  { name: 'that is an ID token', header: { typ: 'JWT' } },
  { name: 'of no type', header: { typ: undefined } },
  { name: 'with an extension that nobody knows', header: { crit: ['b64'], b64: true } },
  { name: 'of a key that is not known', header: { kid: 'other' } },
])('attack 80 a JWT $name is invalid_token', async ({ claims, header }) => {
  const { api, token, says } = await issuer()
  says({ active: false })
  expect(await verdict(api, bearer(await token(claims, header)))).toBe('401 invalid_token')
})

test('attack 80 a JWT that is unsigned, signed with the public key as a secret, tampered with, or signed by another key is invalid_token', async () => {
  const { api, token, says, keys } = await issuer()
  says({ active: false })
  const good = await token()
  const [header = '', payload = '', signature = ''] = good.split('.')
  const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const { x = '' } = await exportJWK(keys.publicKey)
  const secret = await crypto.subtle.importKey('raw', Buffer.from(x, 'base64url'), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
  const symmetric = `${encoded({ alg: 'HS256', typ: 'at+jwt', kid: 'one' })}.${payload}`
  const forged = Buffer.from(await crypto.subtle.sign('HMAC', secret, Buffer.from(symmetric))).toString('base64url')
  const bad = [
    `${encoded({ alg: 'none', typ: 'at+jwt' })}.${payload}.`,
    `${encoded({ alg: 'none', typ: 'at+jwt' })}.${payload}.${signature}`,
    `${symmetric}.${forged}`,
    `${header}.${encoded({ ...JSON.parse(Buffer.from(payload, 'base64url').toString()), sub: 'root' })}.${signature}`,
    `${header}.${payload}.${signature.slice(0, -4)}AAAA`,
    await token({}, {}, await keyPair('ES256')),
  ]
  for (const one of bad) expect(await verdict(api, bearer(one))).toMatch(/^(401 invalid_token|400 invalid_request)$/)
  expect(await verdict(api, bearer(good))).toBe('ann with notes:read mail:read')
})

test.for(['RS256', 'PS256', 'ES384', 'Ed25519'])(
  'a signature by %s is verified; without a key id every key of its kind is tried',
  async (alg) => {
    const { api, token, server, keys } = await issuer()
    const [first, second] = [await keyPair(alg), await keyPair(alg)]
    server.on('/keys', json({ keys: await Promise.all([keys, first, second].map(({ publicKey }) => exportJWK(publicKey))) }))
    expect(await verdict(api, bearer(await token({}, { alg, kid: undefined }, second)))).toBe('ann with notes:read mail:read')
  },
)

test('attack 79 keys that are none, symmetric, private, weak or not for signatures verify nothing', async () => {
  const { api, token, server, says } = await issuer()
  says({ active: false })
  const keys = await keyPair('ES256')
  const weak = (await crypto.subtle.generateKey(
    { name: 'RSASSA-PKCS1-v1_5', modulusLength: 1024, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-256' },
    true,
    ['sign', 'verify'],
  )) as CryptoKeyPair
  const jwk = await exportJWK(keys.publicKey)
  server.on(
    '/keys',
    json({
      keys: [7, null, { kty: 'oct', k: 'AAAA' }, await exportJWK(keys.privateKey), { ...jwk, use: 'enc' }, await exportJWK(weak.publicKey)],
    }),
  )
  expect(await verdict(api, bearer(await token({}, { kid: undefined }, keys)))).toBe('401 invalid_token')
  // jose signs with no such key.
  const [, payload = ''] = (await token()).split('.')
  const signed = `${Buffer.from(JSON.stringify({ alg: 'RS256', typ: 'at+jwt' })).toString('base64url')}.${payload}`
  const signature = await crypto.subtle.sign('RSASSA-PKCS1-v1_5', weak.privateKey, Buffer.from(signed))
  expect(await verdict(api, bearer(`${signed}.${Buffer.from(signature).toString('base64url')}`))).toBe('401 invalid_token')
})

test('O16 O17 keys are fetched once for all, and again for a key that is not known, once a minute: a rotation is followed, a flood of invented keys is not', async () => {
  const { api, token, server, clock, says } = await issuer()
  says({ active: false })
  await Promise.all(Array.from({ length: 50 }, async () => verdict(api, bearer(await token()))))
  expect(server.to('/keys')).toHaveLength(1)
  const next = await keyPair('ES256')
  server.on('/keys', json({ keys: [{ ...(await exportJWK(next.publicKey)), kid: 'two' }] }))
  for (let index = 0; index < 20; index += 1)
    expect(await verdict(api, bearer(await token({}, { kid: `invented ${index}` })))).toBe('401 invalid_token')
  expect(server.to('/keys')).toHaveLength(1)
  await clock.advance(60_000)
  expect(await verdict(api, bearer(await token({}, { kid: 'two' }, next)))).toBe('ann with notes:read mail:read')
  expect(await verdict(api, bearer(await token()))).toBe('401 invalid_token')
  expect(server.to('/keys')).toHaveLength(2)
})

test.for([
  { name: 'are not there', route: status(404) },
  { name: 'cannot be had', route: status(500) },
  { name: 'do not come', route: hangUp },
  { name: 'are no JSON', route: text('<html>') },
  { name: 'are no list', route: json({ keys: 'none' }) },
  { name: 'are too many', route: json({ keys: Array.from({ length: 101 }, () => ({})) }) },
])('where the keys $name the token is not called bad: 503, and the next call asks again', async ({ route }) => {
  const { api, token, server } = await issuer()
  const before = server.to('/keys').length
  server.on('/keys', route)
  const result = await api.verifyAccessToken(bearer(await token()))
  expect(result.ok ? undefined : [result.response.status, result.response.headers.get('retry-after')]).toEqual([503, '5'])
  await verdict(api, bearer(await token()))
  expect(server.to('/keys').length).toBeGreaterThan(before + 1)
})

test('keys that are known are not lost by a look that failed', async () => {
  const { api, token, server, clock } = await issuer()
  expect(await verdict(api, bearer(await token()))).toBe('ann with notes:read mail:read')
  server.on('/keys', status(500))
  await clock.advance(90_000)
  expect(await verdict(api, bearer(await token({}, { kid: 'other' })))).toBe('503')
  expect(await verdict(api, bearer(await token()))).toBe('ann with notes:read mail:read')
})
