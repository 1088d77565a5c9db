import { expect, test } from 'vitest'
import { profile, redirectUri } from './profile.js'
import { scriptedServer } from './scripted.js'

test.each<[string, (response: URL) => Promise<URL | undefined>]>([
  ['takes up its address', async () => undefined],
  ['hands its address in', async (response) => response],
])(
  'attack 16 inside a frame of another origin a callback that %s is refused: nothing is sent or used up, and the code leaves the address',
  async (_, handIn) => {
    const server = await scriptedServer()
    const browser = profile(server)
    const response = server.answer(await browser.open('/notes').leave())
    const before = browser.written.length
    const tab = browser.open(response)
    tab.page.frame()
    await expect(tab.session.resume(await handIn(response))).rejects.toMatchObject({ code: 'authorization_response_invalid' })
    expect(tab.said()).toEqual(['sign_in_failed authorization_response_invalid'])
    expect(tab.page.replaced).toEqual([redirectUri])
    expect(browser.written.length).toBe(before)
    expect(server.wire.received).toEqual([])
    expect(await browser.open(response).session.resume()).toBe(true)
  },
)

test('a page in a frame of another origin that is no callback resumes what is stored', async () => {
  const server = await scriptedServer()
  const browser = profile(server)
  await browser.signIn()
  const tab = browser.open('/widget?state=open')
  tab.page.frame()
  expect(await tab.session.resume()).toBe(true)
  expect(tab.said()).toEqual([])
})
