import { expect, onTestFinished, test, vi } from 'vitest'
import type { UserAgent } from '../../src/core/ports.js'
import { OAuthError, memoryStore, serverSignIn } from '../../src/index.js'
import type { Stage } from './fault-authorization-server.js'
import { sessionAt, stages, tokenRequests } from './stages.js'

// Attacks on sign-ins that are more than one answer: two sessions, two users, two responses.

const stage = stages()
const invalid = { code: 'authorization_response_invalid' }

/** A user agent that goes there, and brings nothing back. */
function away({ place, browse }: Stage): UserAgent & { response(): Promise<URL> } {
  let answered: (response: URL) => void = () => {}
  const response = new Promise<URL>((resolve) => (answered = resolve))
  return {
    authorize: async (request) => {
      answered(await browse(await request(place.redirectUri)))
      return new Promise(() => {})
    },
    response: () => response,
  }
}

test('attack 4 a response of one connection is not taken by another, of the same client at the same server', async () => {
  const here = stage()
  const store = memoryStore()
  const userAgent = away(here)
  const [work, home] = ['work', 'home'].map((account) => sessionAt(here, { store, account, userAgent }))
  void work?.signIn().catch(() => {})
  const response = await userAgent.response()
  await expect(home?.resume(response)).rejects.toMatchObject(invalid)
  expect(tokenRequests(here)).toEqual([])
  // Nor is it spent by that.
  expect(await work?.resume(response)).toBe(true)
})

test('attack 3 4 a response of one server is not taken by a session of another, though they share a store and an address', async () => {
  const [here, there] = [stage(), stage()]
  const store = memoryStore()
  const userAgent = away(here)
  void sessionAt(here, { store, userAgent })
    .signIn()
    .catch(() => {})
  await expect(sessionAt(there, { store }).resume(await userAgent.response())).rejects.toMatchObject(invalid)
  expect([...tokenRequests(here), ...tokenRequests(there)]).toEqual([])
})

test('attack 3 where no server sends iss, a redirect URI for each keeps them apart: a response is taken only at the address of its request', async () => {
  const here = stage({
    discovery: (document) => ({ ...document, authorization_response_iss_parameter_supported: undefined }),
    authorize: (parameters) => parameters.filter(([name]) => name !== 'iss'),
  })
  const userAgent = away(here)
  const session = sessionAt(here, { userAgent })
  void session.signIn().catch(() => {})
  const response = await userAgent.response()
  // Another server was made to answer this request: it answers at the address that is registered with it.
  const atAnother = new URL(response)
  atAnother.pathname = '/callback-of-another'
  await expect(session.resume(atAnother)).rejects.toMatchObject(invalid)
  expect(tokenRequests(here)).toEqual([])
  expect(await session.resume(response)).toBe(true)
})

test.each([
  ['in a browser that began none', { binding: '' }],
  ['in a browser that began another', { binding: 'another' }],
  ['by another user of the same browser', { account: 'bob' }],
  ['by nobody', { account: undefined }],
])('attack 5 a sign-in that was begun for one user is not finished %s', async (_, shown) => {
  const here = stage()
  const { issuer, clientId, redirectUri } = here.place
  const signIn = serverSignIn({
    issuer,
    clientId,
    redirectUri,
    scope: ['openid'],
    store: memoryStore(),
    fetch: (...call) => fetch(...call),
  })
  const { location, binding } = await signIn.start({ account: 'ann' })
  const response = await here.browse(location)
  const { account, ...other } = { account: 'ann', binding, ...shown } as { account: string | undefined; binding: string }
  await expect(signIn.finish(response, account === undefined ? other : { ...other, account })).rejects.toMatchObject(invalid)
  expect(tokenRequests(here)).toEqual([])
  expect((await signIn.finish(response, { account: 'ann', binding })).account).toBe('ann')
})

test('attack 7 of twenty that bring one response at the same time one gets the session, and the code is sent once', async () => {
  const here = stage()
  const userAgent = away(here)
  const session = sessionAt(here, { userAgent })
  void session.signIn().catch(() => {})
  const response = await userAgent.response()
  const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => session.resume(response)))
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  await expect(session.resume(response)).rejects.toMatchObject(invalid)
  expect(tokenRequests(here)).toEqual(['authorization_code'])
})

