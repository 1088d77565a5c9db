import { request as httpRequest } from 'node:http'
import { expect, test } from 'vitest'
import type { UserAgent } from '../../src/core/ports.js'
import { loopbackBy } from '../../src/node/loopback.js'
import { serverSignIn } from '../../src/server-sign-in.js'
import { memoryStore } from '../../src/stores/memory.js'
import { manualClock } from '../../src/testing/manual-clock.js'
import { userSession } from '../../src/user-session.js'
import { type Route, hangUp, json, status, text } from '../support/fault-server.js'
import { failure } from '../support/sign-in.js'
import { profile, redirectUri } from './profile.js'
import { type ScriptedServer, scriptedServer } from './scripted.js'

// Pushed authorization requests (RFC 9126) in each of the ways to sign in. The scripted server takes a request_uri once.

const endpoint = (origin: string) => ({ pushed_authorization_request_endpoint: `${origin}/par` })
const required = (origin: string) => ({ ...endpoint(origin), require_pushed_authorization_requests: true })

const pushes = ({ wire }: ScriptedServer): readonly URLSearchParams[] => wire.to('/par').map(({ form }) => form)

test('X4 X5 X7 a page leaves with client_id and request_uri, and comes back signed in', async () => {
  const server = await scriptedServer(required)
  const browser = profile(server)
  const request = await browser.open('/notes').leave()
  expect([...request.searchParams.keys()]).toEqual(['client_id', 'request_uri'])
  const [form] = pushes(server)
  for (const name of ['state', 'nonce', 'code_challenge']) expect(form?.get(name)).toMatch(/^[\w-]{43}$/)
  const tab = browser.open(server.answer(request))
  expect(await tab.session.resume()).toBe(true)
  expect(tab.page.address()?.pathname).toBe('/notes')
})

test('X3 two tabs push twice, and each response finishes its own', async () => {
  const server = await scriptedServer(endpoint)
  const { open } = profile(server, { pushedAuthorizationRequests: true })
  const requests = [await open('/1').leave(), await open('/2').leave()]
  expect(new Set(requests.map((request) => request.searchParams.get('request_uri'))).size).toBe(2)
  for (const request of requests.toReversed()) expect(await open(server.answer(request)).session.resume()).toBe(true)
})

test('X3 a user who comes Back signs in with a push of its own', async () => {
  const server = await scriptedServer(required)
  const tab = profile(server).open()
  const left = tab.page.left()
  const signing = failure(tab.session.signIn())
  await left
  tab.page.comeBack()
  expect(await signing).toMatchObject({ code: 'cancelled' })
  await tab.leave()
  expect(pushes(server)).toHaveLength(2)
})

test.for<readonly [string, Route, string]>([
  ['a refusal', json({ error: 'invalid_request' }, 400), 'request_refused'],
  ['a page of HTML', text('<html>', { 'content-type': 'text/html' }, 201), 'authorization_response_invalid'],
  ['a server in trouble', status(503), 'server_unavailable'],
  ['a connection that breaks', hangUp, 'network'],
])('X2 where the push ends in %s nobody leaves, nothing pending stays, and the session is as it was', async ([, answer, code]) => {
  const server = await scriptedServer(required)
  const browser = profile(server)
  await browser.signIn()
  const written = browser.written.length
  server.wire.on('/par', answer)
  const tab = browser.open('/notes')
  expect(await tab.session.resume()).toBe(true)
  expect(await failure(tab.session.signIn({ scope: ['mail:send'] }))).toMatchObject({ name: 'OAuthError', code })
  expect(tab.page.navigations).toEqual([])
  expect(tab.said().at(-1)).toBe(`sign_in_failed ${code}`)
  expect(tab.session.snapshot()).toMatchObject({ status: 'signed_in', grantedScope: ['openid', 'notes:read'] })
  expect(browser.written).toHaveLength(written)
  expect(tab.page.address()?.pathname).toBe('/notes')
})

test('X5 a page whose server requires what the program refuses is told so, and stays', async () => {
  const server = await scriptedServer(required)
  const tab = profile(server, { pushedAuthorizationRequests: false }).open()
  expect(await failure(tab.session.signIn())).toMatchObject({ code: 'invalid_configuration' })
  expect(tab.page.navigations).toEqual([])
})

