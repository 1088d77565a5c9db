import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { type AppInChromium, startApp } from '../support/app-in-chromium.js'
import type { App } from './pages/app.js'

// A database that is full, is taken away, or holds what nobody here has written.

declare const app: App
declare let full: boolean

let here: AppInChromium
beforeAll(async () => {
  here = await startApp()
})
afterEach(() => here.endOfTest())
afterAll(() => here?.close())

/** Runs ahead of the page: while `full` is true its transactions are aborted, as they are without space. (The browser's own limit cannot be moved in the middle of a test.) */
function fullDisk(): void {
  const { put } = IDBObjectStore.prototype
  Object.assign(globalThis, { full: false })
  IDBObjectStore.prototype.put = function (...parameters: Parameters<typeof put>) {
    const request = put.apply(this, parameters)
    if (full) this.transaction.abort()
    return request
  }
}

const fill = (tab: Page, isFull: boolean) => tab.evaluate((now) => void (full = now), isFull)

async function signedIn(): Promise<Page> {
  const tab = await here.leaveAndReturn(await here.open('/', fullDisk))
  expect(await here.resume(tab)).toBe(true)
  return tab
}

const kinds = (tab: Page) =>
  tab.evaluate(() => app.events.map((event) => event.type).filter((type) => /^(store|renewal|session)_/.test(type)))

test('B16 a disk that fills up in the middle of a session: the token is used, a renewal is told it cannot be, and goes on when there is room', async () => {
  const tab = await signedIn()
  await fill(tab, true)
  expect(await tab.evaluate(() => app.call('/notes'))).toBe(200)
  expect(await tab.evaluate(() => app.outcome(async (session) => session.token({ rejected: await session.token() })))).toBe(
    'store_unavailable',
  )
  expect(here.tokenRequests).toHaveLength(1)
  await fill(tab, false)
  await tab.evaluate(async () => void (await app.session.token({ rejected: await app.session.token() })))
  expect(here.tokenRequests).toHaveLength(2)
  expect(await kinds(tab)).toEqual(['store_failed', 'store_recovered', 'renewal_started', 'renewal_finished'])
})

test('B16 an answer that comes when the disk is full is kept, and stored when there is room: nothing is lost', async () => {
  const tab = await signedIn()
  await tab.route(`${here.server.issuer}/token`, async (route) => {
    const response = await route.fetch()
    await fill(tab, true)
    await route.fulfill({ response })
  })
  await tab.evaluate(() => {
    void app.outcome(async (session) => session.token({ rejected: await session.token() }))
  })
  await tab.waitForFunction(() => app.events.some(({ type }) => type === 'store_failed'))
  await tab.unroute(`${here.server.issuer}/token`)
  await fill(tab, false)
  await tab.waitForFunction(() => app.events.some(({ type }) => type === 'renewal_finished'))
  expect(await kinds(tab)).toEqual(['renewal_started', 'store_failed', 'store_recovered', 'renewal_finished'])
  await tab.reload()
  await here.ready(tab)
  expect(await here.resume(tab)).toBe(true)
  await tab.evaluate(async () => void (await app.session.token({ rejected: await app.session.token() })))
  expect(here.server.counters.reuses).toBe(0)
})

test.each(['another tab', 'the developer tools'])(
  'a database that %s takes away while it is in use: the page shows it at once, sends no token, and a sign-in begins anew',
  async (who) => {
    const tab = await here.signIn('/notes')
    await tab.evaluate(() => void app.session.subscribe(() => {}))
    if (who === 'another tab') await here.forget(await here.open('/other'))
    else {
      const devtools = await here.pages.context().newCDPSession(tab)
      await devtools.send('Storage.clearDataForOrigin', { origin: here.pages.origin, storageTypes: 'indexeddb' })
      await devtools.detach()
    }
    await tab.waitForFunction(() => app.session.snapshot().status === 'signed_out')
    const calls = here.api.log.length
    expect(await tab.evaluate(() => app.outcome(() => app.call('/notes')))).toBe('sign_in_required')
    expect(here.api.log).toHaveLength(calls)
    const again = await here.leaveAndReturn(tab)
    expect(await here.resume(again)).toBe(true)
    expect(await again.evaluate(() => app.call('/notes'))).toBe(200)
  },
)

test('another application that has a database of this name, made otherwise, is left alone: memory takes over, and that is told', async () => {
  const tab = await here.open('/notes')
  await tab.evaluate(
    () =>
      new Promise((resolve) => {
        const open = indexedDB.open('valetkey', 7)
        open.onupgradeneeded = () => open.result.createObjectStore('theirs').put('mail', 'key')
        open.onsuccess = () => resolve(open.result.close())
      }),
  )
  await here.leaveAndReturn(tab)
  expect(await here.resume(tab)).toBe(true)
  expect(await tab.evaluate(() => app.call('/notes'))).toBe(200)
  expect(await kinds(tab)).toEqual(['store_failed'])
  expect(await tab.evaluate(async () => (await indexedDB.databases()).map(({ name, version }) => `${name} ${version}`))).toEqual([
    'valetkey 7',
  ])
})
