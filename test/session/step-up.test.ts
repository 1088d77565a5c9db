import { expect, test } from 'vitest'
import { challengeOf } from '../../src/core/challenge.js'
import { type DiscoveredResource } from '../../src/core/discovered-resource.js'
import { profile } from './profile.js'
import { scriptedServer } from './scripted.js'

// From a challenge to the authorization request that answers it, and from what a resource says of itself to the client that calls it.

const challenge = (status: number, value: string) => challengeOf(new Response(null, { status, headers: { 'www-authenticate': value } }))
const asked = (request: URL, ...names: string[]) => names.map((name) => request.searchParams.getAll(name).join(', '))

const found: DiscoveredResource = {
  resource: 'https://api.example/',
  authorizationServers: ['https://as.example'],
  scopesSupported: ['notes:read', 'notes:write', 'notes:share'],
  dpopBoundAccessTokensRequired: false,
}

test('M10 F10 a challenge asks for its scope together with all that is granted; what the user would not give is not asked for again', async () => {
  const server = await scriptedServer()
  const browser = profile(server, { scope: ['openid', 'notes:read', 'notes:write'] })
  server.change = { scope: 'openid notes:read' }
  const tab = await browser.signIn()
  const wanted = challenge(403, 'Bearer error="insufficient_scope", scope="notes:share notes:read", realm="notes"')
  const [scope, prompt] = asked(await browser.open().leave(wanted), 'scope', 'prompt')
  expect([scope, prompt]).toEqual(['openid notes:read notes:share', ''])
  // Until the answer is there nothing is changed by it.
  expect(tab.session.snapshot().grantedScope).toEqual(['openid', 'notes:read'])
})

test('F11 a challenge for another sign-in asks for that, and for the scope that there is', async () => {
  const server = await scriptedServer()
  const browser = profile(server)
  await browser.signIn()
  const wanted = challenge(401, 'DPoP error="insufficient_user_authentication", acr_values="gold silver", max_age="0"')
  expect(asked(await browser.open().leave(wanted), 'acr_values', 'max_age', 'scope')).toEqual(['gold silver', '0', 'openid notes:read'])
})

test('F11 O14 a sign-in that is older than the challenge allows does not replace the session that there is', async () => {
  const server = await scriptedServer()
  const browser = profile(server)
  const tab = await browser.signIn()
  const token = await tab.session.token()
  const request = await browser.open().leave(challenge(401, 'Bearer error="insufficient_user_authentication", max_age=300'))
  server.claims = { auth_time: Math.floor(Date.now() / 1_000) - 3_600 }
  await expect(browser.open(server.answer(request)).session.resume()).rejects.toMatchObject({ code: 'id_token_invalid' })
  expect((await tab.session.token()).reveal()).toBe(token.reveal())
  expect(tab.session.snapshot().status).toBe('signed_in')
})

test('M5 A16 the resource is named in the authorization request, the token request and the renewal, whatever the server says of it', async () => {
  const server = await scriptedServer()
  const browser = profile(server, { resource: found })
  const request = await browser.open().leave()
  const tab = browser.open(server.answer(request))
  expect(await tab.session.resume()).toBe(true)
  await tab.session.token({ rejected: await tab.session.token() })
  expect(asked(request, 'resource')).toEqual([found.resource])
  expect(server.tokenRequests().map(({ form }) => form.getAll('resource'))).toEqual([[found.resource], [found.resource]])
})

test.each([
  [
    'that of the challenge, where it names one',
    'Bearer scope="notes:share", resource_metadata="https://api.example/m"',
    found,
    'notes:share',
  ],
  ['all that the resource knows, where the program takes it', 'Bearer', found, 'notes:read notes:write notes:share'],
  ['none, where neither says one', 'Bearer', { ...found, scopesSupported: [] }, ''],
] as const)('M9 D24 the scope of a first sign-in is %s; by itself nothing is asked for', async (_, header, resource, expected) => {
  const server = await scriptedServer()
  const browser = profile(server, { resource, scope: [] })
  const scope = challenge(401, header)?.scope ?? resource.scopesSupported
  expect(asked(await browser.open().leave({ scope }), 'scope')).toEqual([expected])
  expect(asked(await browser.open().leave(), 'scope')).toEqual([''])
})
