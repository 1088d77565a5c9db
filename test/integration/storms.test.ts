import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { type DemoApi, startApi } from '../../demo/servers/api.js'
import { type DemoAuthorizationServer, mailResource, startAuthorizationServer } from '../../demo/servers/authorization-server.js'
import { browserSession } from '../../src/browser/browser-session.js'
import type { OAuthEvent } from '../../src/core/events.js'
import { oauthFetch } from '../../src/oauth-fetch.js'
import { memoryStore } from '../../src/stores/memory.js'
import { robot } from '../support/robot.js'
import { shiftedClock } from '../support/shifted-clock.js'

// Thousands of calls that the API asks the authorization server about: a busy machine takes its time for them.
vi.setConfig({ testTimeout: 120_000 })

const redirectUri = 'https://app.example/callback'
const calls = Array.from({ length: 1_000 }, (_, index) => index)
let server: DemoAuthorizationServer
let api: DemoApi

beforeAll(async () => {
  server = await startAuthorizationServer({
    clients: [{ clientId: 'page', redirectUris: [redirectUri] }],
    automatic: { account: 'ann' },
  })
  api = await startApi({ issuer: server.issuer, resourceServer: server.resourceServer })
})
beforeEach(() => {
  server.trouble.tokenEndpoint = 'none'
  api.trouble.refuse = 'nothing'
})
afterAll(async () => {
  await api.close()
  await server.close()
  expect(server.errors).toEqual([])
})

async function signedIn() {
  const clock = shiftedClock()
  const events: OAuthEvent[] = []
  const session = browserSession({
    issuer: server.issuer,
    clientId: 'page',
    redirectUri,
    scope: ['mail:read'],
    resource: mailResource.identifier,
    store: memoryStore(),
    userAgent: robot({ redirectUri }),
    clock,
    observe: (event) => events.push(event),
  })
  await session.signIn()
  const call = oauthFetch(session, { resources: [`${api.origin}/`] })
  const before = server.counters.tokenRequests
  const storm = async (): Promise<readonly number[]> => Promise.all(calls.map(async () => (await call(`${api.origin}/mail`)).status))
  return { clock, session, events, storm, renewals: () => server.counters.tokenRequests - before }
}

test('R5 1,000 calls at once with an expired token make one token request, and none fails', async () => {
  const { clock, storm, renewals } = await signedIn()
  clock.forward(61_000)
  expect(new Set(await storm())).toEqual(new Set([200]))
  expect(renewals()).toBe(1)
})

test('R14 1,000 calls that all meet a 401 make one token request, and each is repeated once', async () => {
  const { storm, renewals } = await signedIn()
  api.trouble.refuse = 'token'
  expect(new Set(await storm())).toEqual(new Set([200]))
  expect(renewals()).toBe(1)
})

test('R8 a renewal that fails with 503 is one request for 1,000 calls, and the token that still lives is still used', async () => {
  const { clock, storm, renewals, events } = await signedIn()
  clock.forward(55_000)
  server.trouble.tokenEndpoint = '503'
  expect(new Set(await storm())).toEqual(new Set([200]))
  expect(renewals()).toBe(1)
  expect(events.filter((event) => event.type === 'renewal_failed')).toMatchObject([{ code: 'server_unavailable' }])
})

test('R8 where no token lives any more, all 1,000 calls get the one error, and when to try again', async () => {
  const { clock, session, renewals } = await signedIn()
  clock.forward(61_000)
  server.trouble.tokenEndpoint = '503'
  const outcomes = await Promise.all(
    calls.map(async () =>
      session.token().then(
        () => 'a token',
        (error: unknown) => error,
      ),
    ),
  )
  expect(new Set(outcomes.map((outcome) => (outcome as { code: string }).code))).toEqual(new Set(['server_unavailable']))
  expect(outcomes.every((outcome) => typeof (outcome as { retryAt: unknown }).retryAt === 'number')).toBe(true)
  expect(renewals()).toBe(1)
  expect(session.snapshot().status).toBe('signed_in')
})
