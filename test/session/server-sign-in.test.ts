import { expect, test } from 'vitest'
import type { OAuthEvent } from '../../src/core/events.js'
import type { Store } from '../../src/core/ports.js'
import { serverSignIn } from '../../src/server-sign-in.js'
import { memoryStore } from '../../src/stores/memory.js'
import { manualClock } from '../../src/testing/manual-clock.js'
import { userSession } from '../../src/user-session.js'
import { expectNothingFound } from '../support/sweep.js'
import { scriptedServer } from './scripted.js'

const redirectUri = 'https://site.example/callback'

async function site(more: object = {}) {
  const server = await scriptedServer()
  const clock = manualClock(Date.now())
  const events: OAuthEvent[] = []
  const keys = new Set<string>()
  const memory = memoryStore()
  const store: Store = {
    get: memory.get,
    replace: async (key, seen, next) => {
      keys.add(key)
      return memory.replace(key, seen, next)
    },
  }
  const client = {
    authorizationServer: server.authorizationServer,
    clientId: 'page',
    store,
    clock,
    observe: (event: OAuthEvent) => void events.push(event),
    fetch: (...parameters: Parameters<typeof fetch>) => fetch(...parameters),
  }
  const signIn = serverSignIn({ ...client, redirectUri, scope: ['openid', 'calendar'], ...more })
  return { server, clock, events, keys, store, signIn, client, sessionOf: (account: string) => userSession({ ...client, account }) }
}

test('a user signs in on a server, and a job acts for that user from then on', async () => {
  const { server, signIn, sessionOf } = await site()
  const { location, binding } = await signIn.start({ returnTo: '/calendar' })
  expect(location.searchParams.get('redirect_uri')).toBe(redirectUri)
  const { session, account, returnTo } = await signIn.finish(server.answer(location), { binding })
  expect({ account, returnTo }).toEqual({ account: 'ann', returnTo: 'https://site.example/calendar' })
  expect(session.snapshot()).toMatchObject({ status: 'signed_in', idTokenClaims: { sub: 'ann' } })
  const job = sessionOf(account)
  expect(await job.resume()).toBe(true)
  expect((await job.token()).reveal()).toBe((await session.token()).reveal())
  await expect(job.signIn()).rejects.toMatchObject({ code: 'sign_in_required' })
})

test.each<[string, (given: { binding: string; other: string }) => { binding: string; account?: string }]>([
  ['another browser’s binding', ({ other }) => ({ binding: other })],
  ['no binding', () => ({ binding: '' })],
  ['a binding that is no string', () => ({ binding: undefined as never })],
  ['an account where none began it', ({ binding }) => ({ binding, account: 'bob' })],
])('A20 a response with %s is refused before anything is sent, and the right browser still finishes', async (_, shown) => {
  const { server, signIn } = await site()
  const { location, binding } = await signIn.start()
  const { binding: other } = await signIn.start()
  const response = server.answer(location)
  await expect(signIn.finish(response, shown({ binding, other }))).rejects.toMatchObject({ code: 'authorization_response_invalid' })
  expect(server.tokenRequests()).toEqual([])
  expect((await signIn.finish(response, { binding })).account).toBe('ann')
})

test('A20 what one signed-in user began, another’s session does not finish: the victim’s browser is of no use to the attacker', async () => {
  const { server, signIn } = await site()
  const { location, binding } = await signIn.start({ account: 'attacker' })
  const response = server.answer(location)
  for (const account of ['victim', undefined]) {
    const shown = { binding, ...(account === undefined ? {} : { account }) }
    await expect(signIn.finish(response, shown)).rejects.toMatchObject({ code: 'authorization_response_invalid' })
  }
  expect(server.tokenRequests()).toEqual([])
  expect((await signIn.finish(response, { binding, account: 'attacker' })).account).toBe('attacker')
})

