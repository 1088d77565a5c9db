import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { finishAuthorization } from '../../src/grants/authorization-code.js'
import { manualClock } from '../../src/testing/manual-clock.js'
import { metadata, testClient } from '../support/client.js'
import { type FaultServer, faultServer, json } from '../support/fault-server.js'
import { claimsFor, jwt } from '../support/id-token.js'
import { expectNoMarker, marker } from '../support/marker.js'
import { failure, responseTo, started } from '../support/sign-in.js'

const accessToken = `at-${marker}`

interface Answered {
  readonly claims?: Readonly<Record<string, unknown>>
  readonly header?: Readonly<Record<string, unknown>>
  /** In the place of the whole token. */
  readonly idToken?: unknown
  readonly server?: Readonly<Record<string, unknown>>
  readonly maxAgeSeconds?: number
  readonly clock?: ReturnType<typeof manualClock>
}

/** A sign-in with openid whose ID token is right in every way, but for what is said otherwise. */
async function signedIn(how: Answered) {
  const server: FaultServer = await faultServer()
  const client = testClient({ authorizationServer: metadata(server.origin, how.server) }, how.clock)
  const request = { scope: ['openid'], ...(how.maxAgeSeconds === undefined ? {} : { maxAgeSeconds: how.maxAgeSeconds }) }
  const pending = await started(client, request)
  const claims = claimsFor(server.origin, pending.nonce?.reveal(), client.clock.now(), { marker, ...how.claims })
  const id_token = 'idToken' in how ? how.idToken : jwt(claims, how.header)
  server.on('/token', json({ access_token: accessToken, token_type: 'Bearer', id_token }))
  return finishAuthorization(client, pending, responseTo(pending))
}

async function refused(how: Answered) {
  const error = await failure(signedIn(how))
  expectNoMarker(error)
  return error
}

const invalid = { code: 'id_token_invalid' }
const now = Math.floor(Date.now() / 1000)

test('O2 an ID token that holds is accepted: its claims without a prototype, its text a secret', async () => {
  const answer = await signedIn({ claims: { address: { country: 'CH' } } })
  expect(answer.idTokenClaims).toMatchObject({ sub: 'alice', address: { country: 'CH' } })
  expect(Object.getPrototypeOf(answer.idTokenClaims)).toBeNull()
  expect(answer.idToken?.reveal()).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/)
  expect(JSON.stringify(answer.idToken)).toBe('"[redacted]"')
})

test.for<{ name: string; kid?: string }>([{ name: 'that nobody knows', kid: 'invented' }, { name: 'that is absent' }])(
  'O16 O17 an ID token needs no key, for it comes straight from the token endpoint, where TLS stands for it: a kid $name leads nowhere',
  async ({ kid }) => {
    // Where signatures do count, at an API, the keys are looked after: test/resource-server/jwt.test.ts.
    const unreachable = 'https://nobody.invalid/keys'
    const answer = await signedIn({ header: { alg: 'RS256', kid }, server: { jwks_uri: unreachable } })
    expect(answer.idTokenClaims?.sub).toBe('alice')
  },
)

