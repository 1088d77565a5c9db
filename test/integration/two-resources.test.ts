import { afterAll, beforeAll, expect, test } from 'vitest'
import { type DemoApi, startApi } from '../../demo/servers/api.js'
import {
  type DemoAuthorizationServer,
  mailResource,
  notesResource,
  startAuthorizationServer,
} from '../../demo/servers/authorization-server.js'
import { oauthFetch } from '../../src/oauth-fetch.js'
import { profile, redirectUri } from '../session/profile.js'

// One grant, a token for each of two resources (RFC 8707), at a server whose tokens have only what their own resource knows.

let server: DemoAuthorizationServer
let api: DemoApi

beforeAll(async () => {
  server = await startAuthorizationServer({
    clients: [{ clientId: 'page', redirectUris: [redirectUri] }],
    tokenScope: 'of_its_resource',
    automatic: { account: 'ann' },
  })
  api = await startApi({ issuer: server.issuer, resourceServer: server.resourceServer })
})
afterAll(async () => {
  await api.close()
  await server.close()
  expect(server.errors).toEqual([])
})

test('F19 A16 F3 each resource gets its own token, and both are renewed by the one refresh token, one after the other', async () => {
  const browser = profile(server, {
    scope: ['openid', 'notes:read', 'mail:read'],
    resource: [notesResource.identifier, mailResource.identifier],
  })
  const { session } = await browser.signIn()
  expect(session.missingScope(['notes:read', 'mail:read'])).toEqual([])
  const call = oauthFetch(session, {
    resources: {
      [`${api.origin}/notes`]: { scope: ['notes:read'], resource: notesResource.identifier },
      [`${api.origin}/mail`]: { scope: ['mail:read'], resource: mailResource.identifier },
    },
  })
  const both = async (): Promise<readonly number[]> =>
    Promise.all(['/notes', '/mail', '/notes', '/mail'].map(async (path) => (await call(api.origin + path)).status))
  expect(await both()).toEqual([200, 200, 200, 200])
  // The sign-in brought the first resource's token; the second's was one renewal.
  expect(server.counters).toMatchObject({ refreshes: 1, reuses: 0 })
  await browser.clock.advance(61_000)
  expect(await both()).toEqual([200, 200, 200, 200])
  expect(server.counters).toMatchObject({ refreshes: 3, reuses: 0, grantsRevoked: 0 })
  expect(api.answered(401)).toBe(0)
})
