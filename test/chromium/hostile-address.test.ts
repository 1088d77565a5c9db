import type { Frame, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { type AppInChromium, startApp } from '../support/app-in-chromium.js'
import { expectReadmeSays } from '../support/readme.js'
import type { App } from './pages/app.js'

// Addresses that were not asked for, pages that are framed by others, and documents that are in the script's way.

declare const app: App

let here: AppInChromium
beforeAll(async () => {
  here = await startApp()
})
afterEach(() => here.endOfTest())
afterAll(() => here?.close())

/** A page of another site, with this in it. */
async function elsewhere(html: string): Promise<Page> {
  const tab = await here.pages.context().newPage()
  here.documents.set('/elsewhere', { html: `<!doctype html><meta charset="utf-8">${html}`, policy: false })
  await tab.goto(`${here.pages.origin.replace('127.0.0.1', 'localhost')}/elsewhere`)
  return tab
}

async function framed(tab: Page): Promise<Frame> {
  const frame = await (await tab.waitForSelector('iframe')).contentFrame()
  if (frame === null) throw new Error('There is no frame.')
  await frame.waitForFunction(() => typeof app === 'object' && 'session' in app)
  return frame
}

const resumed = (frame: Frame) => frame.evaluate(() => app.outcome((session) => session.resume()))

test.for([
  ['without state', 'code=of-the-attacker'],
  ['with a state that was guessed', 'code=of-the-attacker&state=AAAAAAAAAAAAAAAAAAAAAA'],
  ['with an error', 'error=access_denied&error_description=%3Cimg%20src=x%3E&state=AAAAAAAAAAAAAAAAAAAAAA'],
])('attack 1 10 a link to the callback %s signs nobody in, says nothing to the user, and sends nothing', async ([, query]) => {
  const waiting = await here.leaveAndReturn(await here.open('/notes'))
  const tab = await here.open(`/callback?${query}`)
  expect(await here.resume(tab)).toBe(false)
  expect(await tab.evaluate(() => document.body.innerHTML)).not.toContain('img')
  expect(here.tokenRequests).toEqual([])
  // The sign-in that the user began is not spent by it.
  expect(await here.resume(waiting)).toBe(true)
})

test('attack 13 after the response its code is still in the entry of the navigation, spent', async () => {
  const tab = await here.leaveAndReturn(await here.open('/notes'))
  const code = new URL(tab.url()).searchParams.get('code') ?? 'none'
  expect(await here.resume(tab)).toBe(true)
  const [entry] = await tab.evaluate(() => performance.getEntriesByType('navigation').map(({ name }) => name))
  expect(entry).toContain(code)
  expectReadmeSays(
    "**After the response, the code is still in `performance.getEntriesByType('navigation')`.** It has been used by then and is worthless without the verifier.",
  )
})

test('attack 16 a callback in the frame of a stranger, with a response of the stranger, sends nothing and tells nothing', async () => {
  const waiting = await here.leaveAndReturn(await here.open('/notes'))
  const tab = await elsewhere(
    `<script>window.heard = []; addEventListener('message', ({ data }) => heard.push(data))</script>
     <iframe src="${here.pages.origin}/callback?code=of-the-attacker&state=AAAAAAAAAAAAAAAAAAAAAA"></iframe>`,
  )
  const frame = await framed(tab)
  expect(await resumed(frame)).toBe(false)
  // The page of the tests says itself what became of it; the library says nothing.
  const heard = await tab.evaluate(() => (globalThis as unknown as { heard: unknown[] }).heard)
  expect(heard).toEqual(['resumed: authorization_response_invalid'])
  expect(here.tokenRequests).toEqual([])
  expect(await here.resume(waiting)).toBe(true)
})

test('attack 92 in a frame that shares no storage with the site there is no session, and no failure', async () => {
  await here.signIn()
  const tab = await elsewhere(`<iframe credentialless src="${here.pages.origin}/notes"></iframe>`)
  const frame = await framed(tab)
  // Chromium gives such a frame no database at all.
  expect(await frame.evaluate(() => indexedDB.databases().catch(({ name }: Error) => name))).toBe('UnknownError')
  expect(await resumed(frame)).toBe(false)
  expect(await frame.evaluate(() => app.session.snapshot().status)).toBe('signed_out')
  expect(await frame.evaluate(() => app.outcome((session) => session.token()))).toBe('sign_in_required')
  expect(await frame.evaluate(() => app.events.map(({ type }) => type))).toEqual(['store_failed'])
})

test('attack 48 49 elements that are named as what a script reads, and a strict policy, stand in no way: sign-in, call, renewal, sign-out', async () => {
  const names = [
    'baseURI',
    'location',
    'cookie',
    'session',
    'oauthConfig',
    'valetkey',
    'crypto',
    'indexedDB',
    'fetch',
    'visibilityState',
    'prerendering',
  ]
  const forms = names.map((name) => `<form name="${name}"><input name="href"><input name="then"></form>`).join('')
  here.documents.set('/clobbered', { html: here.html.replace('<script', `${forms}<script`), policy: true })
  const tab = await here.leaveAndReturn(await here.open('/clobbered'), { returnTo: '/clobbered' })
  expect(await here.resume(tab)).toBe(true)
  expect(new URL(tab.url()).pathname).toBe('/clobbered')
  expect(await tab.evaluate(() => typeof document.baseURI)).toBe('string')
  expect(await tab.evaluate(() => app.call('/notes'))).toBe(200)
  await tab.evaluate(async () => app.session.token({ rejected: await app.session.token() }))
  expect(await tab.evaluate(() => app.outcome((session) => session.signOut()))).toMatchObject({ refreshToken: 'revoked' })
  expect(here.evidence.violations).toEqual([])
})
