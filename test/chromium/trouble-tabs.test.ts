import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { type AppInChromium, startApp } from '../support/app-in-chromium.js'
import type { App } from './pages/app.js'

// Several tabs of one session, and messages that nobody of them sent.

declare const app: App & { shown: string[]; reads: number }

let here: AppInChromium
beforeAll(async () => {
  here = await startApp()
})
afterEach(() => here.endOfTest())
afterAll(() => here?.close())

/** A tab that keeps what its subscriber was shown, and how often the database was read. */
async function listening(path: string): Promise<Page> {
  const tab = await here.open(path)
  await tab.evaluate(async () => {
    const { get } = IDBObjectStore.prototype
    Object.assign(app, { shown: [], reads: 0 })
    IDBObjectStore.prototype.get = function (key) {
      app.reads += 1
      return get.call(this, key)
    }
    await app.session.resume()
    app.session.subscribe(() => {
      const { status, idTokenClaims, ended } = app.session.snapshot()
      app.shown.push([status, idTokenClaims?.sub ?? ended].join(' '))
    })
  })
  return tab
}

const shownIn = (tabs: readonly Page[]) => Promise.all(tabs.map((tab) => tab.evaluate(() => app.shown)))

test('sign-in, end of session and change of user reach every tab once each', async () => {
  const tabs = [await listening('/1'), await listening('/2'), await listening('/3')]
  const first = await here.signIn()
  await expect.poll(() => shownIn(tabs)).toEqual(tabs.map(() => ['signed_in ann']))
  here.server.revokeGrants()
  expect(await first.evaluate(() => app.outcome(async (session) => session.token({ rejected: await session.token() })))).toBe(
    'sign_in_required',
  )
  await expect.poll(() => shownIn(tabs)).toEqual(tabs.map(() => ['signed_in ann', 'signed_out invalid_grant']))
  here.server.automatic = { account: 'bob' }
  await here.pages.context().clearCookies()
  const next = await here.signIn()
  await next.evaluate(() => app.session.signOut())
  const all = ['signed_in ann', 'signed_out invalid_grant', 'signed_in bob', 'signed_out signed_out']
  await expect.poll(() => shownIn(tabs)).toEqual(tabs.map(() => all))
  // What a tab that comes later is told is told after anything that could still be on its way.
  const last = await listening('/4')
  await here.signIn()
  await expect.poll(() => shownIn([last])).toEqual([['signed_in bob']])
  expect(await shownIn(tabs)).toEqual(tabs.map(() => [...all, 'signed_in bob']))
  expect(here.evidence.console.splice(0)).toEqual([expect.stringContaining('status of 400')])
})

test('attack 43 a flood of forged messages changes nothing, asks nobody, and has the database read a few times', async () => {
  const tab = await here.signIn()
  const victim = await listening('/victim')
  expect(await victim.evaluate(() => app.call('/notes'))).toBe(200)
  const asked = here.server.log.length
  const key = ['valetkey', 'session', here.server.issuer, 'page', ''].map(encodeURIComponent).join(':')
  await tab.evaluate((name) => {
    const channel = new BroadcastChannel('valetkey valetkey')
    for (let count = 0; count < 300; count += 1) {
      channel.postMessage(name)
      channel.postMessage({ type: 'signed_out', accessToken: 'forged' })
      channel.postMessage('valetkey:pending')
    }
    channel.postMessage('last')
  }, key)
  await victim.evaluate(
    () =>
      new Promise<void>((resolve) => {
        const channel = new BroadcastChannel('valetkey valetkey')
        channel.onmessage = ({ data }) => {
          if (data !== 'over') return
          channel.close()
          resolve()
        }
        const over = new BroadcastChannel('valetkey valetkey')
        over.postMessage('over')
        over.close()
      }),
  )
  expect(await victim.evaluate(() => [app.shown, app.session.snapshot().status])).toEqual([[], 'signed_in'])
  expect(await victim.evaluate(() => app.reads)).toBeLessThanOrEqual(60)
  expect(await victim.evaluate(() => app.call('/notes'))).toBe(200)
  expect(here.server.log.slice(asked).filter(({ path }) => !path.includes('introspection'))).toEqual([])
  expect(here.tokenRequests).toHaveLength(1)
})
