import { describe, expect, test } from 'vitest'
import { finishAuthorization, startAuthorization } from '../../src/grants/authorization-code.js'
import { signedResponses } from '../../src/protocol/signed-responses.js'
import { manualClock } from '../../src/testing/manual-clock.js'
import { metadata, testClient } from '../support/client.js'
import { type FaultServer, type Route, faultServer, hangUp, json, status } from '../support/fault-server.js'
import { expectNoMarker, marker } from '../support/marker.js'
import { failure, redirectUri, responseTo } from '../support/sign-in.js'
import { type SignedResponseParts, signedResponse, signingKeys } from '../support/signed-response.js'

// Signed authorization responses (JARM): each member and each signature is wrong once. The cases of the conformance suite are in test/hostile.

const request = { owner: 'key', redirectUri, scope: ['notes:read'] }
const invalid = { name: 'OAuthError', code: 'authorization_response_invalid' }
type More = Readonly<Record<string, unknown>>
type Change = (parts: SignedResponseParts) => SignedResponseParts & { readonly signature?: string }

interface Begun {
  readonly server: FaultServer
  readonly clock: ReturnType<typeof manualClock>
  readonly asked: URLSearchParams
  /** Finishes with the response that is made so. */
  finish(change?: Change, how?: { readonly edit?: (response: URL) => URL }): Promise<unknown>
}

/** A sign-in whose response is due, signed. */
async function begun(members: More = {}, keys: Route = json(signingKeys), options: More = {}): Promise<Begun> {
  const server = await faultServer({ '/token': json({ access_token: 'at', token_type: 'Bearer' }), '/jwks': keys })
  const authorizationServer = metadata(server.origin, { jwks_uri: `${server.origin}/jwks`, ...members })
  const clock = manualClock(Date.now())
  const client = testClient({ authorizationServer, signedResponses: signedResponses(), ...options }, clock)
  const { url, pending } = await startAuthorization(client, request)
  const finish: Begun['finish'] = (change, { edit = (response: URL) => response } = {}) => {
    const said = responseTo(pending, { iss: server.origin })
    const response = signedResponse(said, { issuer: server.origin, clientId: 'app', now: clock.now() }, change)
    return finishAuthorization(client, pending, edit(response))
  }
  return { server, clock, asked: url.searchParams, finish }
}

const tokenRequests = ({ server }: Begun): number => server.to('/token').length
const claims =
  (change: More): Change =>
  ({ header, claims: own }) => ({ header, claims: { ...own, ...change } })
const header =
  (change: More): Change =>
  ({ header: own, claims: said }) => ({ header: { ...own, ...change }, claims: said })
const seconds = (): number => Math.floor(Date.now() / 1_000)

test('C18 a signed response is asked for, verified by a key of the server, and its code is redeemed', async () => {
  const begins = await begun()
  expect(begins.asked.get('response_mode')).toBe('jwt')
  await begins.finish()
  expect(begins.server.received.map(({ path }) => path)).toEqual(['/jwks', '/token'])
  expect(begins.server.to('/token')[0]?.form.get('code')).toContain(marker)
})

test('C18 the keys are kept: another response in the next minutes asks for none', async () => {
  const server = await faultServer({ '/token': json({ access_token: 'at', token_type: 'Bearer' }), '/jwks': json(signingKeys) })
  const authorizationServer = metadata(server.origin, { jwks_uri: `${server.origin}/jwks` })
  const client = testClient({ authorizationServer, signedResponses: signedResponses() })
  for (let round = 0; round < 3; round += 1) {
    const { pending } = await startAuthorization(client, request)
    await finishAuthorization(client, pending, signedResponse(responseTo(pending), { issuer: server.origin, clientId: 'app' }))
  }
  expect(server.to('/jwks')).toHaveLength(1)
  expect(server.to('/token')).toHaveLength(3)
})

