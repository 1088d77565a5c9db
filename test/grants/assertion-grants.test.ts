import { SignJWT } from 'jose'
import { describe, expect, test } from 'vitest'
import type { Client } from '../../src/core/client.js'
import type { Assertion } from '../../src/core/credentials.js'
import type { PrepareRenewal } from '../../src/core/exchange.js'
import { prepareJwtBearer } from '../../src/grants/jwt-bearer.js'
import { prepareTokenExchange } from '../../src/grants/token-exchange.js'
import { clientSecretPost } from '../../src/protocol/client-secret.js'
import { manualClock } from '../../src/testing/manual-clock.js'
import { systemClock } from '../../src/system-clock.js'
import { metadata, testClient } from '../support/client.js'
import { confidentialServer, jobClient, jwtBearerGrant, tokenExchangeGrant } from '../support/confidential-server.js'
import { type Route, faultServer, json } from '../support/fault-server.js'
import { keyPair } from '../support/keys.js'
import { expectNoMarker, marker } from '../support/marker.js'
import { recordOf } from '../support/renewal.js'
import { failure } from '../support/sign-in.js'

const jwtType = 'urn:ietf:params:oauth:token-type:jwt'
const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token'
const assertion = `eyJ.${marker}.sig`
const tokens = { access_token: `at-${marker}`, token_type: 'Bearer', issued_token_type: accessTokenType }

const grants: readonly (readonly [string, (client: Client, given: Assertion) => PrepareRenewal, string])[] = [
  ['jwt-bearer', prepareJwtBearer, 'assertion'],
  ['token-exchange', (client, subjectToken) => prepareTokenExchange(client, { subjectToken, subjectTokenType: jwtType }), 'subject_token'],
]

async function serverAnd(route: Route = json(tokens), more: Readonly<Record<string, unknown>> = {}, clock = systemClock) {
  const server = await faultServer({ '/token': route })
  return { server, client: testClient({ authorizationServer: metadata(server.origin), ...more }, clock) }
}

async function outcomeOf(client: Client, prepare: PrepareRenewal, target = {}) {
  return (await prepare(recordOf(client), target)).send()
}

describe('the request', () => {
  test('X15 jwt-bearer sends the assertion, and what the token is for', async () => {
    const { server, client } = await serverAnd(undefined, { scope: ['a'], resource: 'https://api.example/', audience: 'api' })
    await outcomeOf(client, prepareJwtBearer(client, assertion))
    expect(Object.fromEntries(server.received[0]?.form ?? [])).toEqual({
      grant_type: jwtBearerGrant,
      assertion,
      client_id: 'app',
      scope: 'a',
      resource: 'https://api.example/',
      audience: 'api',
    })
  })

  test('X15 token exchange sends subject_token and its type, and nothing of an actor', async () => {
    const { server, client } = await serverAnd(undefined, { scope: ['a'] })
    const exchange = { subjectToken: assertion, subjectTokenType: jwtType, requestedTokenType: accessTokenType }
    await outcomeOf(client, prepareTokenExchange(client, exchange), { scope: ['b'], audience: 'api' })
    expect(Object.fromEntries(server.received[0]?.form ?? [])).toEqual({
      grant_type: tokenExchangeGrant,
      subject_token: assertion,
      subject_token_type: jwtType,
      requested_token_type: accessTokenType,
      client_id: 'app',
      scope: 'b',
      audience: 'api',
    })
  })

  test.for(grants)('%s: the assertion is read anew for each request, while that is made ready', async ([, make, parameter]) => {
    let turn = 0
    const { server, client } = await serverAnd()
    const prepare = make(client, () => `assertion-${(turn += 1)}`)
    expect(turn).toBe(0)
    await outcomeOf(client, prepare)
    await outcomeOf(client, prepare)
    expect(server.received.map(({ form }) => form.get(parameter))).toEqual(['assertion-1', 'assertion-2'])
  })
})

describe('an assertion that is none', () => {
  test.for(grants.flatMap(([name, make]) => ['', undefined, 7, `${marker}\n`, 'a b'].map((value) => [name, make, value] as const)))(
    '%s: what is empty, no string or not of visible characters is invalid_configuration (%#)',
    async ([, make, value]) => {
      const { server, client } = await serverAnd()
      expect(() => make(client, value as string)).toThrow(expect.objectContaining({ code: 'invalid_configuration' }) as Error)
      const error = await failure(
        outcomeOf(
          client,
          make(client, () => value as string),
        ),
      )
      expect(error).toMatchObject({ name: 'OAuthError', code: 'invalid_configuration' })
      expectNoMarker(error)
      expect(server.received).toEqual([])
    },
  )

  test.for(grants)('%s: a function that fails is client_refused, without what it threw', async ([, make]) => {
    const { server, client } = await serverAnd()
    const error = await failure(
      outcomeOf(
        client,
        make(client, () => Promise.reject(new Error(marker))),
      ),
    )
    expect(error).toMatchObject({ name: 'OAuthError', code: 'client_refused' })
    expectNoMarker(error)
    expect(server.received).toEqual([])
  })

  test.for(grants)('%s: a function that never answers ends at the deadline', async ([, make]) => {
    const clock = manualClock()
    const { client } = await serverAnd(undefined, { deadlineSeconds: 3 }, clock)
    const failed = failure(
      outcomeOf(
        client,
        make(client, () => new Promise<string>(() => {})),
      ),
    )
    await clock.advance(3_000)
    expect(await failed).toMatchObject({ code: 'timed_out' })
  })

  test.for([
    ['no subjectTokenType', { subjectToken: 'x' }],
    ['an empty subjectTokenType', { subjectToken: 'x', subjectTokenType: '' }],
    ['a requestedTokenType that is no text', { subjectToken: 'x', subjectTokenType: jwtType, requestedTokenType: 1 }],
    ['an option that nobody knows', { subjectToken: 'x', subjectTokenType: jwtType, actorToken: 'y' }],
  ] as const)('X15 %s is refused at once', ([, exchange]) => {
    const client = testClient({ authorizationServer: metadata('https://as.example') })
    expect(() => prepareTokenExchange(client, exchange as never)).toThrow(
      expect.objectContaining({ code: 'invalid_configuration' }) as Error,
    )
  })
})

