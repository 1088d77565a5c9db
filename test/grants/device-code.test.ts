import { describe, expect, test } from 'vitest'
import type { TokenAnswer } from '../../src/core/token-record.js'
import { type DeviceAuthorization, pollDevice, startDevice } from '../../src/grants/device-code.js'
import { clientSecretBasic } from '../../src/protocol/client-secret.js'
import { privateKeyJwt } from '../../src/protocol/private-key-jwt.js'
import { metadata, testClient } from '../support/client.js'
import { type Route, hangUp, json, silence, status, text } from '../support/fault-server.js'
import { claimsFor, jwt } from '../support/id-token.js'
import { keyPair } from '../support/keys.js'
import { expectNoMarker, marker } from '../support/marker.js'
import { type World, gaps, outcomeIn, pass, pending, pollingWorld, slowDown, tokens } from '../support/polling.js'
import { failure } from '../support/sign-in.js'

const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code'
const authorization = {
  device_code: `dc-${marker}`,
  user_code: 'BCDF-GHJK',
  verification_uri: 'https://as.example/device',
  verification_uri_complete: 'https://as.example/device?user_code=BCDF-GHJK',
  expires_in: 600,
  interval: 5,
}

function world(
  answers: readonly Route[],
  change: Readonly<Record<string, unknown>> = {},
  more: Readonly<Record<string, unknown>> = {},
): Promise<World> {
  const endpoint = { name: 'device_authorization_endpoint', path: '/device', answer: { ...authorization, ...change } } as const
  return pollingWorld(endpoint, answers, more)
}

async function started({ client }: World, scope: readonly string[] = ['notes:read']) {
  return startDevice(client, { scope })
}

function poll(of: World, device: DeviceAuthorization, sending?: () => void): Promise<TokenAnswer> {
  return pollDevice(of.client, device, of.leave.signal, sending).finally(() => (of.at = 'end'))
}

/** What comes of polling for so many seconds. */
async function polled(of: World, seconds: number, scope: readonly string[] = ['notes:read']) {
  return outcomeIn(of, pollDevice(of.client, await started(of, scope), of.leave.signal), seconds)
}

