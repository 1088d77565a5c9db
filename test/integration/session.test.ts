import { afterAll, beforeAll, expect, test } from 'vitest'
import { type DemoApi, startApi } from '../../demo/servers/api.js'
import { type DemoAuthorizationServer, startAuthorizationServer } from '../../demo/servers/authorization-server.js'
import { browserSession } from '../../src/browser/browser-session.js'
import type { OAuthEvent } from '../../src/core/events.js'
import { oauthFetch } from '../../src/oauth-fetch.js'
import { memoryStore } from '../../src/stores/memory.js'
import { robot } from '../support/robot.js'
import { expectNothingFound } from '../support/sweep.js'

const redirectUri = 'https://app.example/callback'
let server: DemoAuthorizationServer
let api: DemoApi

beforeAll(async () => {
  server = await startAuthorizationServer({
    clients: [{ clientId: 'page', redirectUris: [redirectUri] }],
    accessTokenSeconds: 60,
    automatic: { account: 'ann' },
  })
  api = await startApi({ issuer: server.issuer, resourceServer: server.resourceServer })
})
afterAll(async () => {
  await api.close()
  await server.close()
  expect(server.errors).toEqual([])
  expect(server.issued().length).toBeGreaterThan(0)
  expectNothingFound(server.issued(), { observed, 'log of the API': api.log, 'log of the server': server.log })
})

/** What the sessions of all tests said. */
const observed: OAuthEvent[] = []

function made(more: object = {}) {
  const events: OAuthEvent[] = []
  const store = memoryStore()
  const session = browserSession({
    issuer: server.issuer,
    clientId: 'page',
    redirectUri,
    scope: ['openid', 'notes:read'],
    store,
    userAgent: robot({ redirectUri }),
    observe: (event) => {
      events.push(event)
      observed.push(event)
    },
    ...more,
  })
  return { session, store, events, types: () => events.map((event) => event.type) }
}

test('a user signs in, calls the API, and the token is renewed once for all who ask', async () => {
  const { session, types } = made()
  expect(session.snapshot().status).toBe('unknown')
  expect(await session.resume()).toBe(false)
  await session.signIn()
  expect(session.snapshot()).toMatchObject({ status: 'signed_in', idTokenClaims: { sub: 'ann' } })
  const call = oauthFetch(session, { resources: [`${api.origin}/`] })
  expect((await call(`${api.origin}/notes`)).status).toBe(200)
  const before = server.counters.refreshes
  const rejected = await session.token()
  await Promise.all(Array.from({ length: 50 }, () => session.token({ rejected })))
  expect(server.counters.refreshes - before).toBe(1)
  expect((await call(`${api.origin}/notes`)).status).toBe(200)
  expect(await session.signOut()).toEqual({ refreshToken: 'revoked', accessTokens: 'revoked', authorizationServer: 'not_asked' })
  expect(session.snapshot()).toEqual({ status: 'signed_out', grantedScope: [], ended: 'signed_out' })
  await expect(session.token()).rejects.toMatchObject({ code: 'sign_in_required' })
  expect(types()).toEqual(
    expect.arrayContaining(['discovered', 'sign_in_started', 'sign_in_finished', 'renewal_started', 'renewal_finished', 'session_ended']),
  )
})