test.for(['https://site.example/elsewhere', 'https://other.example/callback', 'http://site.example/callback'])(
  'what came to %s is no response of this sign-in, whatever it says',
  async (place) => {
    const { server, signIn } = await site()
    const { location, binding } = await signIn.start()
    const response = server.answer(location)
    const elsewhere = new URL(`${place}${response.search}`)
    await expect(signIn.finish(elsewhere, { binding })).rejects.toMatchObject({ code: 'authorization_response_invalid' })
    expect(server.tokenRequests()).toEqual([])
    expect((await signIn.finish(response, { binding })).account).toBe('ann')
  },
)

test('C2 a response serves once, also when it comes twice at the same time', async () => {
  const { server, signIn } = await site()
  const { location, binding } = await signIn.start()
  const response = server.answer(location)
  const outcomes = await Promise.allSettled([signIn.finish(response, { binding }), signIn.finish(response, { binding })])
  expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
  expect(server.tokenRequests()).toHaveLength(1)
})

test('a sign-in that takes longer than ten minutes is over, and its note is forgotten', async () => {
  const { server, signIn, clock } = await site()
  const { location, binding } = await signIn.start()
  await clock.advance(10 * 60_000 + 1)
  await expect(signIn.finish(server.answer(location), { binding })).rejects.toMatchObject({ code: 'authorization_response_invalid' })
})

test('an error of the server is a typed rejection, told once', async () => {
  const { server, signIn, events } = await site()
  const { location, binding } = await signIn.start()
  await expect(signIn.finish(server.answer(location, { error: 'access_denied' }), { binding })).rejects.toMatchObject({
    code: 'access_denied',
  })
  expect(events.filter(({ type }) => type === 'sign_in_failed')).toMatchObject([{ code: 'access_denied' }])
})

test('an account whose session is another user’s keeps it: different_user', async () => {
  const { server, signIn, sessionOf } = await site()
  const first = await signIn.start({ account: 'u1' })
  await signIn.finish(server.answer(first.location), { binding: first.binding, account: 'u1' })
  server.user = 'bob'
  const second = await signIn.start({ account: 'u1' })
  await expect(signIn.finish(server.answer(second.location), { binding: second.binding, account: 'u1' })).rejects.toMatchObject({
    code: 'different_user',
  })
  const session = sessionOf('u1')
  await session.resume()
  expect(session.snapshot().idTokenClaims?.sub).toBe('ann')
})

test('more scope is asked for with what the account already has', async () => {
  const { server, signIn } = await site()
  const first = await signIn.start({ account: 'u1' })
  await signIn.finish(server.answer(first.location), { binding: first.binding, account: 'u1' })
  const { location } = await signIn.start({ account: 'u1', scope: ['contacts'] })
  expect(location.searchParams.get('scope')?.split(' ').toSorted()).toEqual(['calendar', 'contacts', 'openid'])
})

test('no state, binding, verifier or token is in a key of the store or an event', async () => {
  const { server, signIn, keys, events } = await site()
  const { location, binding } = await signIn.start()
  await signIn.finish(server.answer(location), { binding })
  expectNothingFound([...server.issued(), binding, location.searchParams.get('state') ?? ''], { keys: [...keys], events })
})

test.each([
  ['store', { store: undefined }],
  ['redirectUri', { redirectUri: '/callback' }],
  ['redirectUri', { redirectUri: 'https://site.example/callback#x' }],
  ['userAgent', { userAgent: {} }],
  ['account', { account: 'u1' }],
])('a wrong %s is refused at construction', async (name, wrong) => {
  await expect(site(wrong)).rejects.toMatchObject({ code: 'invalid_configuration', message: expect.stringContaining(name) as string })
})

test.each(['https://evil.example/', '//evil.example', 'javascript:alert(1)'])('C16 returnTo %s is refused', async (returnTo) => {
  const { signIn } = await site()
  await expect(signIn.start({ returnTo })).rejects.toMatchObject({ code: 'invalid_configuration' })
})
