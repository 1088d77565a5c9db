import { createHash } from 'node:crypto'
import { type JWTPayload, exportJWK } from 'jose'
import { expect, test } from 'vitest'
import { keyPair } from '../support/keys.js'
import { type Issuer, issuer, request, url, verdict } from './issuer.js'

const bound = async (of: Issuer, claims: JWTPayload = {}) => of.token({ cnf: { jkt: await of.thumbprint() }, ...claims })
const good = 'ann with notes:read mail:read'

test('a token that is bound to a key is good with a proof by that key, once', async () => {
  const of = await issuer()
  const token = await bound(of)
  const proof = await of.proof(token)
  expect(await verdict(of.api, request(`DPoP ${token}`, { dpop: proof }))).toBe(good)
  expect(await verdict(of.api, request(`dpop ${token}`, { dpop: proof }))).toBe('401 invalid_dpop_proof')
  expect(await verdict(of.api, request(`DPoP ${token}`, { dpop: await of.proof(token) }))).toBe(good)
})

test('a random string that is bound needs its proof just so', async () => {
  const of = await issuer()
  of.says({ cnf: { jkt: await of.thumbprint() }, token_type: 'DPoP' })
  const dpop = await of.proof('a-random-string')
  expect(await verdict(of.api, request('DPoP a-random-string'))).toBe('401 invalid_dpop_proof')
  expect(await verdict(of.api, request('DPoP a-random-string', { dpop }))).toBe(good)
  expect(await verdict(of.api, request('DPoP a-random-string', { dpop }))).toBe('401 invalid_dpop_proof')
})

test('a bound token that is sent as Bearer, and an unbound one that is sent as DPoP, are invalid_token', async () => {
  const of = await issuer()
  const [tied, loose] = [await bound(of), await of.token()]
  expect(await verdict(of.api, request(`Bearer ${tied}`))).toBe('401 invalid_token')
  expect(await verdict(of.api, request(`Bearer ${tied}`, { dpop: await of.proof(tied) }))).toBe('401 invalid_token')
  expect(await verdict(of.api, request(`DPoP ${loose}`, { dpop: await of.proof(loose) }))).toBe('401 invalid_token')
})

const now = Date.UTC(2026, 0, 1) / 1_000

test.for<{ name: string; claims?: JWTPayload; header?: Record<string, unknown> }>([
  { name: 'of another type', header: { typ: 'JWT' } },
  { name: 'without a key', header: { jwk: undefined } },
  { name: 'for another method', claims: { htm: 'POST' } },
  { name: 'for a method in other letters', claims: { htm: 'get' } },
  { name: 'for another path', claims: { htu: 'https://api.example/mail' } },
  { name: 'for another host', claims: { htu: 'https://evil.example/notes' } },
  { name: 'for http', claims: { htu: 'http://api.example/notes' } },
  { name: 'for no address', claims: { htu: 'nonsense' } },
  { name: 'that is too old', claims: { iat: now - 301 } },
  { name: 'from the future', claims: { iat: now + 301 } },
  { name: 'without a time', claims: { iat: undefined as never } },
  { name: 'for another token', claims: { ath: createHash('sha256').update('another').digest('base64url') } },
  { name: 'for no token', claims: { ath: undefined } },
  { name: 'without an id', claims: { jti: undefined as never } },
  { name: 'with an id as long as a book', claims: { jti: 'a'.repeat(257) } },
])('a proof $name is invalid_dpop_proof', async ({ claims, header }) => {
  const of = await issuer()
  const token = await bound(of)
  expect(await verdict(of.api, request(`DPoP ${token}`, { dpop: await of.proof(token, claims, header) }))).toBe('401 invalid_dpop_proof')
})

test('a proof with query and fragment in its address, and one at the edge of its window, are good', async () => {
  const of = await issuer()
  const token = await bound(of)
  for (const claims of [{ htu: `${url}#here` }, { htu: 'https://API.example:443/notes' }, { iat: now - 300 }, { iat: now + 300 }])
    expect(await verdict(of.api, request(`DPoP ${token}`, { dpop: await of.proof(token, claims) }))).toBe(good)
})

test('a proof by another key, one that shows its private key, one that is tampered with, and two at once are invalid_dpop_proof', async () => {
  const of = await issuer()
  const token = await bound(of)
  const mine = await of.proof(token)
  const stranger = await keyPair('ES256')
  const bad = [
    await of.proof(token, {}, { jwk: await exportJWK(stranger.publicKey) }, stranger),
    await of.proof(token, {}, {}, stranger),
    await of.proof(token, {}, { jwk: await exportJWK(of.clientKeys.privateKey) }),
    `${mine.slice(0, -4)}AAAA`,
    `${mine}, ${await of.proof(token)}`,
    'nonsense',
    'a'.repeat(20_000),
  ]
  for (const dpop of bad)
    expect(await verdict(of.api, request(`DPoP ${token}`, { dpop })), dpop.slice(0, 40)).toBe('401 invalid_dpop_proof')
})

test('a used proof is remembered for as long as it could be used again', async () => {
  const of = await issuer()
  const token = await bound(of, { exp: now + 3_600 })
  const ahead = await of.proof(token, { iat: now + 300 })
  expect(await verdict(of.api, request(`DPoP ${token}`, { dpop: ahead }))).toBe(good)
  await of.clock.advance(599_999)
  expect(await verdict(of.api, request(`DPoP ${token}`, { dpop: ahead }))).toBe('401 invalid_dpop_proof')
  await of.clock.advance(1_001)
  expect(await verdict(of.api, request(`DPoP ${token}`, { dpop: ahead }))).toBe('401 invalid_dpop_proof')
})

test('a proof that came with a bad token is not used up by it', async () => {
  const of = await issuer()
  const token = await bound(of)
  const dpop = await of.proof(token)
  of.says({ active: false })
  expect(await verdict(of.api, request('DPoP another-token', { dpop }))).toBe('401 invalid_token')
  expect(await verdict(of.api, request(`DPoP ${token}`, { dpop }))).toBe(good)
})

test('an API that requires DPoP takes no Bearer token, and one that refuses it takes no other', async () => {
  const of = await issuer()
  const [tied, loose] = [await bound(of), await of.token()]
  const [requires, refuses] = [of.another({ dpop: 'required' }), of.another({ dpop: 'refused' })]
  expect(await verdict(requires, request(`Bearer ${loose}`))).toBe('401 invalid_token')
  expect(await verdict(requires, request(`DPoP ${tied}`, { dpop: await of.proof(tied) }))).toBe(good)
  expect(await verdict(refuses, request(`Bearer ${loose}`))).toBe(good)
  expect(await verdict(refuses, request(`DPoP ${tied}`, { dpop: await of.proof(tied) }))).toBe('401 invalid_token')
})
