import { expect, test } from 'vitest'
import type { UserAgent } from '../../src/core/ports.js'
import { profile, redirectUri } from './profile.js'
import { scriptedServer } from './scripted.js'

/** A user agent that sends the user away and never hears of it again: the response comes by another way. */
function away(): UserAgent & { readonly requests: URL[] } {
  const requests: URL[] = []
  return {
    requests,
    authorize: async (request) => {
      requests.push(await request(redirectUri))
      return new Promise(() => {})
    },
  }
}

test('a sign-in that waits is completed by a response that is handed in elsewhere', async () => {
  const server = await scriptedServer()
  const userAgent = away()
  const tab = profile(server, { userAgent }).open()
  const signingIn = tab.session.signIn()
  await expect.poll(() => userAgent.requests.length).toBe(1)
  const response = server.answer(userAgent.requests[0] as URL)
  expect(await tab.session.resume(response.href)).toBe(true)
  await signingIn
  expect(tab.session.snapshot().status).toBe('signed_in')
  expect(tab.said()).toEqual(['sign_in_started', 'sign_in_finished'])
  expect(server.tokenRequests()).toHaveLength(1)
})

test('several may be pending: each response settles its own sign-in, and no other', async () => {
  const server = await scriptedServer()
  const userAgent = away()
  const tab = profile(server, { userAgent }).open()
  const settled: string[] = []
  const names = ['first', 'second', 'third']
  for (const name of names) {
    void tab.session.signIn().then(
      () => settled.push(name),
      (error: { code: string }) => settled.push(`${name} ${error.code}`),
    )
    await expect.poll(() => userAgent.requests.length).toBe(names.indexOf(name) + 1)
  }
  const [one, two, three] = userAgent.requests as [URL, URL, URL]
  await tab.session.resume(server.answer(two))
  await expect.poll(() => settled).toEqual(['second'])
  await tab.session.resume(server.answer(three, { error: 'access_denied' })).catch(() => {})
  await expect.poll(() => settled).toEqual(['second', 'third access_denied'])
  await tab.session.resume(server.answer(one))
  await expect.poll(() => settled).toEqual(['second', 'third access_denied', 'first'])
})

test('a sign-in that fails elsewhere fails for whoever waits for it, with the same error', async () => {
  const server = await scriptedServer()
  const userAgent = away()
  const tab = profile(server, { userAgent }).open()
  const signingIn = tab.session.signIn().catch((error: unknown) => error)
  await expect.poll(() => userAgent.requests.length).toBe(1)
  const failed = await tab.session
    .resume(server.answer(userAgent.requests[0] as URL, { error: 'access_denied' }))
    .catch((error: unknown) => error)
  expect(failed).toMatchObject({ code: 'access_denied' })
  expect(await signingIn).toBe(failed)
})

test.each([
  ['no URL', 'code=1&state=2'],
  ['empty', ''],
  ['no response', `${redirectUri}?page=2`],
  ['of another path', 'https://app.example/other?code=1&state=2'],
  ['without a state', `${redirectUri}?code=1`],
  ['with a state that nobody gave away', `${redirectUri}?code=1&state=2`],
])('what is handed in and is %s is refused, and nothing is sent', async (_, response) => {
  const server = await scriptedServer()
  const tab = profile(server).open()
  await expect(tab.session.resume(response)).rejects.toMatchObject({ code: 'authorization_response_invalid' })
  expect(tab.said()).toEqual(['sign_in_failed authorization_response_invalid'])
  expect(server.wire.received).toEqual([])
})

test('a response that comes to another address than the one that was asked for is refused, and stays good at its own', async () => {
  const server = await scriptedServer()
  const browser = profile(server)
  const response = server.answer(await browser.open().leave())
  for (const [name, value] of [
    ['pathname', '/elsewhere'],
    ['host', 'evil.example'],
    ['protocol', 'http:'],
  ] as const) {
    const moved = new URL(response)
    moved[name] = value
    await expect(browser.open().session.resume(moved)).rejects.toMatchObject({ code: 'authorization_response_invalid' })
  }
  expect(await browser.open(response).session.resume()).toBe(true)
})

test('a user agent that answers by itself needs no page', async () => {
  const server = await scriptedServer()
  const browser = profile(server)
  const tab = browser.open('/', { userAgent: { authorize: async (request) => server.answer(await request(redirectUri)) } })
  await tab.session.signIn()
  expect(tab.session.snapshot().status).toBe('signed_in')
  expect(tab.page.navigations).toEqual([])
})

test('C2 the same response from the user agent and by hand, at the same moment, is redeemed once', async () => {
  const server = await scriptedServer()
  const browser = profile(server)
  let arrive: (response: URL) => void = () => {}
  const userAgent: UserAgent = {
    authorize: async (request) => {
      const response = server.answer(await request(redirectUri))
      return new Promise((resolve) => {
        arrive = resolve
        ask(response)
      })
    },
  }
  let ask: (response: URL) => void = () => {}
  const answered = new Promise<URL>((resolve) => (ask = resolve))
  const tab = browser.open('/', { userAgent })
  const signingIn = tab.session.signIn()
  const response = await answered
  const byHand = tab.session.resume(response)
  arrive(response)
  const results = await Promise.allSettled([signingIn, byHand])
  expect(server.tokenRequests()).toHaveLength(1)
  expect(results.map(({ status }) => status)).toContain('fulfilled')
  expect(tab.session.snapshot().status).toBe('signed_in')
})