describe('what is refused', () => {
  test.for<readonly [string, Answered]>([
    ['O2 no nonce', { claims: { nonce: undefined } }],
    ['O2 another nonce', { claims: { nonce: 'other' } }],
    ['O2 a nonce that is no text', { claims: { nonce: 7 } }],
    ['O3 no ID token', { idToken: undefined }],
    ['O4 no iss', { claims: { iss: undefined } }],
    ['O4 another iss', { claims: { iss: 'https://evil.example' } }],
    ['O5 no aud', { claims: { aud: undefined } }],
    ['O5 another aud', { claims: { aud: 'other' } }],
    ['O5 a list without the client', { claims: { aud: ['one', 'two'] } }],
    ['O5 a second audience that nobody vouches for', { claims: { aud: ['app', 'other'] } }],
    ['O6 several audiences, and azp another', { claims: { aud: ['app', 'other'], azp: 'other' } }],
    ['O6 one audience, and azp another', { claims: { azp: 'other' } }],
    ['O8 alg none', { header: { alg: 'none' } }],
    ['O8 alg None', { header: { alg: 'None' } }],
    ['O8 no alg', { header: {} }],
    ['O8 alg null', { header: { alg: null } }],
    [
      'O8 an algorithm that the server does not list',
      { header: { alg: 'ES256' }, server: { id_token_signing_alg_values_supported: ['RS256'] } },
    ],
    ['O8 another than RS256 where the server lists none', { header: { alg: 'ES256' } }],
    [
      'O8 alg none, though the server lists it',
      { header: { alg: 'none' }, server: { id_token_signing_alg_values_supported: ['none', 'RS256'] } },
    ],
    ['O9 alg HS256', { header: { alg: 'HS256' } }],
    [
      'O9 alg HS256, though the server lists it',
      { header: { alg: 'HS256' }, server: { id_token_signing_alg_values_supported: ['HS256'] } },
    ],
    ['O10 no exp', { claims: { exp: undefined } }],
    ['O10 expired', { claims: { exp: now - 120 } }],
    ['O10 exp a string', { claims: { exp: String(now + 300) } }],
    ['O11 no iat', { claims: { iat: undefined } }],
    ['O11 iat a string', { claims: { iat: String(now) } }],
    ['O11 iat a week ago', { claims: { iat: now - 7 * 86_400 } }],
    ['O11 iat in ten minutes', { claims: { iat: now + 600 } }],
    ['O11 iat in a year', { claims: { iat: now + 365 * 86_400 } }],
    ['O12 no sub', { claims: { sub: undefined } }],
    ['O12 an empty sub', { claims: { sub: '' } }],
    ['O12 a sub of 256 characters', { claims: { sub: 'a'.repeat(256) } }],
    ['O12 a sub that is not ASCII', { claims: { sub: 'älice' } }],
    ['O12 a sub that is no text', { claims: { sub: 7 } }],
    [
      'O13 at_hash of another access token',
      { claims: { at_hash: createHash('sha256').update('other').digest().subarray(0, 16).toString('base64url') } },
    ],
    ['O13 at_hash that is no text', { claims: { at_hash: 7 } }],
    ['crit that nobody knows', { header: { alg: 'RS256', crit: ['x'], x: 1 } }],
    ['an encrypted token', { idToken: `${jwt({}).split('.')[0]}.a.b.c.d` }],
    ['two parts', { idToken: `${marker}.x` }],
    ['no JWT at all', { idToken: marker }],
    ['a payload that is no JSON', { idToken: `${jwt({}).split('.')[0]}.bm90IGpzb24.c2ln` }],
    ['claims nested beyond all measure', { claims: { deep: JSON.parse(`${'['.repeat(200)}${']'.repeat(200)}`) } }],
    ['auth_time that is older than max_age', { maxAgeSeconds: 60, claims: { auth_time: now - 600 } }],
    ['no auth_time where max_age was asked for', { maxAgeSeconds: 60 }],
  ])('%s', async ([, how]) => {
    expect(await refused(how)).toMatchObject(invalid)
  })

  test.for([7, '', null, {}, 'a b'])('O3 the id_token %j is a malformed answer', async (idToken) => {
    expect(await refused({ idToken })).toMatchObject({ code: 'token_response_invalid' })
  })
})

describe('what is accepted', () => {
  const half = (digest: string, bytes: number) => createHash(digest).update(accessToken).digest().subarray(0, bytes).toString('base64url')
  const lists = (...id_token_signing_alg_values_supported: string[]) => ({ id_token_signing_alg_values_supported })

  test.for<readonly [string, Answered]>([
    ['O5 the audience as a list of one', { claims: { aud: ['app'] } }],
    ['O6 several audiences, and azp the client', { claims: { aud: ['app', 'other'], azp: 'app' } }],
    ['O6 one audience, and azp the client', { claims: { azp: 'app' } }],
    ['O7 a signature that is not checked, for TLS stands for it', {}],
    ['O8 an algorithm that the server lists', { header: { alg: 'ES256' }, server: lists('ES256') }],
    ['O10 expired within the tolerance', { claims: { exp: now - 20 } }],
    ['O11 iat some hours ago', { claims: { iat: now - 3 * 3_600 } }],
    ['O11 iat in a minute', { claims: { iat: now + 60 } }],
    ['O12 a sub of 255 characters', { claims: { sub: 'a'.repeat(255) } }],
    ['O13 at_hash by SHA-256', { claims: { at_hash: half('sha256', 16) } }],
    ['O13 at_hash by SHA-384', { claims: { at_hash: half('sha384', 24) }, header: { alg: 'ES384' }, server: lists('ES384') }],
    ['O13 at_hash by SHA-512', { claims: { at_hash: half('sha512', 32) }, header: { alg: 'EdDSA' }, server: lists('EdDSA') }],
    ['max_age with a fresh auth_time', { maxAgeSeconds: 60, claims: { auth_time: now - 30 } }],
  ])('%s', async ([, how]) => {
    expect((await signedIn(how)).idTokenClaims?.iss).toMatch(/^http/)
  })

  test('O10 O11 time is the client’s clock, not the machine’s', async () => {
    for (const year of [2020, 2040]) {
      const clock = manualClock(Date.UTC(year, 5, 1))
      const then = clock.now() / 1000
      expect((await signedIn({ clock })).idTokenClaims).toMatchObject({ iat: then })
      expect(await refused({ clock, claims: { exp: then - 120 } })).toMatchObject(invalid)
      expect(await refused({ clock, claims: { iat: now, exp: now + 300 } })).toMatchObject(invalid)
    }
  })
})
