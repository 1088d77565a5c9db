import { expect, test, vi } from 'vitest'
import type { UserAgent } from '../../src/core/ports.js'
import { memoryStore } from '../../src/stores/memory.js'
import { origin, profile, redirectUri } from './profile.js'
import { scriptedServer } from './scripted.js'

// A window that a page waits for, and the page: who takes a response up.

test('a response that was handed over is not this page’s any more: its code leaves the address, and resume() does not settle', async () => {
  const server = await scriptedServer()
  const browser = profile(server)
  const response = server.answer(await browser.open('/notes').leave())
  const handOver = vi.fn(() => new Promise<void>(() => {}))
  const tab = browser.open(response, { handOver })
  const settled = vi.fn()
  for (const call of [tab.session.resume(), tab.session.resume()]) call.then(settled, settled)
  await vi.waitUntil(() => handOver.mock.calls.length > 0)
  await new Promise((resolve) => setImmediate(resolve))
  expect(handOver.mock.calls).toEqual([[response, response.searchParams.get('state'), true]])
  expect(tab.page.replaced).toEqual([redirectUri])
  expect(settled).not.toHaveBeenCalled()
  expect(tab.said()).toEqual([])
  expect(server.wire.received).toEqual([])
  expect(await browser.open(response).session.resume()).toBe(true)
})

test.each<[string, () => Promise<void>]>([
  ['nobody takes', async () => {}],
  ['cannot be handed over', () => Promise.reject(new Error('no such thing here'))],
])('a response that %s is taken up as a redirect’s', async (_, handOver) => {
  const server = await scriptedServer()
  const browser = profile(server)
  const tab = browser.open(server.answer(await browser.open('/notes').leave()), { handOver })
  expect(await tab.session.resume()).toBe(true)
  expect(tab.page.address()?.pathname).toBe('/notes')
  expect(server.tokenRequests()).toHaveLength(1)
})

test('a response that is not known here is offered as such, and reported where nobody takes it', async () => {
  const server = await scriptedServer()
  const response = server.answer(await profile(server).open().leave())
  const handOver = vi.fn(async () => {})
  const tab = profile(server).open(response, { handOver })
  expect(await tab.session.resume()).toBe(false)
  expect(handOver.mock.calls).toEqual([[response, response.searchParams.get('state'), false]])
  expect(tab.said()).toEqual(['sign_in_failed authorization_response_invalid'])
})

test('C3 what is no response of this session is offered to nobody: another account’s, one with two states, the return from a sign-out', async () => {
  const server = await scriptedServer()
  const browser = profile(server)
  const handOver = vi.fn(async () => {})
  const response = server.answer(await browser.open().leave())
  // Another account's response stays in the address, for that account.
  response.searchParams.set('code', 'of-another')
  await browser.open(response, { handOver, account: 'other' }).session.resume()
  response.searchParams.append('state', 'again')
  await browser.open(response, { handOver }).session.resume()
  const tab = await browser.signIn()
  await tab.session.signOut({ atAuthorizationServer: true, returnTo: '/callback' })
  const back = new URL(redirectUri)
  back.searchParams.set('state', new URL(tab.page.navigations.at(-1) ?? '').searchParams.get('state') ?? '')
  back.searchParams.set('code', 'of-nobody')
  await browser.open(back, { handOver }).session.resume()
  expect(handOver).not.toHaveBeenCalled()
})

/** Asks, and comes back with the answer, as a window does. */
const window = (browser: { follow(request: URL): Promise<URL> }): UserAgent => ({
  authorize: async (request) => browser.follow(await request(redirectUri)),
})

test('a user agent is called before anything is waited for, so that a window may still open', async () => {
  const browser = profile(await scriptedServer(), { store: memoryStore() })
  const authorize = vi.fn(() => Promise.reject(new Error('enough')))
  const signing = browser.open('/', { userAgent: { authorize } }).session.signIn()
  expect(authorize).toHaveBeenCalledOnce()
  await expect(signing).rejects.toThrow('enough')
})

test('after a sign-in in a window the page goes where it was asked to, and else stays where it is', async () => {
  const browser = profile(await scriptedServer())
  const tab = browser.open('/notes', { userAgent: window(browser) })
  await tab.session.signIn({ returnTo: '/mail' })
  expect(tab.page.replaced).toEqual([`${origin}/mail`])
  const other = browser.open('/notes', { userAgent: window(browser) })
  await other.session.signIn()
  expect(other.page.replaced).toEqual([])
})