describe('the mode', () => {
  test.for<readonly [unknown, string]>([
    [undefined, 'jwt'],
    [['query', 'jwt'], 'jwt'],
    [['query', 'fragment', 'query.jwt', 'jwt'], 'query.jwt'],
  ])('C18 of %j is %s', async ([modes, mode]) => {
    expect((await begun({ response_modes_supported: modes })).asked.get('response_mode')).toBe(mode)
  })

  test.for<More>([{ response_modes_supported: ['query', 'form_post.jwt'] }, { jwks_uri: undefined }])(
    'C18 a server with %j signs none: nobody is sent there',
    async (members) => {
      const error = await failure(begun(members))
      expect(error).toMatchObject({ code: 'not_supported', message: expect.stringContaining('signedResponses') as string })
    },
  )

  test('C18 without the option none is asked for, and one that comes is refused', async () => {
    const begins = await begun({}, json(signingKeys), { signedResponses: undefined })
    expect(begins.asked.has('response_mode')).toBe(false)
    expect(await failure(begins.finish())).toMatchObject(invalid)
    expect(begins.server.received).toEqual([])
  })

  test.for<unknown>([true, 'jwt', {}, null])('an option that is %j is refused at construction', async (value) => {
    await expect(begun({}, undefined, { signedResponses: value })).rejects.toMatchObject({ code: 'invalid_configuration' })
  })

  test('an object that only looks like it is invalid_configuration', async () => {
    await expect(begun({}, undefined, { signedResponses: { responseMode: 'jwt' } })).rejects.toMatchObject({
      code: 'invalid_configuration',
    })
  })
})

