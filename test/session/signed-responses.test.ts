import { request as httpRequest } from 'node:http'
import { expect, test, vi } from 'vitest'
import { signedResponses, userSession } from '../../src/index.js'
import { loopbackBy } from '../../src/node/loopback.js'
import { serverSignIn } from '../../src/server-sign-in.js'
import { memoryStore } from '../../src/stores/memory.js'
import { manualClock } from '../../src/testing/manual-clock.js'
import { json } from '../support/fault-server.js'
import { failure } from '../support/sign-in.js'
import { signedResponse, signingKeys } from '../support/signed-response.js'
import { origin, profile, redirectUri } from './profile.js'
import { scriptedServer } from './scripted.js'

// Signed authorization responses (JARM) in each of the ways to sign in: the state that says whose a response is stands in the JWT.

const server = () => scriptedServer((at) => ({ jwks_uri: `${at}/jwks` }))
const unusual = { signedResponses: signedResponses() }
const invalid = { code: 'authorization_response_invalid' }

test('C18 C12 a page that is answered by a JWT takes it out of its address first, verifies it, and is signed in', async () => {
  const at = await server()
  const browser = profile(at, unusual)
  const response = at.answer(await browser.open('/notes').leave())
  expect([...response.searchParams.keys()]).toEqual(['response'])
  const tab = browser.open(response)
  const addresses: (string | undefined)[] = []
  at.wire.on('/jwks', (...exchange) => {
    addresses.push(tab.page.address()?.href)
    return json(signingKeys)(...exchange)
  })
  expect(await tab.session.resume()).toBe(true)
  expect(addresses).toEqual([redirectUri])
  expect(tab.page.replaced[0]).toBe(redirectUri)
  expect(tab.page.address()?.href).toBe(`${origin}/notes`)
  expect(tab.said()).toEqual(['sign_in_finished'])
  expect(await browser.open(response).session.resume()).toBe(true)
  expect(at.tokenRequests()).toHaveLength(1)
})

test('C18 a plain response where a signed one was asked for is refused, and its code is not sent', async () => {
  const at = await server()
  const browser = profile(at, unusual)
  const request = await browser.open().leave()
  const plain = new URL(redirectUri)
  for (const [name, value] of Object.entries({
    code: 'of-an-attacker',
    state: request.searchParams.get('state') ?? '',
    iss: at.wire.origin,
  }))
    plain.searchParams.set(name, value)
  const tab = browser.open(plain)
  await expect(tab.session.resume()).rejects.toMatchObject(invalid)
  expect(tab.page.address()?.href).toBe(redirectUri)
  expect(at.wire.received).toEqual([])
})

test('C18 C1 a JWT with a state that nobody here asked for leaves the address, is reported, and sends nothing', async () => {
  const at = await server()
  const browser = profile(at, unusual)
  const stranger = new URL(`${redirectUri}?code=c&state=${'A'.repeat(43)}`)
  for (const response of [
    signedResponse(stranger, { issuer: at.wire.origin, clientId: 'page' }),
    new URL(`${redirectUri}?response=a.b.c`),
    new URL(`${redirectUri}?response=${['{}', 'null', '""'].map((part) => btoa(part).replaceAll('=', '')).join('.')}`),
  ]) {
    const tab = browser.open(response)
    expect(await tab.session.resume()).toBe(false)
    expect(tab.page.address()?.href).toBe(redirectUri)
    expect(tab.said()).toEqual(['sign_in_failed authorization_response_invalid'])
  }
  expect(at.wire.received).toEqual([])
})

test.for(['yes', '', 'a.b', 'a.b.c.d', 'a.b c.d'])('a response=%s of the application’s own is no response', async (value) => {
  const tab = profile(await server()).open(`${redirectUri}?response=${encodeURIComponent(value)}`)
  const before = tab.page.address()?.href
  expect(await tab.session.resume()).toBe(false)
  expect(tab.page.address()?.href).toBe(before)
  expect(tab.said()).toEqual([])
})

test('C18 another session of the page leaves it alone', async () => {
  const at = await server()
  const browser = profile(at, unusual)
  const response = at.answer(await browser.open('/', { account: 'work' }).leave())
  const tab = browser.open(response, { account: 'home' })
  expect(await tab.session.resume()).toBe(false)
  expect(tab.page.address()?.href).toBe(response.href)
  expect(await browser.open(response, { account: 'work' }).session.resume()).toBe(true)
})

test('C18 a window that was opened for it hands it over by the state that is in it', async () => {
  const at = await server()
  const browser = profile(at, unusual)
  const request = await browser.open().leave()
  const response = at.answer(request)
  const handOver = vi.fn(async () => {})
  expect(await browser.open(response, { handOver }).session.resume()).toBe(true)
  expect(handOver.mock.calls).toEqual([[response, request.searchParams.get('state'), true]])
})

test('C18 an error that is signed is a typed rejection', async () => {
  const at = await server()
  const browser = profile(at, unusual)
  const tab = browser.open(at.answer(await browser.open().leave(), { error: 'access_denied' }))
  await expect(tab.session.resume()).rejects.toMatchObject({ code: 'access_denied' })
})

test('C18 a tool takes it on loopback, and says to its user how it ended', async () => {
  const at = await server()
  const pages: string[] = []
  const sessionOf = (instead?: Readonly<Record<string, string>>) =>
    userSession({
      authorizationServer: at.authorizationServer,
      clientId: 'page',
      scope: ['openid'],
      signedResponses: signedResponses(),
      userAgent: loopbackBy(
        {},
        {
          open: async (address) => {
            pages.push(await pageOf(at.answer(address, instead)))
            return true
          },
          clock: manualClock(),
          hosts: ['127.0.0.1'],
        },
      ),
    })
  await sessionOf().signIn()
  expect(await failure(sessionOf({ error: 'access_denied' }).signIn())).toMatchObject({ code: 'access_denied' })
  expect(pages).toEqual([expect.stringContaining('That is all here.'), expect.stringContaining('was not finished')])
})

test('C18 the routes of a server find the request of a JWT, and verify it before the code is sent', async () => {
  const at = await server()
  const signIn = serverSignIn({
    authorizationServer: at.authorizationServer,
    clientId: 'page',
    redirectUri,
    scope: ['openid'],
    store: memoryStore(),
    ...unusual,
  })
  const { location, binding } = await signIn.start()
  const response = at.answer(location)
  await expect(signIn.finish(response, { binding: 'another' })).rejects.toMatchObject(invalid)
  expect(at.wire.received).toEqual([])
  expect((await signIn.finish(response, { binding })).account).toBe('ann')
  const forged = await signIn.start()
  const [first, payload] = (at.answer(forged.location).searchParams.get('response') ?? '').split('.')
  const changed = new URL(`${redirectUri}?response=${first}.${payload}.${'A'.repeat(86)}`)
  await expect(signIn.finish(changed, { binding: forged.binding })).rejects.toMatchObject(invalid)
  expect(at.tokenRequests()).toHaveLength(1)
})

/** As a browser asks, without keeping the connection. */
function pageOf(url: URL): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest(url, { agent: false }, (response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (part: string) => (body += part))
      response.on('end', () => resolve(body))
    })
    sent.on('error', reject).end()
  })
}
