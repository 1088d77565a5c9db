import { describe, expect, test } from 'vitest'
import { type BackchannelAuthentication, pollBackchannel, startBackchannel } from '../../src/grants/ciba.js'
import { clientSecretBasic } from '../../src/protocol/client-secret.js'
import { privateKeyJwt } from '../../src/protocol/private-key-jwt.js'
import { metadata, testClient } from '../support/client.js'
import { type Route, hangUp, json, silence, status, text } from '../support/fault-server.js'
import { claimsFor, jwt } from '../support/id-token.js'
import { keyPair } from '../support/keys.js'
import { expectNoMarker, marker } from '../support/marker.js'
import { type World, gaps, outcomeIn, pass, pending, pollingWorld, slowDown, tokens } from '../support/polling.js'
import { failure } from '../support/sign-in.js'

const authReqId = `ar-${marker}`
const clientAuthentication = clientSecretBasic('of-the-bank')

function world(
  answers: readonly Route[],
  change: Readonly<Record<string, unknown>> = {},
  more: Readonly<Record<string, unknown>> = {},
): Promise<World> {
  const answer = { auth_req_id: authReqId, expires_in: 120, interval: 5, ...change }
  const endpoint = { name: 'backchannel_authentication_endpoint', path: '/backchannel', answer } as const
  return pollingWorld(endpoint, answers, { clientAuthentication, ...more })
}

/** Without `openid`, whose ID token is not what most tests are about. */
function started({ client }: World, more: object = {}): Promise<BackchannelAuthentication> {
  return startBackchannel(client, { scope: ['pay'], loginHint: 'ann', ...more })
}

/** What comes of polling for so many seconds. */
async function polled(of: World, seconds: number, more: object = {}) {
  return outcomeIn(of, pollBackchannel(of.client, await started(of, more), of.leave.signal), seconds)
}

describe('the authentication request', () => {
  test('CIBA it names the user, what is wanted, and what both devices show; the client authenticates', async () => {
    const of = await world([pending])
    const authorizationDetails = [{ type: 'payment', amount: 7 }]
    await started(of, {
      scope: ['openid', 'pay'],
      resource: ['https://api.example/'],
      bindingMessage: 'W4',
      acrValues: ['urn:a', 'urn:b'],
      authorizationDetails,
      parameters: { requested_expiry: '60', login_hint: 'eve', scope: 'everything' },
    })
    const [request] = of.server.to('/backchannel')
    expect(request?.method).toBe('POST')
    expect(request?.headers.authorization).toMatch(/^Basic /)
    expect(Object.fromEntries(request?.form ?? [])).toEqual({
      client_id: 'app',
      scope: 'openid pay',
      login_hint: 'ann',
      binding_message: 'W4',
      acr_values: 'urn:a urn:b',
      resource: 'https://api.example/',
      authorization_details: JSON.stringify(authorizationDetails),
      requested_expiry: '60',
    })
  })

  test('CIBA its id is a secret, and prints as nothing', async () => {
    const request = await started(await world([pending]))
    expect(request.authReqId.reveal()).toBe(authReqId)
    expectNoMarker(request)
  })

  test.for<readonly [string, Readonly<Record<string, unknown>>]>([
    ['no auth_req_id', { auth_req_id: undefined }],
    ['an empty auth_req_id', { auth_req_id: '' }],
    ['an auth_req_id that is no text', { auth_req_id: 7 }],
    ['an auth_req_id with a line break', { auth_req_id: `a\n${marker}` }],
    ['no expires_in', { expires_in: undefined }],
    ['an expires_in of 0', { expires_in: 0 }],
    ['an expires_in that is no number', { expires_in: 'soon' }],
    ['a negative interval', { interval: -5 }],
  ])('CIBA %s is authorization_response_invalid', async ([, change]) => {
    const error = await failure(started(await world([pending], change)))
    expect(error).toMatchObject({ name: 'OAuthError', code: 'authorization_response_invalid' })
    expectNoMarker(error)
  })

  test.for<readonly [string, string, Route, string?]>([
    ['invalid_client', 'client_refused', json({ error: 'invalid_client' }, 401), 'invalid_client'],
    ['access_denied', 'access_denied', json({ error: 'access_denied' }, 403), 'access_denied'],
    ['unknown_user_id', 'request_refused', json({ error: 'unknown_user_id' }, 400), 'unknown_user_id'],
    ['invalid_binding_message', 'request_refused', json({ error: 'invalid_binding_message' }, 400), 'invalid_binding_message'],
    ['503', 'server_unavailable', status(503)],
    ['a 404 page', 'request_refused', text(marker, {}, 404)],
    ['no JSON', 'authorization_response_invalid', text(marker)],
    ['a broken connection', 'network', hangUp],
  ])('CIBA an answer that is %s is %s', async ([, code, route, serverError]) => {
    const of = await world([pending])
    of.server.on('/backchannel', route)
    const error = await failure(started(of))
    expect(error).toMatchObject({ name: 'OAuthError', code, ...(serverError === undefined ? {} : { serverError }) })
    expectNoMarker(error)
  })

  test.for<readonly [string, Readonly<Record<string, unknown>>]>([
    ['has no such endpoint', {}],
    [
      'does not let clients poll',
      { backchannel_authentication_endpoint: 'https://as.example/bc', backchannel_token_delivery_modes_supported: ['ping', 'push'] },
    ],
  ])('CIBA a server that %s is not_supported, before any request', async ([, more]) => {
    const client = testClient({
      authorizationServer: metadata('https://as.example', more),
      fetch: () => Promise.reject(new Error('asked')),
    })
    expect(await failure(startBackchannel(client, { scope: [], loginHint: 'ann' }))).toMatchObject({ code: 'not_supported' })
  })
})

