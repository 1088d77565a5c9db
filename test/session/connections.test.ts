import { expect, test } from 'vitest'
import { origin, profile } from './profile.js'
import { scriptedServer } from './scripted.js'

// Several connections of one client at one server, as a page with two of the user's accounts has them: what one of them asked for cannot end in
// the other (draft-ietf-oauth-security-topics-update section 2.2.2).

const work = { account: 'work', redirectUri: `${origin}/callback/work` }
const home = { account: 'home', redirectUri: `${origin}/callback/home` }

/** The same response at another address. */
function at(response: URL, redirectUri: string): URL {
  return new URL(`${redirectUri}${response.search}`)
}

test('A21 each connection has a redirect URI of its own, and the callback of one completes nothing of the other', async () => {
  const server = await scriptedServer()
  const browser = profile(server)
  const response = server.answer(await browser.open('/', work).leave())
  expect(response.href.startsWith(work.redirectUri)).toBe(true)
  // Where the other’s response goes, and where its own goes: it is taken at neither.
  for (const address of [at(response, home.redirectUri), response])
    await expect(browser.open('/', home).session.resume(address)).rejects.toMatchObject({ code: 'authorization_response_invalid' })
  // Nor does its own session take it from there.
  await expect(browser.open('/', work).session.resume(at(response, home.redirectUri))).rejects.toMatchObject({
    code: 'authorization_response_invalid',
  })
  expect(server.tokenRequests()).toEqual([])
  // In one page that is at the callback: each looks at the address, and one takes it.
  const tab = browser.open(response, work)
  const other = browser.open('/', { ...home, place: tab.page })
  expect([await other.session.resume(), await tab.session.resume()]).toEqual([false, true])
  expect(server.tokenRequests()).toHaveLength(1)
  expect(await browser.open('/', home).session.resume()).toBe(false)
})

test('A21 with one redirect URI for both, the response is still only that connection’s which asked', async () => {
  const server = await scriptedServer()
  const browser = profile(server)
  const response = server.answer(await browser.open('/', { account: 'work' }).leave())
  await expect(browser.open('/', { account: 'home' }).session.resume(response)).rejects.toMatchObject({
    code: 'authorization_response_invalid',
  })
  const tab = browser.open(response, { account: 'work' })
  expect(await browser.open('/', { account: 'home', place: tab.page }).session.resume()).toBe(false)
  expect(server.tokenRequests()).toEqual([])
  expect(await tab.session.resume()).toBe(true)
  expect(await browser.open('/', { account: 'home' }).session.resume()).toBe(false)
})

test('M8 what one authorization server has issued stays with it: a session of another issuer finds none of it, and asks that server for nothing', async () => {
  const [one, other] = [await scriptedServer(), await scriptedServer()]
  const browser = profile(one)
  await browser.signIn()
  // The same client identifier, the same store, another issuer: as when a resource names another authorization server than before.
  const elsewhere = browser.open('/', { server: other })
  expect(await elsewhere.session.resume()).toBe(false)
  await expect(elsewhere.session.token()).rejects.toMatchObject({ code: 'sign_in_required' })
  expect(other.wire.received).toEqual([])
  expect(await browser.open().session.resume()).toBe(true)
})