test('a sign-in that is given up during the push leaves nothing pending', async () => {
  const server = await scriptedServer(required)
  const arrived = new Promise<void>((resolve) => server.wire.on('/par', () => resolve()))
  const browser = profile(server)
  const tab = browser.open()
  const aborting = new AbortController()
  const signing = failure(tab.session.signIn({ signal: aborting.signal }))
  await arrived
  aborting.abort(new Error('given up'))
  expect(await signing).toMatchObject({ message: 'given up' })
  expect(browser.written).toEqual([])
  expect(tab.page.navigations).toEqual([])
})

test('X4 a tool waits on loopback for the state that its address does not show', async () => {
  const server = await scriptedServer(required)
  const opened: URL[] = []
  const userAgent = loopbackBy(
    {},
    {
      open: async (address) => {
        opened.push(address)
        const answer = server.answer(address)
        const guessed = new URL(answer)
        guessed.searchParams.set('state', 'guessed')
        expect(await statusOf(guessed)).toBe(400)
        expect(await statusOf(answer)).toBe(200)
        return true
      },
      clock: manualClock(),
      hosts: ['127.0.0.1'],
    },
  )
  const session = userSession({ authorizationServer: server.authorizationServer, clientId: 'page', scope: ['openid'], userAgent })
  await session.signIn()
  expect(session.snapshot()).toMatchObject({ status: 'signed_in' })
  expect(opened.map(({ searchParams }) => [...searchParams.keys()])).toEqual([['client_id', 'request_uri']])
})

test('X4 a user agent of one’s own gets that address, and may ask for it twice', async () => {
  const server = await scriptedServer(required)
  const userAgent: UserAgent = {
    async authorize(request) {
      await request(redirectUri)
      return server.answer(await request(redirectUri))
    },
  }
  const session = userSession({
    authorizationServer: server.authorizationServer,
    clientId: 'page',
    redirectUri,
    scope: ['openid'],
    userAgent,
  })
  await session.signIn()
  expect(session.snapshot().status).toBe('signed_in')
  expect(new Set(pushes(server).map((form) => form.get('state'))).size).toBe(2)
})

test('X4 the routes of a server find the request of a response by the state that was pushed', async () => {
  const server = await scriptedServer(required)
  const options = {
    authorizationServer: server.authorizationServer,
    clientId: 'page',
    redirectUri,
    scope: ['openid'],
    store: memoryStore(),
  }
  const signIn = serverSignIn(options)
  const [one, two] = [await signIn.start(), await signIn.start()]
  expect([...one.location.searchParams.keys()]).toEqual(['client_id', 'request_uri'])
  const response = server.answer(one.location)
  await expect(signIn.finish(response, { binding: two.binding })).rejects.toMatchObject({ code: 'authorization_response_invalid' })
  expect((await signIn.finish(response, { binding: one.binding })).account).toBe('ann')
  expect((await signIn.finish(server.answer(two.location), { binding: two.binding })).account).toBe('ann')
})

test('X2 where the push of a server fails, nothing is noted down', async () => {
  const server = await scriptedServer(required)
  server.wire.on('/par', json({ error: 'invalid_scope' }, 400))
  const kept: string[] = []
  const memory = memoryStore()
  const store = {
    get: memory.get,
    replace: (...[key, seen, next]: Parameters<typeof memory.replace>) => {
      kept.push(key)
      return memory.replace(key, seen, next)
    },
  }
  const signIn = serverSignIn({ authorizationServer: server.authorizationServer, clientId: 'page', redirectUri, store })
  await expect(signIn.start()).rejects.toMatchObject({ code: 'scope_refused', serverError: 'invalid_scope' })
  expect(kept).toEqual([])
})

test('A17 details that must not be changed on the way go only where nobody can: with the option they are pushed, or nobody is sent', async () => {
  const authorizationDetails = [{ type: 'payment', amount: '1.00' }]
  const server = await scriptedServer(endpoint)
  const request = await profile(server, { pushedAuthorizationRequests: true }).open().leave({ authorizationDetails })
  expect(request.href).not.toContain('payment')
  expect(JSON.parse(pushes(server)[0]?.get('authorization_details') ?? '')).toEqual(authorizationDetails)
  const without = await scriptedServer()
  const tab = profile(without, { pushedAuthorizationRequests: true }).open()
  expect(await failure(tab.session.signIn({ authorizationDetails }))).toMatchObject({ code: 'not_supported' })
  expect(tab.page.navigations).toEqual([])
})

/** As a browser asks, without keeping the connection. */
function statusOf(url: URL): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest(url, { agent: false }, (response) => {
      response.resume()
      response.on('end', () => resolve(response.statusCode ?? 0))
    })
    sent.on('error', reject).end()
  })
}
