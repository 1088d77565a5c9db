import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isSecure, parseAddress } from '../../../src/core/address.js'
import { Secret, bare } from '../../../src/core/secret.js'
import { metadataOf } from '../../../src/protocol/authorization-server.js'
import { idTokenClaims } from '../../../src/protocol/id-token.js'
import { type PreparedTokenRequest, prepareTokenRequest } from '../../../src/protocol/token-request.js'
import { metadata, testClient } from '../../support/client.js'
import { claimsFor, jwt } from '../../support/id-token.js'
import { expectNoMarker, marker } from '../../support/marker.js'
import { almost, expectClean, nastyText, nastyValue } from './inputs.js'

const runs = Number(process.env['FUZZ_RUNS'] ?? 2_000)
const issuer = 'https://auth.example'

/** A token request, ready; and what it will be answered with. */
async function prepared(): Promise<{ readonly request: PreparedTokenRequest; answer: Response }> {
  const self = { answer: new Response() }
  const client = testClient({ authorizationServer: metadata(issuer), fetch: async () => self.answer })
  const request = await prepareTokenRequest(
    client,
    bare({ grantType: 'client_credentials', parameters: bare({}), invalidGrant: 'sign_in_required' }),
  )
  return Object.assign(self, { request })
}

/** A success can be carried by a header and kept; a failure shows nothing. */
async function expectUsable(request: PreparedTokenRequest): Promise<boolean> {
  const outcome = await request.send()
  if (!outcome.ok) {
    expectClean(outcome.error)
    expect(outcome.retryAfter ?? 1).toBeGreaterThan(0)
    return false
  }
  const { accessToken, tokenType, refreshToken, lifetime = 1, scope = [] } = outcome.answer
  expect(accessToken.reveal()).toMatch(/^[\x21-\x7E]+$/)
  expect(refreshToken?.reveal() ?? 'none').toMatch(/^[\x20-\x7E]+$/)
  expect(tokenType).toBe('Bearer')
  expect(lifetime > 0 && lifetime <= 10 * 365 * 86_400_000).toBe(true)
  for (const value of scope) expect(value).toMatch(/^[\x21\x23-\x5B\x5D-\x7E]+$/)
  expectNoMarker({ answer: { accessToken, refreshToken, lifetime } })
  return true
}

test('a token document that is almost right is used whole, or refused whole', async () => {
  const right = { access_token: `access-${marker}`, token_type: 'Bearer', expires_in: 60, refresh_token: `refresh-${marker}`, scope: 'a b' }
  const made = await prepared()
  let used = 0
  await fc.assert(
    fc.asyncProperty(almost(right, ['id_token', 'authorization_details', 'error', 'error_description']), async (document) => {
      made.answer = new Response(JSON.stringify(document), { headers: { 'content-type': 'application/json' } })
      if (await expectUsable(made.request)) used += 1
    }),
    { numRuns: runs },
  )
  expect(used).toBeGreaterThan(runs / 50)
})

test('so is an answer of any status, type and bytes', async () => {
  const made = await prepared()
  const body = fc.oneof(
    fc.uint8Array({ maxLength: 60 }).map((bytes) => new Uint8Array(bytes)),
    nastyText.map((text) => new TextEncoder().encode(text)),
    nastyValue.map((value) => new TextEncoder().encode(JSON.stringify({ error: value, access_token: value, token_type: value }))),
    almost({ access_token: marker, token_type: 'bearer' }).map((document) => new TextEncoder().encode(JSON.stringify(document))),
  )
  const type = fc.constantFrom('application/json', 'Application/JSON ;charset=x', 'text/html', '', ';', 'application/json, text/html')
  const retryAfter = fc.constantFrom('5', '-1', '1e9', '99999999999999999999', 'Fri, 31 Dec 9999 23:59:59 GMT', 'soon', '')
  const status = fc.oneof({ weight: 3, arbitrary: fc.constant(200) }, fc.integer({ min: 200, max: 599 }))
  await fc.assert(
    fc.asyncProperty(body, type, retryAfter, status, async (bytes, contentType, wait, code) => {
      const isEmpty = [204, 205, 304].includes(code)
      const headers = { 'content-type': contentType, 'retry-after': wait, date: wait }
      made.answer = new Response(isEmpty ? null : bytes, { status: code, headers })
      await expectUsable(made.request)
    }),
    { numRuns: runs },
  )
})

test('a metadata document that is almost right is of its issuer and has https endpoints, or is refused', async () => {
  const right = {
    ...metadata(issuer),
    jwks_uri: `${issuer}/jwks`,
    code_challenge_methods_supported: ['S256'],
    mtls_endpoint_aliases: { token_endpoint: `${issuer}/t` },
  }
  let used = 0
  await fc.assert(
    fc.asyncProperty(almost(right, ['device_authorization_endpoint', 'registration_endpoint']), async (document) => {
      const text = JSON.stringify({ ...document, marker })
      const client = testClient({ issuer, fetch: async () => new Response(text, { headers: { 'content-type': 'application/json' } }) })
      const found = await metadataOf(client).catch(expectClean)
      if (found === undefined) return
      used += 1
      expect(found.issuer).toBe(issuer)
      expect(Object.getPrototypeOf(found)).toBeNull()
      for (const [name, value] of Object.entries(found)) {
        if (!/_endpoint$|^jwks_uri$/.test(name)) continue
        const url = parseAddress(value)
        expect(url !== undefined && isSecure(url)).toBe(true)
      }
    }),
    { numRuns: runs },
  )
  expect(used).toBeGreaterThan(runs / 50)
})

test('an ID token that is almost right is of its issuer, client and sign-in, or is refused', async () => {
  const client = testClient({ authorizationServer: metadata(issuer) })
  const server = await metadataOf(client)
  const nonce = 'the-nonce-of-the-sign-in'
  const claims = almost(claimsFor(issuer, nonce, client.clock.now(), { marker }), ['azp', 'at_hash', 'auth_time', 'nbf', 'crit'])
  const header = almost({ alg: 'RS256', kid: 'a' }, ['crit', 'typ', 'jwk'])
  const token = fc.oneof(
    { weight: 6, arbitrary: fc.tuple(claims, header).map(([payload, protectedHeader]) => jwt(payload, protectedHeader)) },
    { weight: 1, arbitrary: nastyText },
  )
  let used = 0
  await fc.assert(
    fc.asyncProperty(token, async (text) => {
      const found = await idTokenClaims(
        client,
        server,
        { idToken: text, accessToken: marker, serverTime: undefined },
        { after: 'sign_in', nonce: Secret.of(nonce) },
      ).catch(expectClean)
      if (found === undefined) return
      used += 1
      expect([found.iss, found['nonce'], [found['aud']].flat().includes(client.clientId)]).toEqual([issuer, nonce, true])
      expect(found.sub).toMatch(/^[\x20-\x7E]{1,255}$/)
      expect(Number(found['exp']) * 1000 > client.clock.now() - 61_000).toBe(true)
    }),
    { numRuns: runs },
  )
  expect(used).toBeGreaterThan(runs / 50)
})
