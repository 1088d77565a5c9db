import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { type Browser, type Page, type Request, chromium } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { findBrowser, launchArgs } from '../set-up/browser.mjs'

const demos = new Set<ChildProcess>()
let address: string
let browser: Browser

/** A demo of its own; its address. */
async function startDemo(...flags: readonly string[]): Promise<string> {
  const script = fileURLToPath(new URL('../../demo/start.mjs', import.meta.url))
  const demo = spawn(process.execPath, [script, ...flags], { env: { ...process.env, PORT: '' } })
  demos.add(demo)
  const [chunk] = (await once(demo.stdout, 'data')) as [Buffer]
  return /^Demo ready: (\S+)$/m.exec(chunk.toString())?.[1] ?? ''
}

beforeAll(async () => {
  address = await startDemo()
  browser = await chromium.launch({ executablePath: await findBrowser(), args: launchArgs })
})

afterAll(async () => {
  await browser?.close()
  for (const demo of demos) demo.kill('SIGKILL')
})

/** Collects what must not be seen anywhere on the page, and what must not happen. */
function watch(page: Page): { readonly secrets: Set<string>; readonly faults: string[] } {
  const secrets = new Set<string>()
  const faults: string[] = []
  const keep = (secret: string | null | undefined) => void (secret && secrets.add(secret))
  page.on('request', (request: Request) => {
    keep(request.headers()['authorization']?.replace(/^(Bearer|DPoP) /, ''))
    keep(request.headers()['dpop'])
    if (!request.url().endsWith('/token')) return
    const form = new URLSearchParams(request.postData() ?? '')
    for (const name of ['code', 'code_verifier', 'refresh_token']) keep(form.get(name))
  })
  page.on('response', (response) => {
    // Of an answer whose page is gone there is nothing to be read.
    if (response.url().endsWith('/token'))
      void response.json().then(
        ({ access_token: token }: { access_token?: string }) => keep(token),
        () => {},
      )
  })
  page.on('pageerror', (error) => faults.push(String(error)))
  page.on('console', (message) => {
    // That an answer was a 401, 403 or 503 is what the demo is about.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) faults.push(message.text())
  })
  return { secrets, faults }
}

/** Nothing of it is to be seen, or kept where it can be read. */
async function expectNothingSeen(page: Page, secrets: ReadonlySet<string>): Promise<void> {
  const seen = await page.evaluate(() =>
    [document.documentElement.outerHTML, localStorage, sessionStorage].map((part) => JSON.stringify(part)).join(),
  )
  expect(secrets.size).toBeGreaterThan(6)
  for (const secret of secrets) expect(seen).not.toContain(secret)
}

const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name })
const result = (page: Page, label: string, outcome: string) =>
  page.locator('#result p', { hasText: label }).filter({ hasText: outcome }).waitFor()
const cell = (page: Page, place: string, row: string, column: number) =>
  page
    .locator(`${place} tbody tr`)
    .filter({ has: page.getByRole('rowheader', { name: row, exact: true }) })
    .locator('td')
    .nth(column)
const answered = (page: Page, place: string, row: string, column: number, words: string | RegExp) =>
  cell(page, place, row, column).filter({ hasText: words }).waitFor()
const journal = (page: Page, words: string | RegExp) => page.locator('#journal li', { hasText: words }).first().waitFor()

test('a newcomer walks through the demo, and sees no token', async () => {
  const context = await browser.newContext()
  const page = await context.newPage()
  const { secrets, faults } = watch(page)
  await page.goto(address)

  // Consent to a part.
  await button(page, 'Sign in').click()
  await button(page, 'Ada').click()
  await page.getByLabel('Write notes').uncheck()
  await button(page, 'Allow selected').click()
  await page.locator('#who', { hasText: 'Ada' }).waitFor()
  expect(page.url()).toBe(`${address}/`)
  expect(await page.locator('.granted li', { hasText: 'notes:write' }).innerText()).toContain('not granted')
  expect(await page.locator('.granted li', { hasText: 'notes:read' }).innerText()).not.toContain('not granted')

  // Both APIs, and one call that is not allowed.
  await button(page, 'Read notes').click()
  await result(page, 'Read notes', '200')
  await button(page, 'Read mail').click()
  await result(page, 'Read mail', '200')
  await button(page, 'Ten at once').click()
  await result(page, 'Ten at once', '10 × 200')
  for (const life of [/Notes\s*\d+ s/, /Mail\s*\d+ s/]) await page.locator('#tokens li', { hasText: life }).waitFor()
  expect(await page.locator('#tokens li').count()).toBe(2)
  await button(page, 'Write a note').click()
  await result(page, 'Write a note', '403')

  // Trouble: a refused token is renewed once, a dead token endpoint ends nothing, and neither does being offline.
  await button(page, 'Refuse this token').click()
  await button(page, 'Read mail').click()
  await journal(page, 'The API refused the token')
  await result(page, 'Read mail', '200')
  await page.getByLabel('Stop the token endpoint').check()
  await button(page, 'Expire the tokens now').click()
  await journal(page, 'Got no new token: server_unavailable')
  await button(page, 'Read notes').click()
  await result(page, 'Read notes', '200')
  await page.getByLabel('Stop the token endpoint').uncheck()
  await page.getByLabel('Take this tab off the network').check()
  await button(page, 'Read mail').click()
  await result(page, 'Read mail', 'network')
  await page.getByLabel('Take this tab off the network').uncheck()

  // A second tab has the same session, and the first hears what it does.
  const [second] = await Promise.all([context.waitForEvent('page'), button(page, 'Open a second tab').click()])
  await second.locator('#who', { hasText: 'Ada' }).waitFor()
  await button(second, 'Read notes').click()
  await page.locator('#journal li', { hasText: 'B' }).filter({ hasText: 'Read notes: 200' }).waitFor()
  await page.bringToFront()
  await page.locator('.lanes .lane', { hasText: 'Tab B' }).waitFor()
  expect(await page.locator('#seen div', { hasText: 'used twice' }).innerText()).toContain('0')

  // What the API asked for, asked for.
  await expectNothingSeen(page, secrets)
  await button(page, 'Ask for the rest').click()
  await button(page, 'Allow selected').click()
  await page.locator('.granted li', { hasText: 'notes:write' }).filter({ hasNotText: 'not granted' }).waitFor()

  await expectNothingSeen(page, secrets)
  await button(page, /^Sign out$/).click()
  await page.locator('#who', { hasText: 'Signed out' }).waitFor()
  await second.locator('#who', { hasText: 'Signed out' }).waitFor()
  expect(faults).toEqual([])
  await context.close()
})

