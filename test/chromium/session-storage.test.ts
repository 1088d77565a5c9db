import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { type AppInChromium, startApp } from '../support/app-in-chromium.js'
import type { App } from './pages/app.js'

// Where the browser gives a page no database: a sign-in by redirect works all the same, and the program is told.

declare const app: App

let here: AppInChromium
beforeAll(async () => {
  here = await startApp()
})
afterEach(() => here.endOfTest())
afterAll(() => here?.close())

const broken: readonly (readonly [string, () => void])[] = [
  [
    'throws',
    () => {
      IDBFactory.prototype.open = () => {
        throw new DOMException('The operation is insecure.', 'SecurityError')
      }
    },
  ],
  [
    'fails',
    () => {
      IDBFactory.prototype.open = () => {
        const request = new EventTarget() as IDBOpenDBRequest
        Object.defineProperty(request, 'error', { value: new DOMException('No space.', 'QuotaExceededError') })
        queueMicrotask(() => request.onerror?.(new Event('error')))
        return request
      }
    },
  ],
  [
    'never answers',
    () => {
      IDBFactory.prototype.open = () => new EventTarget() as IDBOpenDBRequest
    },
  ],
  ['is not there', () => void Object.defineProperty(globalThis, 'indexedDB', { value: undefined, configurable: true })],
]

test.each(broken)(
  'B16 where IndexedDB %s a sign-in by redirect still works: tokens in memory, the request in sessionStorage, and an event',
  async (_, before) => {
    const tab = await here.open('/notes', before)
    await here.leaveAndReturn(tab)
    const pending = await tab.evaluate(() => Object.keys(sessionStorage))
    expect(pending).toEqual(['valetkey valetkey:pending'])
    expect(await here.resume(tab)).toBe(true)
    expect(tab.url()).toBe(`${here.pages.origin}/notes`)
    expect(await tab.evaluate(() => app.events.map((event) => ('code' in event ? `${event.type} ${event.code}` : event.type)))).toEqual([
      'discovered',
      'store_failed store_unavailable',
      'sign_in_finished',
    ])
    expect(await tab.evaluate(() => app.call('/notes'))).toBe(200)
    // The token is nowhere but in memory, and the request is spent.
    expect(await tab.evaluate(() => sessionStorage.length)).toBe(0)
    expect(here.tokenRequests).toHaveLength(1)
  },
)

test('B16 in the tab of such a page a reload has no session, and says signed out instead of an error', async () => {
  const [, before] = broken[0] as (typeof broken)[number]
  const tab = await here.leaveAndReturn(await here.open('/', before))
  expect(await here.resume(tab)).toBe(true)
  await tab.reload()
  await here.ready(tab)
  expect(await here.resume(tab)).toBe(false)
  expect(await tab.evaluate(() => app.outcome((session) => session.token()))).toBe('sign_in_required')
})