describe('the device authorization', () => {
  test('X10 the request names the client, the scope and the resource', async () => {
    const of = await world([pending])
    await startDevice(of.client, { scope: ['notes:read', 'openid'], resource: ['https://api.example/'] })
    const [request] = of.server.to('/device')
    expect(request?.method).toBe('POST')
    expect(Object.fromEntries(request?.form ?? [])).toEqual({
      client_id: 'app',
      scope: 'notes:read openid',
      resource: 'https://api.example/',
    })
  })

  test('X10 what is left out is what the client says', async () => {
    const of = await world([pending], {}, { resource: 'https://api.example/', clientAuthentication: clientSecretBasic('s') })
    await startDevice(of.client, { scope: [] })
    const [request] = of.server.to('/device')
    expect(Object.fromEntries(request?.form ?? [])).toEqual({ client_id: 'app', resource: 'https://api.example/' })
    expect(request?.headers.authorization).toMatch(/^Basic /)
  })

  test('X10 authorization details and further parameters go with it; those of the protocol are its own', async () => {
    const of = await world([pending], {}, { resource: 'https://api.example/' })
    const authorizationDetails = [{ type: 'payment', amount: 7 }]
    await startDevice(of.client, {
      scope: ['a'],
      authorizationDetails,
      parameters: { access_type: 'offline', scope: 'everything', resource: 'x' },
    })
    const [request] = of.server.to('/device')
    expect(request?.form.getAll('resource')).toEqual(['https://api.example/'])
    expect(request?.form.getAll('scope')).toEqual(['a'])
    expect(request?.form.get('access_type')).toBe('offline')
    expect(JSON.parse(request?.form.get('authorization_details') ?? '')).toEqual(authorizationDetails)
  })

  test('X14 what the user is shown is data, and the device code is not among it', async () => {
    const of = await world([pending])
    const device = await started(of)
    expect({ ...device.prompt }).toEqual({
      userCode: 'BCDF-GHJK',
      verificationUri: 'https://as.example/device',
      verificationUriComplete: 'https://as.example/device?user_code=BCDF-GHJK',
      expiresAt: of.clock.now() + 600_000,
    })
    expect(device.deviceCode.reveal()).toBe(authorization.device_code)
    expectNoMarker(device)
  })

  const loopback = { verification_uri: 'http://127.0.0.1:8080/device', verification_uri_complete: undefined }
  test('X14 http is for this machine only', async () => {
    expect((await started(await world([pending], loopback))).prompt.verificationUri).toBe(loopback.verification_uri)
  })

  test.for<readonly [string, Readonly<Record<string, unknown>>]>([
    ['javascript: as verification_uri', { verification_uri: `javascript:alert('${marker}')` }],
    ['http as verification_uri', { verification_uri: 'http://as.example/device' }],
    ['a verification_uri with a user in it', { verification_uri: 'https://as.example@evil.example/' }],
    ['a verification_uri with a control character', { verification_uri: 'https://as.example/\u001b[2J' }],
    ['no verification_uri', { verification_uri: undefined }],
    ['javascript: as verification_uri_complete', { verification_uri_complete: 'javascript:alert(1)' }],
    ['data: as verification_uri_complete', { verification_uri_complete: 'data:text/html,x' }],
    ['a user_code that moves the cursor', { user_code: `\u001b[2J${marker}` }],
    ['a user_code with a line break', { user_code: 'AB\nCD' }],
    ['an empty user_code', { user_code: '' }],
    ['a user_code that is no text', { user_code: 1234 }],
    ['no device_code', { device_code: undefined }],
    ['no expires_in', { expires_in: undefined }],
    ['an expires_in of 0', { expires_in: 0 }],
    ['a negative expires_in', { expires_in: -1 }],
    ['an expires_in that is no number', { expires_in: 'soon' }],
    ['a negative interval', { interval: -5 }],
    ['an interval that is no number', { interval: {} }],
  ])('X14 %s is authorization_response_invalid', async ([, change]) => {
    const error = await failure(started(await world([pending], change)))
    expect(error).toMatchObject({ name: 'OAuthError', code: 'authorization_response_invalid' })
    expectNoMarker(error)
  })

  test.for<readonly [string, Route, string]>([
    ['invalid_client', json({ error: 'invalid_client' }, 401), 'client_refused'],
    ['invalid_scope', json({ error: 'invalid_scope' }, 400), 'scope_refused'],
    ['503', status(503), 'server_unavailable'],
    ['a 404 page', text(marker, {}, 404), 'request_refused'],
    ['no JSON', text(marker), 'authorization_response_invalid'],
    ['a broken connection', hangUp, 'network'],
  ])('X13 an answer that is %s is %s', async ([, route, code]) => {
    const of = await world([pending])
    of.server.on('/device', route)
    const error = await failure(started(of))
    expect(error).toMatchObject({ name: 'OAuthError', code })
    expectNoMarker(error)
  })

  test('X10 a server without the endpoint is not_supported', async () => {
    const client = testClient({ authorizationServer: metadata('https://as.example') })
    expect(await failure(startDevice(client, { scope: [] }))).toMatchObject({ code: 'not_supported' })
  })
})

