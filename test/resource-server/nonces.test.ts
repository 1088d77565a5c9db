import { randomBytes } from 'node:crypto'
import type { JWTPayload } from 'jose'
import { expect, test } from 'vitest'
import { noncesBy } from '../../src/resource-server/nonces.js'
import { type Issuer, issuer, request, verdict } from './issuer.js'

const dpopNonceKey = randomBytes(32).toString('base64')
const good = 'ann with notes:read mail:read'
const now = Date.UTC(2026, 0, 1) / 1_000

const bound = async (of: Issuer) => of.token({ cnf: { jkt: await of.thumbprint() }, exp: now + 3_600 })
const proven = async (of: Issuer, token: string, claims?: JWTPayload) => request(`DPoP ${token}`, { dpop: await of.proof(token, claims) })

async function refusal(of: Issuer, what: Request): Promise<Headers> {
  const result = await of.api.verifyAccessToken(what)
  if (result.ok) throw new Error('it was not refused')
  return result.response.headers
}

test('with a nonce key a proof must repeat a nonce (RFC 9449 section 9), which the refusal tells, and the next one the answer to a good request', async () => {
  const of = await issuer({ dpopNonceKey })
  const token = await bound(of)
  const headers = await refusal(of, await proven(of, token))
  expect(headers.get('www-authenticate')).toMatch(/^DPoP error="use_dpop_nonce", error_description="[^"]+", algs="[^"]+"$/)
  expect(headers.get('access-control-expose-headers')).toContain('DPoP-Nonce')
  const nonce = headers.get('dpop-nonce') ?? ''
  // RFC 9449 section 8.1: NQCHAR.
  expect(nonce).toMatch(/^[!#-[\]-~]+$/)
  const accepted = await of.api.verifyAccessToken(await proven(of, token, { nonce }))
  expect(accepted).toMatchObject({ ok: true, subject: 'ann', headers: { 'dpop-nonce': nonce } })
})

test.for<{ name: string; nonce: unknown }>([
  { name: 'of another key', nonce: await noncesBy(randomBytes(32), { now: () => now * 1_000 }).newest() },
  { name: 'that is empty', nonce: '' },
  { name: 'that is no text', nonce: 7 },
  { name: 'of an hour ago', nonce: await noncesBy(Buffer.from(dpopNonceKey, 'base64'), { now: () => (now - 3_600) * 1_000 }).newest() },
  { name: 'of an hour to come', nonce: await noncesBy(Buffer.from(dpopNonceKey, 'base64'), { now: () => (now + 3_600) * 1_000 }).newest() },
])('a nonce $name is use_dpop_nonce', async ({ nonce }) => {
  const of = await issuer({ dpopNonceKey })
  const token = await bound(of)
  expect(await verdict(of.api, await proven(of, token, { nonce }))).toBe('401 use_dpop_nonce')
})

test('a nonce is good for no longer than a proof may be old, and the refusal of an old one tells the next', async () => {
  const of = await issuer({ dpopNonceKey })
  const token = await bound(of)
  const nonce = (await refusal(of, await proven(of, token))).get('dpop-nonce') ?? ''
  await of.clock.advance(299_999)
  expect(await verdict(of.api, await proven(of, token, { nonce }))).toBe(good)
  await of.clock.advance(1)
  const next = (await refusal(of, await proven(of, token, { nonce }))).get('dpop-nonce') ?? ''
  expect(next).not.toBe(nonce)
  expect(await verdict(of.api, await proven(of, token, { nonce: next }))).toBe(good)
})

test('who calls at all times is never refused for a nonce after the first', async () => {
  const of = await issuer({ dpopNonceKey })
  const token = await bound(of)
  let nonce = (await refusal(of, await proven(of, token))).get('dpop-nonce') ?? ''
  const told = new Set([nonce])
  for (let call = 0; call < 20; call += 1) {
    await of.clock.advance(100_000)
    const result = await of.api.verifyAccessToken(await proven(of, token, { nonce }))
    if (!result.ok) throw new Error(String(result.response.headers.get('www-authenticate')))
    nonce = result.headers['dpop-nonce'] ?? ''
    told.add(nonce)
  }
  expect(told.size).toBeGreaterThan(10)
})

test('all processes with one key know the same nonces, also where a clock is two minutes ahead', async () => {
  const key = randomBytes(32)
  const nonces = [0, 120_000].map((ahead) => noncesBy(key, { now: () => now * 1_000 + 100_000 + ahead }))
  for (const teller of nonces) for (const judge of nonces) expect(await judge.isGood(await teller.newest())).toBe(true)
})

test('a proof that is used again is invalid_dpop_proof, whatever nonce it repeats', async () => {
  const of = await issuer({ dpopNonceKey })
  const token = await bound(of)
  const nonce = (await refusal(of, await proven(of, token))).get('dpop-nonce') ?? ''
  const dpop = await of.proof(token, { nonce })
  expect(await verdict(of.api, request(`DPoP ${token}`, { dpop }))).toBe(good)
  expect(await verdict(of.api, request(`DPoP ${token}`, { dpop }))).toBe('401 invalid_dpop_proof')
})

test('who proves wrongly, or shows nothing yet, is told the nonce too; a Bearer token needs none and hears of none', async () => {
  const of = await issuer({ dpopNonceKey })
  const token = await bound(of)
  for (const what of [await proven(of, token, { iat: now - 3_600 }), request(`DPoP ${token}`), request(undefined)])
    expect((await refusal(of, what)).get('dpop-nonce')).toMatch(/./)
  const accepted = await of.api.verifyAccessToken(request(`Bearer ${await of.token()}`))
  expect(accepted.ok && accepted.headers).toEqual({})
  expect((await refusal(of, request('Bearer nonsense'))).get('dpop-nonce')).toBeNull()
})

test('without a nonce key nobody is told of nonces, and a proof that repeats one is good', async () => {
  const of = await issuer()
  const token = await bound(of)
  const accepted = await of.api.verifyAccessToken(await proven(of, token, { nonce: 'of another place' }))
  expect(accepted.ok && accepted.headers).toEqual({})
  expect((await refusal(of, request('DPoP nonsense'))).get('dpop-nonce')).toBeNull()
})
