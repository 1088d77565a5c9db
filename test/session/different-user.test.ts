import { expect, test } from 'vitest'
import { profile } from './profile.js'
import { scriptedServer } from './scripted.js'

test('another user who signs in during a session is refused: the session is as it was, and the other’s tokens are revoked', async () => {
  const server = await scriptedServer()
  const browser = profile(server)
  const tab = await browser.signIn()
  const [token, before] = [(await tab.session.token()).reveal(), tab.session.snapshot()]
  server.user = 'eve'
  const others = browser.open(server.answer(await browser.open().leave({ scope: ['mail:send'] })))
  await expect(others.session.resume()).rejects.toMatchObject({ code: 'different_user' })
  expect(others.said()).toEqual(['sign_in_failed different_user'])
  expect((await tab.session.token()).reveal()).toBe(token)
  expect(tab.session.snapshot()).toBe(before)
  expect(await others.session.resume()).toBe(true)
  // The code, and then what came for it: the refresh token first.
  const issuedToEve = server
    .issued()
    .filter((text) => /^(access|refresh)-/.test(text))
    .slice(-2)
  await expect.poll(() => server.revoked().length).toBe(2)
  expect(new Set(server.revoked())).toEqual(new Set(issuedToEve))
  expect(server.revoked()[0]).toMatch(/^refresh-/)
})

test('the same user who signs in during a session replaces it', async () => {
  const server = await scriptedServer()
  const browser = profile(server)
  const tab = await browser.signIn()
  const token = (await tab.session.token()).reveal()
  await browser.signIn({ scope: ['mail:send'] })
  const after = await tab.session.token()
  expect(after.reveal()).not.toBe(token)
  expect(tab.session.snapshot().grantedScope).toEqual(['openid', 'notes:read', 'mail:send'])
  expect(server.revoked()).toEqual([])
})

test('a call that began in one session is not repeated with the token of the next', async () => {
  const server = await scriptedServer()
  const browser = profile(server)
  const tab = await browser.signIn()
  const rejected = await tab.session.token()
  await tab.session.signOut()
  server.user = 'eve'
  await browser.signIn()
  await expect(tab.session.token({ rejected })).rejects.toMatchObject({ code: 'session_changed' })
  expect((await tab.session.token()).reveal()).not.toBe(rejected.reveal())
})

test('after a sign-out another user may sign in', async () => {
  const server = await scriptedServer()
  const browser = profile(server)
  const tab = await browser.signIn()
  await tab.session.signOut()
  server.user = 'eve'
  const others = await browser.signIn()
  expect(others.session.snapshot().idTokenClaims?.sub).toBe('eve')
  await tab.session.token()
  expect(tab.session.snapshot().idTokenClaims?.sub).toBe('eve')
})
