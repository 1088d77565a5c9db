import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { strongSignIn, usualSignIn } from '../../demo/servers/authentication.js'
import { type DemoAuthorizationServer, notesResource, startAuthorizationServer } from '../../demo/servers/authorization-server.js'
import { type Session, challengeOf, loopback, oauthFetch, userSession } from '../../src/node/index.js'
import { type PaymentsApi, startPaymentsApi } from '../support/payments-api.js'
import { robot } from '../support/robot.js'

// Step-up (RFC 9470, RFC 6750 section 3.1) in a tool: oidc-provider, an API over `valetkey/resource-server`, and the user's own browser by loopback.

let server: DemoAuthorizationServer
let api: PaymentsApi
/** The authorization requests that the user was shown. */
const shown: URL[] = []

beforeAll(async () => {
  api = await startPaymentsApi()
  server = await startAuthorizationServer({
    automatic: { account: 'ann' },
    clients: [{ clientId: 'cli', redirectUris: ['http://127.0.0.1/callback'], metadata: { application_type: 'native' } }],
  })
  api.trust(server, notesResource.identifier)
})
beforeEach(() => {
  server.automatic = { account: 'ann' }
  api.needed = {}
  api.attempts.length = 0
  api.accepted.length = 0
})
afterAll(async () => {
  await api.close()
  await server.close()
  expect(server.errors).toEqual([])
})

/** Goes there, signs in, and comes back to the tool. */
async function visit(address: URL): Promise<void> {
  shown.push(address)
  const browser = robot({ redirectUri: address.searchParams.get('redirect_uri') ?? '' })
  await fetch(await browser.authorize(async () => address, {}))
}

async function signedIn(): Promise<{ readonly session: Session; pay(): Promise<Response>; payOnceMoreIfAsked(): Promise<Response> }> {
  const session = userSession({
    issuer: server.issuer,
    clientId: 'cli',
    scope: ['openid', 'notes:read'],
    userAgent: loopback({ show: (address) => void visit(address) }),
  })
  await session.signIn()
  shown.length = 0
  const call = oauthFetch(session, { resources: [`${api.origin}/`] })
  const pay = () => call(api.address, { method: 'POST', body: 'one coin' })
  return {
    session,
    pay,
    async payOnceMoreIfAsked() {
      const response = await pay()
      const challenge = challengeOf(response)
      if (challenge === undefined) return response
      await session.signIn(challenge)
      return pay()
    },
  }
}

const statuses = () => api.attempts.map(({ status }) => status)
const asked = (name: string) => shown.map(({ searchParams }) => searchParams.get(name))

test('F11 a tool’s call that needs a stronger sign-in gets it by loopback, and its body arrives once', async () => {
  const { session, payOnceMoreIfAsked } = await signedIn()
  api.needed = { acrValues: [strongSignIn], maxAgeSeconds: 600 }
  expect((await payOnceMoreIfAsked()).status).toBe(201)
  expect([statuses(), api.accepted]).toEqual([[401, 201], ['one coin']])
  expect([asked('acr_values'), asked('max_age'), asked('scope')]).toEqual([[strongSignIn], ['600'], ['openid notes:read']])
  expect(session.snapshot().idTokenClaims?.['acr']).toBe(strongSignIn)
})

test('F11 what the stronger sign-in brought outlives a renewal', async () => {
  const { session, pay, payOnceMoreIfAsked } = await signedIn()
  api.needed = { acrValues: [strongSignIn] }
  await payOnceMoreIfAsked()
  await session.token({ rejected: await session.token() })
  expect((await pay()).status).toBe(201)
})

test('F10 M10 a tool’s call that needs more scope gets it together with what is granted', async () => {
  const { session, payOnceMoreIfAsked } = await signedIn()
  api.needed = { scope: ['notes:write'] }
  expect((await payOnceMoreIfAsked()).status).toBe(201)
  expect([statuses(), api.accepted, asked('scope')]).toEqual([[403, 201], ['one coin'], ['openid notes:read notes:write']])
  expect(session.missingScope(['notes:read', 'notes:write'])).toEqual([])
})

test('M10 a refusal that the sign-in did not answer comes back, and nobody is asked twice', async () => {
  const { payOnceMoreIfAsked } = await signedIn()
  api.needed = { acrValues: [strongSignIn] }
  server.automatic = { account: 'ann', acr: usualSignIn }
  expect((await payOnceMoreIfAsked()).status).toBe(401)
  expect([statuses(), api.accepted, shown.length]).toEqual([[401, 401], [], 1])
})

test('M10 a user who says no to more keeps what there was', async () => {
  const { session, pay, payOnceMoreIfAsked } = await signedIn()
  api.needed = { scope: ['notes:write'] }
  server.automatic = { account: 'ann', deny: true }
  await expect(payOnceMoreIfAsked()).rejects.toMatchObject({ code: 'access_denied' })
  expect(api.accepted).toEqual([])
  api.needed = { scope: ['notes:read'] }
  expect((await pay()).status).toBe(201)
  expect(session.snapshot().grantedScope).toEqual(['openid', 'notes:read'])
})

test('F10 F11 a refusal opens nothing by itself', async () => {
  const { pay } = await signedIn()
  for (const needed of [{ acrValues: [strongSignIn] }, { scope: ['notes:write'] }]) {
    api.needed = needed
    expect(challengeOf(await pay())).toBeDefined()
  }
  expect([statuses(), shown]).toEqual([[401, 403], []])
})
