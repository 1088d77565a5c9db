import { expect, test } from 'vitest'
import type { UserAgent } from '../../src/core/ports.js'
import { profile } from './profile.js'
import { scriptedServer } from './scripted.js'

const reason = new Error('the user closed the dialog')

test('an abort before a sign-in rejects with its reason, and nothing is asked or kept', async () => {
  const server = await scriptedServer()
  const { open, written } = profile(server)
  const tab = open()
  await expect(tab.session.signIn({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  expect(tab.page.navigations).toEqual([])
  expect(server.wire.received).toEqual([])
  expect(written).toEqual([])
})

test.each<[string, UserAgent]>([
  ['listens to the signal', { authorize: async (request, { signal }) => (await request('https://app.example/callback'), aborted(signal)) }],
  ['is deaf', { authorize: async (request) => (await request('https://app.example/callback'), new Promise(() => {})) }],
])('an abort while the user is away rejects with its reason, whether the user agent %s', async (_, userAgent) => {
  const server = await scriptedServer()
  const browser = profile(server)
  const tab = browser.open('/', { userAgent })
  const abort = new AbortController()
  const signing = tab.session.signIn({ signal: abort.signal })
  await expect.poll(() => browser.written.length).toBe(1)
  expect(tab.session.snapshot().status).toBe('signing_in')
  abort.abort(reason)
  await expect(signing).rejects.toBe(reason)
  expect(tab.said()).toEqual(['sign_in_started', 'sign_in_failed cancelled'])
  expect(tab.session.snapshot().status).not.toBe('signing_in')
})

test('an abort while the request is made ready keeps nothing of it', async () => {
  const server = await scriptedServer()
  const browser = profile(server)
  const abort = new AbortController()
  const userAgent: UserAgent = {
    authorize: async (request) => {
      const made = request('https://app.example/callback')
      abort.abort(reason)
      return made
    },
  }
  const tab = browser.open('/', { userAgent })
  await expect(tab.session.signIn({ signal: abort.signal })).rejects.toBe(reason)
  await new Promise((resolve) => setImmediate(resolve))
  expect(browser.written).toEqual([])
})

test('an abort after the response is there is too late: the code is redeemed and the session is there', async () => {
  const server = await scriptedServer()
  const browser = profile(server)
  const abort = new AbortController()
  const userAgent: UserAgent = { authorize: async (request) => browser.follow(await request('https://app.example/callback')) }
  const tab = browser.open('/', {
    userAgent,
    fetch: (...parameters) => {
      abort.abort(reason)
      return fetch(...parameters)
    },
  })
  await tab.session.signIn({ signal: abort.signal })
  expect(tab.session.snapshot().status).toBe('signed_in')
})

test('an abort before a sign-out leaves the session; one while the server is slow ends the waiting, not the sign-out', async () => {
  const server = await scriptedServer()
  const browser = profile(server)
  const tab = await browser.signIn()
  await expect(tab.session.signOut({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  expect(await browser.open().session.resume()).toBe(true)
  const abort = new AbortController()
  server.wire.on('/revoke', () => abort.abort(reason))
  await expect(tab.session.signOut({ signal: abort.signal })).rejects.toBe(reason)
  expect(await browser.open().session.resume()).toBe(false)
})

function aborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)))
}