describe('what is refused', () => {
  test.for<readonly [string, Change]>([
    ['no iss', claims({ iss: undefined })],
    ['another iss', claims({ iss: 'https://evil.example' })],
    ['an iss that is no text', claims({ iss: ['https://evil.example'] })],
    ['no aud', claims({ aud: undefined })],
    ['another aud', claims({ aud: 'another' })],
    ['an aud that only begins so', claims({ aud: 'app2' })],
    ['a list of others', claims({ aud: ['another'] })],
    ['no exp', claims({ exp: undefined })],
    ['an exp that is text', claims({ exp: String(seconds() + 120) })],
    ['an exp that has passed', claims({ exp: seconds() - 61 })],
    ['an nbf that is to come', claims({ nbf: seconds() + 120 })],
    ['an nbf that is text', claims({ nbf: '0' })],
    ['another state', claims({ state: 'another' })],
    ['no state', claims({ state: undefined })],
    ['a state that is no text', claims({ state: 7 })],
    ['no code', claims({ code: undefined })],
    ['a code that is no text', claims({ code: [marker] })],
    ['an access token', claims({ access_token: marker })],
    ['an ID token', claims({ id_token: marker })],
    ['alg none, with a signature', header({ alg: 'none' })],
    ['alg none, without one', (parts) => ({ ...header({ alg: 'none' })(parts), signature: '' })],
    ['alg None', header({ alg: 'None' })],
    ['no alg', header({ alg: undefined })],
    ['an alg of a shared key', header({ alg: 'HS256' })],
    ['an alg that is not the key’s', header({ alg: 'ES384' })],
    ['an alg that is a list', header({ alg: ['ES256'] })],
    ['a key id that nobody knows', header({ kid: 'another' })],
    ['a critical extension', header({ crit: ['x'], x: 1 })],
    ['another’s signature', (parts) => ({ ...parts, signature: Buffer.alloc(64, 1).toString('base64url') })],
    ['no signature', (parts) => ({ ...parts, signature: '' })],
  ])('C18 a response with %s is refused before anything of it is used', async ([, change]) => {
    const begins = await begun()
    const error = await failure(begins.finish(change))
    expect(error).toMatchObject(invalid)
    expectNoMarker(error)
    expect(tokenRequests(begins)).toBe(0)
  })

  test('C18 claims that were changed after they were signed are refused', async () => {
    const begins = await begun()
    const edit = (response: URL) => {
      const [first, payload = '', signature] = (response.searchParams.get('response') ?? '').split('.')
      const changed = { ...(JSON.parse(Buffer.from(payload, 'base64url').toString()) as object), code: 'another' }
      response.searchParams.set('response', [first, Buffer.from(JSON.stringify(changed)).toString('base64url'), signature].join('.'))
      return response
    }
    expect(await failure(begins.finish(undefined, { edit }))).toMatchObject(invalid)
    expect(tokenRequests(begins)).toBe(0)
  })

  test.for<readonly [string, (response: URL, plain: URL) => URL]>([
    ['that is not signed', (_, plain) => plain],
    ['that is empty', (response) => withResponse(response, '')],
    ['that is no JWT', (response) => withResponse(response, marker)],
    ['that is encrypted', (response) => withResponse(response, 'a.b.c.d.e')],
    ['that is too long', (response) => withResponse(response, `${'a'.repeat(20_000)}.${'b'.repeat(20_000)}.c`)],
    [
      'that is there twice',
      (response) => {
        response.searchParams.append('response', response.searchParams.get('response') ?? '')
        return response
      },
    ],
    [
      'with a token beside it',
      (response) => {
        response.searchParams.set('access_token', marker)
        return response
      },
    ],
  ])('C18 where a signed one was asked for, a response %s is refused', async ([, edit]) => {
    const begins = await begun()
    let plain = new URL(redirectUri)
    const error = await failure(
      begins.finish(
        (parts) => {
          plain = new URL(`${redirectUri}?${new URLSearchParams(parts.claims as Record<string, string>).toString()}`)
          return parts
        },
        { edit: (response) => edit(response, plain) },
      ),
    )
    expect(error).toMatchObject(invalid)
    expectNoMarker(error)
    expect(tokenRequests(begins)).toBe(0)
  })

  test('C18 what stands beside the JWT in the address is not used', async () => {
    const begins = await begun()
    const edit = (response: URL) => {
      for (const [name, value] of Object.entries({ code: 'evil', iss: 'https://evil.example', error: 'access_denied' }))
        response.searchParams.set(name, value)
      return response
    }
    await begins.finish(undefined, { edit })
    expect(begins.server.to('/token')[0]?.form.get('code')).toContain(marker)
  })

  test('C18 a key that the server does not have any more verifies nothing', async () => {
    const begins = await begun({}, json({ keys: [] }))
    expect(await failure(begins.finish())).toMatchObject(invalid)
  })

  test('C18 an algorithm that the server does not name is refused, before its keys are asked for', async () => {
    const begins = await begun({ authorization_signing_alg_values_supported: ['PS256'] })
    expect(await failure(begins.finish())).toMatchObject(invalid)
    expect(begins.server.received).toEqual([])
    await (await begun({ authorization_signing_alg_values_supported: ['PS256', 'ES256'] })).finish()
  })

  test.for<readonly [string, Route, string]>([
    ['a server in trouble', status(503), 'server_unavailable'],
    ['a connection that breaks', hangUp, 'network'],
  ])('C18 keys that cannot be had, for %s, are a typed error', async ([, keys, code]) => {
    const begins = await begun({}, keys)
    expect(await failure(begins.finish())).toMatchObject({ code })
    expect(tokenRequests(begins)).toBe(0)
  })

  test('C18 a session that has no signedResponses any more does not believe one', async () => {
    const server = await faultServer({ '/jwks': json(signingKeys) })
    const authorizationServer = metadata(server.origin, { jwks_uri: `${server.origin}/jwks` })
    const { pending } = await startAuthorization(testClient({ authorizationServer, signedResponses: signedResponses() }), request)
    const response = signedResponse(responseTo(pending), { issuer: server.origin, clientId: 'app' })
    expect(await failure(finishAuthorization(testClient({ authorizationServer }), pending, response))).toMatchObject(invalid)
    expect(server.received).toEqual([])
  })
})

test.for([undefined, ['app'], ['other', 'app']])('C18 an aud of %j is accepted', async (aud) => {
  await (await begun()).finish(aud === undefined ? undefined : claims({ aud }))
})

test('C18 a clock that is less than a minute behind or ahead refuses nothing', async () => {
  await (await begun()).finish(claims({ exp: seconds() - 55, nbf: seconds() + 55 }))
})

test('C18 an error is typed, once it is known to be the server’s', async () => {
  const said = claims({ code: undefined, error: 'access_denied', error_description: marker })
  const error = await failure((await begun()).finish(said))
  expect(error).toMatchObject({ code: 'access_denied', serverError: 'access_denied' })
  expectNoMarker(error)
  const forged = await failure(
    (await begun()).finish((parts) => ({ ...said(parts), signature: Buffer.alloc(64, 1).toString('base64url') })),
  )
  expect(forged).toMatchObject(invalid)
  expect(forged).not.toHaveProperty('serverError')
})

function withResponse(response: URL, text: string): URL {
  response.searchParams.set('response', text)
  return response
}