describe('polling', () => {
  test('CIBA each poll is the CIBA grant with the request’s id, and a proof of the client of its own', async () => {
    const { privateKey } = await keyPair('ES256')
    const of = await world(
      [pending, json(tokens)],
      {},
      { clientAuthentication: privateKeyJwt(privateKey), resource: ['https://a.example/', 'https://b.example/'] },
    )
    const { answer } = await polled(of, 20)
    expect(answer?.accessToken.reveal()).toBe(tokens.access_token)
    const polls = of.server.to('/token').map(({ form }) => form)
    expect(polls.map((form) => form.get('grant_type'))).toEqual(['urn:openid:params:grant-type:ciba', 'urn:openid:params:grant-type:ciba'])
    expect(polls.map((form) => form.get('auth_req_id'))).toEqual([authReqId, authReqId])
    expect(polls.map((form) => form.getAll('resource'))).toEqual([['https://a.example/'], ['https://a.example/']])
    expect(new Set(of.server.received.map(({ form }) => form.get('client_assertion'))).size).toBe(3)
  })

  test.for([
    ['absent', undefined, 5],
    ['0', 0, 5],
    ['2', 2, 2],
    ['30', 30, 30],
  ] as const)('CIBA an interval that is %s: never faster, with a margin for clocks that run fast', async ([, interval, least]) => {
    const of = await world([pending], { interval, expires_in: 600 })
    await polled(of, 4 * least * 1.2 + 2)
    expect(of.polls.length).toBeGreaterThanOrEqual(3)
    for (const gap of gaps(of.polls)) expect(gap).toBeGreaterThanOrEqual(least * 1.15)
  })

  test('CIBA slow_down adds five seconds for good, and a server that is silent is asked less often', async () => {
    const of = await world([pending, slowDown, pending, hangUp, silence, json(tokens)], { expires_in: 600 })
    expect((await polled(of, 300)).answer).toBeDefined()
    expect(gaps(of.polls)).toEqual([6, 6, 12, 12, 24, 58])
  })

  test.for<readonly [string, string, Route]>([
    ['access_denied', 'access_denied', json({ error: 'access_denied' }, 400)],
    ['expired_token', 'timed_out', json({ error: 'expired_token' }, 400)],
    ['invalid_grant', 'authorization_failed', json({ error: 'invalid_grant' }, 400)],
    ['a 200 that is no token response', 'token_response_invalid', json({ nothing: marker })],
  ])('CIBA %s ends it: %s, and nothing is sent afterwards', async ([, code, route]) => {
    const of = await world([pending, route, json(tokens)])
    const { error } = await polled(of, 60)
    expect(error).toMatchObject({ name: 'OAuthError', code })
    expectNoMarker(error)
    await pass(of, 60)
    expect(of.polls).toEqual([6, 12])
  })

  test('CIBA it stops when the request expires', async () => {
    const of = await world([pending], { expires_in: 20 })
    expect((await polled(of, 60)).error).toMatchObject({ code: 'timed_out' })
    expect(of.polls).toEqual([6, 12, 18])
  })

  test('CIBA the signal ends it, with its reason', async () => {
    const of = await world([pending])
    const request = await started(of)
    const gone = failure(pollBackchannel(of.client, request, of.leave.signal))
    await pass(of, 7)
    of.leave.abort(new Error('enough'))
    expect(await gone).toMatchObject({ message: 'enough' })
    await of.clock.advance(60_000)
    expect(of.polls).toEqual([6])
  })
})

describe('the ID token', () => {
  const claim = 'urn:openid:params:jwt:claim:auth_req_id'

  async function signedIn(change: Readonly<Record<string, unknown>> | undefined) {
    const of = await world([pending])
    const id_token = change === undefined ? undefined : jwt(claimsFor(of.server.origin, undefined, of.clock.now(), change))
    of.server.on('/token', json({ ...tokens, id_token }))
    const { answer, error } = await polled(of, 20, { scope: ['openid', 'pay'] })
    if (error !== undefined) expectNoMarker(error)
    return answer?.idTokenClaims ?? error
  }

  test('CIBA it is checked as after every sign-in', async () => {
    expect(await signedIn({})).toMatchObject({ sub: 'alice' })
  })

  test('CIBA one that names this request is taken, and what was a secret is not among its claims', async () => {
    const claims = await signedIn({ [claim]: authReqId })
    expect(claims).toMatchObject({ sub: 'alice' })
    expectNoMarker(claims)
  })

  test.for<readonly [string, Readonly<Record<string, unknown>> | undefined]>([
    ['none', undefined],
    ['one that names another request', { [claim]: 'another' }],
    ['one that names no request', { [claim]: 7 }],
    ['one of another issuer', { iss: 'https://evil.example' }],
    ['one for another client', { aud: 'other' }],
    ['one with a nonce', { nonce: 'another’s' }],
    ['one that has expired', { exp: 1_600_000_000 }],
  ])('CIBA %s is id_token_invalid', async ([, change]) => {
    expect(await signedIn(change)).toMatchObject({ code: 'id_token_invalid' })
  })
})