describe('polling', () => {
  test('X10 each poll is the device code grant, with the code and the client', async () => {
    const of = await world([json(tokens)])
    const { answer } = await polled(of, 20)
    expect(answer?.accessToken.reveal()).toBe(tokens.access_token)
    expect(answer?.refreshToken?.reveal()).toBe(tokens.refresh_token)
    expect(Object.fromEntries(of.server.to('/token')[0]?.form ?? [])).toEqual({
      grant_type: deviceGrant,
      device_code: authorization.device_code,
      client_id: 'app',
    })
  })

  test('A16 of several resources the codes are asked for all, and the token for the first', async () => {
    const resource = ['https://one.example/', 'https://two.example/']
    const of = await world([json(tokens)], {}, { resource })
    await polled(of, 20)
    expect(of.server.to('/device')[0]?.form.getAll('resource')).toEqual(resource)
    expect(of.server.to('/token')[0]?.form.getAll('resource')).toEqual(resource.slice(0, 1))
  })

  test.for([
    ['absent', undefined, 5],
    ['0', 0, 5],
    ['null', null, 5],
    ['2', 2, 2],
    ['a decimal text', '7', 7],
    ['5', 5, 5],
    ['30', 30, 30],
  ] as const)('X10 an interval that is %s: never faster, with a margin for clocks that run fast', async ([, interval, least]) => {
    const of = await world([pending], { interval })
    await polled(of, 4 * least * 1.2 + 2)
    expect(of.polls.length).toBeGreaterThanOrEqual(3)
    for (const gap of gaps(of.polls)) expect(gap).toBeGreaterThanOrEqual(least * 1.15)
    for (const gap of gaps(of.polls)) expect(gap).toBeLessThanOrEqual(least * 1.2 + 1)
  })

  test('X11 slow_down adds five seconds for this and all later polls', async () => {
    const of = await world([pending, slowDown, pending, slowDown, pending, pending, json(tokens)])
    expect((await polled(of, 200)).answer).toBeDefined()
    expect(gaps(of.polls)).toEqual([6, 6, 12, 12, 18, 18, 18])
  })

  test.for<readonly [string, Route]>([
    ['breaks the connection', hangUp],
    ['answers 503', status(503)],
  ])('X12 a server that %s is asked less and less often, and as before when it answers again', async ([, trouble]) => {
    const of = await world([pending, trouble, trouble, trouble, pending, json(tokens)])
    expect((await polled(of, 200)).answer).toBeDefined()
    expect(gaps(of.polls)).toEqual([6, 6, 12, 24, 48, 6])
  })

  test('X12 a server that does not answer within the deadline is asked less often', async () => {
    const of = await world([silence, silence, json(tokens)], {}, { deadlineSeconds: 10 })
    expect((await polled(of, 200)).answer).toBeDefined()
    expect(gaps(of.polls)).toEqual([6, 22, 34])
  })

  test('X12 a wait that the server asks for is kept', async () => {
    const of = await world([status(503, { 'retry-after': '40' }), json(tokens)])
    await polled(of, 100)
    expect(gaps(of.polls)).toEqual([6, 40])
  })

  test.for<readonly [string, Route, string]>([
    ['access_denied', json({ error: 'access_denied' }, 400), 'access_denied'],
    ['expired_token', json({ error: 'expired_token' }, 400), 'timed_out'],
    ['invalid_grant', json({ error: 'invalid_grant' }, 400), 'authorization_failed'],
    ['invalid_client', json({ error: 'invalid_client' }, 401), 'client_refused'],
    ['an error that is not registered', json({ error: marker }, 400), 'request_refused'],
    ['server_error, readably', json({ error: 'server_error' }, 400), 'server_unavailable'],
    ['a 403 page', text(marker, {}, 403), 'request_refused'],
    ['a 200 that is no token response', json({ nothing: marker }), 'token_response_invalid'],
  ])('X13 %s ends it: %s, and nothing is sent afterwards', async ([, route, code]) => {
    const of = await world([pending, route, json(tokens)])
    const { error } = await polled(of, 60)
    expect(error).toMatchObject({ name: 'OAuthError', code })
    expectNoMarker(error)
    await pass(of, 60)
    expect(of.polls).toEqual([6, 12])
  })

  test('X13 it stops when the codes end, and rejects then', async () => {
    const of = await world([pending], { expires_in: 20 })
    const device = await started(of)
    let error: unknown
    poll(of, device).catch((reason: unknown) => (error = reason))
    await pass(of, 19)
    expect(error).toBeUndefined()
    await pass(of, 60)
    expect(error).toMatchObject({ code: 'timed_out' })
    expect(of.polls).toEqual([6, 12, 18])
  })

  test('X13 it stops at expires_in when the server is gone', async () => {
    const of = await world([hangUp], { expires_in: 100 })
    expect((await polled(of, 200)).error).toMatchObject({ code: 'timed_out' })
    expect(Math.max(...of.polls)).toBeLessThan(100)
  })

  test('the signal ends the waiting, with its reason, and nothing is sent afterwards', async () => {
    const of = await world([pending])
    const gone = failure(poll(of, await started(of)))
    await pass(of, 7)
    of.leave.abort(new Error('enough'))
    expect(await gone).toMatchObject({ message: 'enough' })
    await pass(of, 30)
    expect(of.polls).toEqual([6])
  })

  test('the signal ends the waiting for an answer too', async () => {
    const of = await world([silence])
    const gone = failure(poll(of, await started(of)))
    await pass(of, 7)
    expect(of.polls).toEqual([6])
    of.leave.abort(new Error('enough'))
    expect(await gone).toMatchObject({ message: 'enough' })
  })

  test('K8 each poll has a client assertion of its own', async () => {
    const { privateKey } = await keyPair('ES256')
    const of = await world([pending, pending, json(tokens)], {}, { clientAuthentication: privateKeyJwt(privateKey) })
    await polled(of, 60)
    const assertions = of.server.received.map(({ form }) => form.get('client_assertion'))
    expect(assertions).toHaveLength(4)
    expect(new Set(assertions).size).toBe(4)
  })

  test('a secret that cannot be read ends it: asking again would not help', async () => {
    let turn = 0
    const secret = () => {
      if ((turn += 1) > 2) throw new Error(marker)
      return 's'
    }
    const of = await world([pending], {}, { clientAuthentication: clientSecretBasic(secret) })
    expect((await polled(of, 60)).error).toMatchObject({ code: 'client_refused' })
    expect(of.polls).toEqual([6])
  })

  test('it says when each poll is sent, so that lifetimes count from the last one', async () => {
    const of = await world([pending, pending, json(tokens)])
    const sent: number[] = []
    void poll(of, await started(of), () => sent.push(of.clock.monotonic() / 1_000))
    await pass(of, 60)
    expect(sent).toEqual(of.polls)
  })
})