async function signIn(page: Page): Promise<void> {
  await button(page, 'Sign in').click()
  await button(page, 'Ada').click()
  await button(page, 'Allow selected').click()
  await page.locator('#who', { hasText: 'Ada' }).waitFor()
}

test('a token that was revoked at the server is refused at once by the API that asks, and when it expires by the one that checks signatures: side by side', async () => {
  const context = await browser.newContext()
  const page = await context.newPage()
  const { secrets, faults } = watch(page)
  await page.goto(await startDemo('--token-seconds', '5'))
  await signIn(page)
  await button(page, 'Revoke both tokens').click()
  for (const column of [0, 1]) await answered(page, '#revoked', 'Before', column, '200 accepted')
  await answered(page, '#revoked', 'Revoked', 0, '401 refused')
  await answered(page, '#revoked', 'Revoked', 1, '200 accepted')
  await answered(page, '#revoked', 'Expired', 1, /^in \d s$/)
  for (const column of [0, 1]) await answered(page, '#revoked', 'Expired', column, '401 refused')
  expect(await page.locator('#revoked thead').innerText()).toMatch(/Notes\s+Random strings.*Mail\s+Signed JWTs/s)

  // Only those two tokens are gone.
  for (const label of ['Read notes', 'Read mail']) {
    await button(page, label).click()
    await result(page, label, '200')
  }
  await expectNothingSeen(page, secrets)
  expect(faults).toEqual([])
  await context.close()
})

test('a copy of a Bearer token opens what the token opens, and one of a token that is bound to the browser opens nothing: side by side, in all tabs', async () => {
  const context = await browser.newContext()
  const page = await context.newPage()
  const other = await context.newPage()
  const { secrets, faults } = watch(page)
  await page.goto(address)
  await other.goto(address)
  // A page behind another draws nothing, and what does not come to rest is not clicked.
  await page.bringToFront()
  await signIn(page)
  await page.locator('.kind', { hasText: 'bearer' }).waitFor()
  await button(page, 'Send a copy').click()
  for (const row of ['Token', 'Whole call']) await answered(page, '#copied', row, 0, '200 accepted')
  await answered(page, '#copied', 'Token', 1, '–')
  await button(page, /^Sign out$/).click()

  // The authorization server still knows Ada, and asks for the consent that the sign-out took back.
  await page.getByLabel('Bind the tokens to this browser').check()
  await button(page, 'Sign in').click()
  await button(page, 'Allow selected').click()
  for (const tab of [page, other]) {
    await tab.bringToFront()
    await tab.locator('#who', { hasText: 'Ada' }).waitFor()
    await tab.locator('.kind', { hasText: 'bound' }).waitFor()
    for (const label of ['Read notes', 'Read mail']) {
      await button(tab, label).click()
      await result(tab, label, '200')
    }
  }
  await page.bringToFront()
  await button(page, 'Send a copy').click()
  for (const row of ['Token', 'Whole call']) {
    await answered(page, '#copied', row, 0, '200 accepted')
    await answered(page, '#copied', row, 1, '401 refused')
  }
  // Bound tokens are renewed as others are.
  await button(page, 'Expire the tokens now').click()
  await journal(page, 'Got a new token')
  await button(page, 'Read notes').click()
  await result(page, 'Read notes', '200')
  await expectNothingSeen(page, secrets)
  expect(faults).toEqual([])
  await context.close()
})

test('who allows nothing is told so', async () => {
  const context = await browser.newContext()
  const page = await context.newPage()
  await page.goto(address)
  await button(page, 'Sign in').click()
  await button(page, /^Back to/).click()
  await page.getByRole('alert').filter({ hasText: 'access_denied' }).waitFor()
  await context.close()
})

test.for([
  { name: 'a phone', width: 390 },
  { name: 'a narrow phone', width: 320 },
  { name: 'a tablet', width: 768 },
])('the page fits $name', async ({ width }) => {
  const context = await browser.newContext({ viewport: { width, height: 800 } })
  const page = await context.newPage()
  await page.goto(address)
  await button(page, 'Sign in').waitFor()
  const widest = () => page.evaluate(() => document.documentElement.scrollWidth)
  expect(await widest()).toBe(width)
  await signIn(page)
  await button(page, 'Send a copy').click()
  await answered(page, '#copied', 'Whole call', 0, '200 accepted')
  expect(await widest()).toBe(width)
  await context.close()
})
