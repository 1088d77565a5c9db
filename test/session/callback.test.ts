import { expect, test } from 'vitest'
import { failure } from '../support/sign-in.js'
import { origin, profile } from './profile.js'
import { scriptedServer } from './scripted.js'

test('C12 code, state and iss have left the address before the token request, and the page is where it was', async () => {
  const server = await scriptedServer()
  const { open } = profile(server)
  const response = server.answer(await open('/notes?page=2#top').leave())
  const tab = open(response)
  let atTokenRequest: string | undefined
  server.wire.on('/token', () => (atTokenRequest = tab.page.address()?.href))
  void tab.session.resume().catch(() => {})
  await expect.poll(() => atTokenRequest).toBe(`${origin}/callback`)
})
