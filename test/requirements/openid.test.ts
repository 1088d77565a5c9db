import { expect, test } from 'vitest'
import * as valetkey from '../../src/node/index.js'
import { oauthFetch } from '../../src/oauth-fetch.js'
import { json } from '../support/fault-server.js'
import { profile } from '../session/profile.js'
import { scriptedServer } from '../session/scripted.js'

// The rows of OpenID Connect that are about what valetkey does not do.

test('O18 O19 there is no call of UserInfo: oauthFetch carries the token there, in the header, once the program names it; whose it is the claims say', async () => {
  expect(Object.keys(valetkey).filter((name) => /user_?info/i.test(name))).toEqual([])
  const server = await scriptedServer()
  const { session } = await profile(server).signIn()
  const address = `${server.wire.origin}/userinfo`
  server.wire.on('/userinfo', json({ sub: 'eve' }))
  const api = oauthFetch(session, { resources: [address] })
  const said = (await (await api(address)).json()) as { sub: string }
  const [asked] = server.wire.to('/userinfo')
  expect([asked?.headers.authorization, asked?.path]).toEqual([`Bearer ${(await session.token()).reveal()}`, '/userinfo'])
  // The comparison is the program's, for the answer is an answer like any other (OpenID Connect Core 5.3.2).
  expect(said.sub === session.snapshot().idTokenClaims?.sub).toBe(false)
})

test('O21 the ID token is no token of an API: it is in no request but as the hint of a sign-out', async () => {
  const server = await scriptedServer()
  const browser = profile(server)
  const tab = await browser.signIn()
  server.wire.on('/api', json({}))
  const api = oauthFetch(tab.session, { resources: [`${server.wire.origin}/api`] })
  await api(`${server.wire.origin}/api`)
  await tab.session.token({ rejected: await tab.session.token() })
  await api(`${server.wire.origin}/api`)
  await tab.session.signOut({ atAuthorizationServer: true })
  const idTokens = server.issued().filter((text) => text.startsWith('ey'))
  expect(idTokens).toHaveLength(2)
  const sent = server.wire.received.map(({ path, headers, body }) => JSON.stringify([path, headers, body]))
  expect(sent.length).toBeGreaterThan(4)
  for (const text of idTokens) expect(sent.filter((request) => request.includes(text))).toEqual([])
  expect(new URL(tab.page.navigations[0] ?? '').searchParams.get('id_token_hint')).toBe(idTokens[1])
})