describe('an ID token', () => {
  async function signedIn(change: Readonly<Record<string, unknown>> | undefined, scope: readonly string[] = ['openid']) {
    const of = await world([pending])
    const id_token = change === undefined ? undefined : jwt(claimsFor(of.server.origin, undefined, of.clock.now(), { marker, ...change }))
    of.server.on('/token', json({ ...tokens, id_token }))
    const { answer, error } = await polled(of, 20, scope)
    if (error !== undefined) expectNoMarker(error)
    return answer?.idTokenClaims ?? error
  }

  test('it is checked as after every sign-in, without a nonce, for there was no place for one', async () => {
    expect(await signedIn({})).toMatchObject({ sub: 'alice' })
  })

  test.for<readonly [string, Readonly<Record<string, unknown>> | undefined]>([
    ['none, though openid was asked for', undefined],
    ['one with a nonce', { nonce: 'another’s' }],
    ['one of another issuer', { iss: 'https://evil.example' }],
    ['one for another client', { aud: 'other' }],
    ['one that has expired', { exp: 1_600_000_000 }],
    ['one from long ago', { iat: 1_600_000_000 }],
  ])('%s is id_token_invalid', async ([, change]) => {
    expect(await signedIn(change)).toMatchObject({ code: 'id_token_invalid' })
  })

  test('without openid it is ignored', async () => {
    expect(await signedIn({ sub: 7 }, ['notes:read'])).toBeUndefined()
  })
})