test.each([
  '//evil.example',
  '/\\evil.example',
  '/\t/evil.example',
  '\\\\evil.example',
  'https://app@evil.example',
  'http://127.0.0.1:1@evil.example/',
  'http://127.0.0.1:2/',
  'https://127.0.0.1:1/',
  'javascript:alert(1)',
  'data:text/html,x',
  'blob:http://127.0.0.1:1/0',
  'http://ann@127.0.0.1:1/',
])('attack 11 returnTo %j is refused before anything is sent', async (returnTo) => {
  const here = stage()
  const { issuer, clientId, redirectUri } = here.place
  const signIn = serverSignIn({
    issuer,
    clientId,
    redirectUri,
    scope: ['openid'],
    store: memoryStore(),
    fetch: (...call) => fetch(...call),
  })
  await expect(signIn.start({ returnTo })).rejects.toMatchObject({ code: 'invalid_configuration' })
  expect(here.received).toEqual([])
})

test('attack 19 what an application hands on is one value of one parameter', async () => {
  const here = stage()
  await sessionAt(here).signIn({ loginHint: 'ann&scope=admin#x', authorizationParameters: { tenant: 'a&client_id=evil' } })
  const asked = here.received.find(({ endpoint }) => endpoint === 'authorize')?.url.searchParams
  expect(asked?.getAll('scope')).toEqual(['openid notes:read'])
  expect(asked?.getAll('client_id')).toEqual(['app'])
  expect([asked?.get('login_hint'), asked?.get('tenant')]).toEqual(['ann&scope=admin#x', 'a&client_id=evil'])
})

test.each([
  'redirect_uri',
  'client_id',
  'state',
  'nonce',
  'scope',
  'response_type',
  'response_mode',
  'code_challenge',
  'code_challenge_method',
  'request_uri',
  'request',
])('attack 19 the parameter %s is the protocol’s, and no application sets it', async (name) => {
  const here = stage()
  const refused = { code: 'invalid_configuration' }
  await expect(sessionAt(here).signIn({ authorizationParameters: { [name]: 'evil' } })).rejects.toMatchObject(refused)
  expect(() => sessionAt(here, { authorizationParameters: { [name]: 'evil' } })).toThrow(OAuthError)
  expect(here.received).toEqual([])
})

/** From now on, and until it is called or the test is over, what is random is always the same. */
function constantRandomness(): () => void {
  const spy = vi.spyOn(crypto, 'getRandomValues').mockImplementation((array) => {
    if (array instanceof Uint8Array) array.forEach((_, index) => (array[index] = 3 * index + 1))
    return array
  })
  onTestFinished(() => spy.mockRestore())
  return () => spy.mockRestore()
}

test('attack 41 randomness that is always the same is noticed, and nobody is sent away with a verifier that others know', async () => {
  const here = stage()
  const { issuer, clientId, redirectUri } = here.place
  const fetch: typeof globalThis.fetch = (...call) => globalThis.fetch(...call)
  const signIn = serverSignIn({ issuer, clientId, redirectUri, store: memoryStore(), fetch })
  constantRandomness()
  for (const begin of [() => sessionAt(here).signIn(), () => signIn.start()])
    await expect(begin()).rejects.toMatchObject({ code: 'not_supported' })
  expect(here.received.filter(({ endpoint }) => endpoint !== 'metadata')).toEqual([])
})

test('attack 41 a living session loses nothing by it: its token is used, no renewal is sent, and the next one after it is over succeeds', async () => {
  const here = stage()
  const session = sessionAt(here)
  await session.signIn()
  const token = await session.token()
  const restore = constantRandomness()
  expect((await session.token()).reveal()).toBe(token.reveal())
  await expect(session.token({ rejected: token })).rejects.toMatchObject({ code: 'not_supported' })
  expect(tokenRequests(here)).toEqual(['authorization_code'])
  restore()
  expect((await session.token({ rejected: token })).reveal()).not.toBe(token.reveal())
})
