import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { type DemoApi, startApi } from '../../demo/servers/api.js'
import { type DemoAuthorizationServer, startAuthorizationServer } from '../../demo/servers/authorization-server.js'
import type { OAuthEvent } from '../../src/core/events.js'
import type { DecoupledSignIn } from '../../src/core/ports.js'
import { oauthFetch } from '../../src/oauth-fetch.js'
import { clientSecretBasic } from '../../src/protocol/client-secret.js'
import { backchannelAuthentication } from '../../src/session/backchannel-authentication.js'
import { deviceAuthorization } from '../../src/session/device-authorization.js'
import { systemClock } from '../../src/system-clock.js'
import { userSession } from '../../src/user-session.js'
import { failure } from '../support/sign-in.js'
import { expectNothingFound } from '../support/sweep.js'

// Sign-ins on another device, whole, against oidc-provider. What polling is about is in test/grants.

let server: DemoAuthorizationServer
let api: DemoApi
const clientSecret = 'of-the-bank'

beforeAll(async () => {
  server = await startAuthorizationServer({
    clients: [
      { clientId: 'bank', clientSecret, grants: ['ciba', 'device_code'] },
      { clientId: 'tv', grants: ['device_code'] },
    ],
  })
  api = await startApi({ issuer: server.issuer, resourceServer: server.resourceServer })
})
afterEach(() => {
  server.automatic = undefined
})
afterAll(async () => {
  await Promise.all([server.close(), api.close()])
  expect(server.errors).toEqual([])
  expect(server.issued().length).toBeGreaterThan(0)
  expectNothingFound(server.issued(), { observed, failures, 'log of the server': server.log })
})

const observed: OAuthEvent[] = []
const failures: unknown[] = []

/** Hardly waits between polls, as patient as ever with answers. */
const hasty = {
  ...systemClock,
  wait: (milliseconds: number, signal?: AbortSignal) => systemClock.wait(milliseconds === 6_000 ? 20 : milliseconds, signal),
}

function bank(userAgent: DecoupledSignIn = backchannelAuthentication(), more: object = {}) {
  return userSession({
    issuer: server.issuer,
    clientId: 'bank',
    clientAuthentication: clientSecretBasic(clientSecret),
    userAgent,
    clock: hasty,
    observe: (event) => void observed.push(event),
    ...more,
  })
}

async function refused(promise: Promise<unknown>) {
  const error = await failure(promise)
  failures.push(error)
  return error
}

test('CIBA the user allows it on a device of their own: they are signed in, the API takes the token, and it is renewed', async () => {
  server.automatic = { account: 'ann' }
  const session = bank(backchannelAuthentication({ bindingMessage: 'W4' }), { scope: ['notes:read'] })
  await session.signIn({ loginHint: 'ann' })
  expect(server.prompts.at(-1)).toEqual({ loginHint: 'ann', bindingMessage: 'W4' })
  expect(session.snapshot()).toMatchObject({ status: 'signed_in', grantedScope: ['openid', 'notes:read'], idTokenClaims: { sub: 'ann' } })
  const call = oauthFetch(session, { resources: [`${api.origin}/`] })
  expect((await call(`${api.origin}/notes`)).status).toBe(200)
  const before = server.counters.refreshes
  await session.token({ rejected: await session.token() })
  expect(server.counters.refreshes - before).toBe(1)
  expect((await call(`${api.origin}/notes`)).status).toBe(200)
})

test('CIBA while the user has not answered the server is polled, and no longer', async () => {
  const session = bank()
  const signedIn = session.signIn({ loginHint: 'ben' })
  await expect.poll(() => server.log.filter(({ error }) => error === 'authorization_pending').length).toBeGreaterThan(2)
  server.automatic = { account: 'ben' }
  await signedIn
  expect(session.snapshot().idTokenClaims?.sub).toBe('ben')
})

test('CIBA without a login hint nothing is sent', async () => {
  const before = server.log.length
  expect(await refused(bank().signIn())).toMatchObject({
    code: 'invalid_configuration',
    message: expect.stringContaining('loginHint') as string,
  })
  expect(server.log.length).toBe(before)
})

test.for([
  ['somebody whom nobody knows', 'nobody', 'request_refused', 'unknown_user_id'],
  ['a user who says no', 'ann', 'access_denied', 'access_denied'],
] as const)('CIBA %s: the session is as before', async ([, loginHint, code, serverError]) => {
  server.automatic = { account: 'ann', deny: true }
  const session = bank()
  expect(await refused(session.signIn({ loginHint }))).toMatchObject({ code, serverError })
  expect(session.snapshot()).toMatchObject({ status: 'signed_out' })
})

test('CIBA a message that no device could show is refused by the server, and named', async () => {
  const userAgent = backchannelAuthentication({ bindingMessage: 'much too long to be shown on two devices' })
  expect(await refused(bank(userAgent).signIn({ loginHint: 'ann' }))).toMatchObject({ serverError: 'invalid_binding_message' })
})

test('CIBA another user than the one who is signed in is different_user, and what they got is revoked', async () => {
  server.automatic = { account: 'ann' }
  const session = bank()
  await session.signIn({ loginHint: 'ann' })
  expect(await refused(session.signIn({ loginHint: 'ben' }))).toMatchObject({ code: 'different_user' })
  expect(session.snapshot().idTokenClaims?.sub).toBe('ann')
  await expect.poll(() => server.log.filter(({ path }) => path === '/token/revocation').length).toBeGreaterThan(0)
})

test.for([
  ['CIBA', () => backchannelAuthentication(), { loginHint: 'ann' }],
  ['X10', () => deviceAuthorization(() => {}), {}],
] as const)('%s with dpop the tokens that come are bound', async ([, made, how]) => {
  server.automatic = { account: 'ann' }
  const session = bank(made(), { dpop: true, scope: ['notes:read'] })
  await session.signIn(how)
  expect((await session.token()).tokenType).toBe('DPoP')
  const call = oauthFetch(session, { resources: [`${api.origin}/`] })
  expect((await call(`${api.origin}/notes`)).status).toBe(200)
})

test('CIBA the signal ends the waiting, with its reason', async () => {
  const leave = new AbortController()
  const gone = refused(bank().signIn({ loginHint: 'ann', signal: leave.signal }))
  await expect.poll(() => server.prompts.length).toBeGreaterThan(0)
  leave.abort(new Error('enough'))
  expect(await gone).toMatchObject({ message: 'enough' })
})

test.for([
  ['an option that nobody knows', { userCode: '1' }],
  ['a message that is no text', { bindingMessage: 4 }],
  ['an empty message', { bindingMessage: '' }],
  ['what is no object', 'W4'],
])('CIBA %s is invalid_configuration', ([, options]) => {
  expect(() => backchannelAuthentication(options as never)).toThrow(expect.objectContaining({ code: 'invalid_configuration' }) as Error)
})

test('X10 what every authorization request of the session has goes to the device authorization endpoint too', async () => {
  const sent: URLSearchParams[] = []
  const session = userSession({
    issuer: server.issuer,
    clientId: 'tv',
    userAgent: deviceAuthorization(() => {}),
    authorizationParameters: { access_type: 'offline' },
    fetch: (input, init) => {
      if (String(input).endsWith('/device/auth')) sent.push(new URLSearchParams(init?.body as string))
      return fetch(input, init)
    },
    clock: hasty,
  })
  server.automatic = { account: 'ann' }
  await session.signIn({ scope: ['openid'], authorizationParameters: { tenant: 't' } })
  expect(sent.map((form) => [form.get('access_type'), form.get('tenant')])).toEqual([['offline', 't']])
})