describe('the answer', () => {
  const exchanged = (client: Client) => prepareTokenExchange(client, { subjectToken: assertion, subjectTokenType: jwtType })

  test.for<readonly [string, Readonly<Record<string, unknown>>, RegExp]>([
    ['without issued_token_type', { issued_token_type: undefined }, /issued_token_type/],
    ['with an issued_token_type that is no text', { issued_token_type: 7 }, /issued_token_type/],
    ['with an empty issued_token_type', { issued_token_type: '' }, /issued_token_type/],
    ['with token_type N_A', { token_type: 'N_A' }, /no access token/],
    ['with token_type n_a', { token_type: 'n_a' }, /no access token/],
  ])('X15 T13 an answer %s is token_response_invalid', async ([, change, message]) => {
    const { client } = await serverAnd(json({ ...tokens, ...change }))
    const outcome = await outcomeOf(client, exchanged(client))
    expect(!outcome.ok && outcome.error).toMatchObject({
      code: 'token_response_invalid',
      message: expect.stringMatching(message) as string,
    })
    expectNoMarker(!outcome.ok && outcome.error)
  })

  test('X15 jwt-bearer wants no issued_token_type', async () => {
    const { client } = await serverAnd(json({ ...tokens, issued_token_type: undefined }))
    expect((await outcomeOf(client, prepareJwtBearer(client, assertion))).ok).toBe(true)
  })

  test.for(grants)('%s: a refresh token is dropped', async ([, make]) => {
    const { client } = await serverAnd(json({ ...tokens, refresh_token: marker }))
    const outcome = await outcomeOf(client, make(client, assertion))
    expect(outcome.ok && 'refreshToken' in outcome.answer).toBe(false)
  })

  test.for(grants)('%s: invalid_grant is request_refused, and the assertion is nowhere in it', async ([, make]) => {
    const { client } = await serverAnd(json({ error: 'invalid_grant', error_description: assertion }, 400))
    const outcome = await outcomeOf(client, make(client, assertion))
    expect(!outcome.ok && outcome.error).toMatchObject({ code: 'request_refused', serverError: 'invalid_grant' })
    expectNoMarker(!outcome.ok && outcome.error)
  })
})

describe('against oidc-provider', () => {
  const platform = 'https://platform.example'

  async function world(exchanged?: Readonly<Record<string, unknown>>) {
    const keys = await keyPair('ES256')
    const jwk = { ...(await crypto.subtle.exportKey('jwk', keys.publicKey)), alg: 'ES256' }
    const server = await confidentialServer({
      clients: [
        jobClient('nightly', {
          client_secret: 'of-the-job',
          token_endpoint_auth_method: 'client_secret_post',
          grant_types: [jwtBearerGrant, tokenExchangeGrant],
        }),
      ],
      platform: { issuer: platform, keys: [jwk] },
      ...(exchanged === undefined ? {} : { exchanged }),
    })
    const client = testClient(
      { issuer: server.issuer, clientId: 'nightly', clientAuthentication: clientSecretPost('of-the-job'), scope: ['reports:read'] },
      systemClock,
    )
    const signed = (audience: string) => () =>
      new SignJWT({})
        .setProtectedHeader({ alg: 'ES256' })
        .setIssuer(platform)
        .setAudience(audience)
        .setExpirationTime('1m')
        .sign(keys.privateKey)
    return { server, client, signed }
  }

  test.for(grants)('X15 %s: an assertion of a platform that the server trusts becomes a token, another does not', async ([, make]) => {
    const { server, client, signed } = await world()
    expect((await outcomeOf(client, make(client, signed(server.issuer)))).ok).toBe(true)
    const refused = await outcomeOf(client, make(client, signed('https://other.example')))
    expect(!refused.ok && refused.error).toMatchObject({ code: 'request_refused', serverError: 'invalid_grant' })
  })

  test('X15 a server that does not say what it issued is refused', async () => {
    const { server, client, signed } = await world({})
    const exchange = { subjectToken: signed(server.issuer), subjectTokenType: jwtType }
    const outcome = await outcomeOf(client, prepareTokenExchange(client, exchange))
    expect(!outcome.ok && outcome.error).toMatchObject({ code: 'token_response_invalid' })
  })
})
