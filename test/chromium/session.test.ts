import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { type AppInChromium, startApp } from '../support/app-in-chromium.js'
import { sweep } from '../support/sweep.js'
import type { App } from './pages/app.js'

// What a session keeps and tells in real Chromium, against oidc-provider. Every test ends with the sweep.

declare const app: App

let here: AppInChromium
beforeAll(async () => {
  here = await startApp()
})
afterEach(() => here.endOfTest())
afterAll(() => here?.close())

test('B2 F18 document.cookie, localStorage and sessionStorage stay empty, and a reload has the session', async () => {
  const tab = await here.signIn()
  expect(await tab.evaluate(() => app.call('/notes'))).toBe(200)
  expect(await tab.evaluate(() => [document.cookie, localStorage.length, sessionStorage.length])).toEqual(['', 0, 0])
  await tab.reload()
  await here.ready(tab)
  expect(await here.resume(tab)).toBe(true)
  expect(await tab.evaluate(() => document.cookie)).toBe('')
  expect(here.api.log.some(({ cookies }) => cookies)).toBe(false)
})

test('B6 the database, its entries and the locks are named after this library, the issuer and the client', async () => {
  const tab = await here.signIn()
  await tab.evaluate(async () => app.session.token({ rejected: await app.session.token() }))
  const names = JSON.stringify(await here.evidence.places())
  const key = ['valetkey', 'session', here.server.issuer, 'page', ''].map(encodeURIComponent).join(':')
  expect(await tab.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name))).toEqual(['valetkey'])
  expect(names).toContain(`record ${key}`)
  expect(names).toContain(JSON.stringify({ lock: `valetkey ${key}` }))
})

test('B17 a renewal and a sign-out are told to the other tabs without a token: they look for themselves', async () => {
  const tab = await here.signIn()
  const other = await here.open()
  await other.evaluate(() => void app.session.subscribe(() => {}))
  expect(await here.resume(other)).toBe(true)
  await tab.evaluate(async () => app.session.token({ rejected: await app.session.token() }))
  const token = await tab.evaluate(async () => (await app.session.token()).reveal())
  expect(await other.evaluate(async () => (await app.session.token()).reveal())).toBe(token)
  expect(await tab.evaluate(() => app.outcome((session) => session.signOut()))).toMatchObject({
    refreshToken: 'revoked',
    accessTokens: 'revoked',
  })
  await other.waitForFunction(() => app.session.snapshot().status === 'signed_out')
  expect(await other.evaluate(() => app.session.snapshot().ended)).toBe('signed_out')
  expect(await other.evaluate(() => app.outcome((session) => session.token()))).toBe('sign_in_required')
  const heard = JSON.stringify((await here.evidence.places())['broadcasts, messages, lock names and storage events'])
  expect(heard).toContain('broadcast')
  expect(sweep([token], { heard })).toEqual([])
})

test('a new tab has the session without asking anyone', async () => {
  await here.signIn()
  const before = here.server.log.length
  const tab = await here.open('/other')
  expect(await tab.evaluate(() => app.session.snapshot().status)).toBe('unknown')
  expect(await here.resume(tab)).toBe(true)
  expect(await tab.evaluate(() => app.call('/notes'))).toBe(200)
  expect(here.server.log.slice(before).filter(({ path }) => !path.includes('introspection'))).toEqual([])
})

test('O22 a sign-out at the authorization server comes back, is known by its state, and leaves a clean address', async () => {
  const tab = await here.signIn()
  await tab.evaluate(() => void app.outcome((session) => session.signOut({ atAuthorizationServer: true, returnTo: '/bye' })))
  await tab.waitForURL((url) => url.pathname === '/bye')
  await here.ready(tab)
  expect(new URL(tab.url()).searchParams.has('state')).toBe(true)
  expect(await here.resume(tab)).toBe(false)
  expect(tab.url()).toBe(`${here.pages.origin}/bye`)
})

test('R10 B2 on the disk no token and no verifier can be read', async () => {
  const before = new Set(here.server.issued())
  const tab = await here.signIn()
  await tab.evaluate(async () => app.session.token({ rejected: await app.session.token() }))
  expect(await tab.evaluate(() => app.call('/notes'))).toBe(200)
  // The code is there, for the browser keeps addresses; it is spent.
  const lasting = here.server.issued().filter((text) => !before.has(text) && !here.codes.has(text))
  expect(lasting.length).toBeGreaterThan(4)
  await tab.close()
  const files = await readdir(here.pages.profile, { recursive: true, withFileTypes: true })
  const texts = await Promise.all(
    files
      .filter((file) => file.isFile())
      .map(async (file) => [file.name, await readFile(join(file.parentPath, file.name), 'latin1').catch(() => '')] as const),
  )
  const database = texts.filter(([name, text]) => name.endsWith('.log') && text.includes('valetkey'))
  expect(database.length).toBeGreaterThan(0)
  expect(lasting.flatMap((text) => texts.filter(([, content]) => content.includes(text)).map(([name]) => name))).toEqual([])
})
