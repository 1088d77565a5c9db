import { afterAll, beforeAll, expect, test } from 'vitest'
import { type DemoAuthorizationServer, startAuthorizationServer } from '../../demo/servers/authorization-server.js'
import { type DiscoveredResource, OAuthError, accessToken, discoverResource, oauthFetch, userSession } from '../../src/node/index.js'
import { type PaymentsApi, startPaymentsApi } from '../support/payments-api.js'
import { robot } from '../support/robot.js'
import { redirectUri } from '../session/profile.js'
import { scriptedServer } from '../session/scripted.js'

// From the address of an API to a call that it accepts: what it says of itself (RFC 9728) finds the authorization server, names the resource, and
// binds the tokens where it must (RFC 9449). Against oidc-provider, and an API over `valetkey/resource-server`.

let server: DemoAuthorizationServer
let api: PaymentsApi

beforeAll(async () => {
  api = await startPaymentsApi()
  server = await startAuthorizationServer({
    automatic: { account: 'ann' },
    clients: [{ clientId: 'tool', redirectUris: [redirectUri] }],
    resources: [{ identifier: `${api.origin}/`, format: 'opaque', scope: ['pay'] }],
  })
  api.trust(server, `${api.origin}/`, 'required')
  api.needed = { scope: ['pay'] }
})
afterAll(async () => {
  await api.close()
  await server.close()
  expect(server.errors).toEqual([])
})

async function found(more: object): Promise<DiscoveredResource> {
  api.describedAs = { resource: `${api.origin}/`, authorization_servers: [server.issuer], scopes_supported: ['pay', 'refund'], ...more }
  return discoverResource(api.address)
}

function session(resource: DiscoveredResource, more: { readonly dpop?: boolean } = {}) {
  const [issuer = ''] = resource.authorizationServers
  const options = { issuer, clientId: 'tool', resource, scope: ['pay'], redirectUri, userAgent: robot({ redirectUri }), ...more }
  const made = userSession(options)
  return { made, pay: oauthFetch(made, { resources: [`${api.origin}/`] }) }
}

test('D18 F19 a resource that takes bound tokens only gets them by itself: nothing was said of DPoP but by the resource', async () => {
  const resource = await found({ dpop_bound_access_tokens_required: true })
  const { made, pay } = session(resource)
  await made.signIn()
  expect((await made.token()).tokenType).toBe('DPoP')
  expect((await pay(api.address, { method: 'POST', body: 'one coin' })).status).toBe(201)
  expect(api.attempts.at(-1)).toMatchObject({ scheme: 'DPoP', status: 201 })
  // Whoever has its text alone has nothing.
  const copied = oauthFetch({ token: async () => accessToken((await made.token()).reveal()) }, { resources: [`${api.origin}/`] })
  expect((await copied(api.address, { method: 'POST', body: 'another coin' })).status).toBe(401)
})

test('a resource that says nothing of it gets Bearer, and to leave DPoP out where it must be is refused before anything is sent', async () => {
  const { made } = session(await found({}))
  await made.signIn()
  expect((await made.token()).tokenType).toBe('Bearer')
  const bound = await found({ dpop_bound_access_tokens_required: true })
  expect(() => session(bound, { dpop: false })).toThrow(OAuthError)
  expect(() => session(bound, { dpop: false })).toThrow('`dpop`')
})

test('T14 where the resource wants bound tokens, an authorization server that answers with Bearer is refused', async () => {
  const bearer = await scriptedServer()
  const { authorizationServer } = bearer
  const resource = await found({ dpop_bound_access_tokens_required: true })
  const made = userSession({
    authorizationServer,
    clientId: 'page',
    resource,
    redirectUri,
    userAgent: { authorize: async (request) => bearer.answer(await request(redirectUri)) },
  })
  await expect(made.signIn()).rejects.toMatchObject({ code: 'token_response_invalid' })
  expect(bearer.tokenRequests().map(({ headers }) => typeof headers['dpop'])).toEqual(['string'])
  expect(await made.resume()).toBe(false)
})
