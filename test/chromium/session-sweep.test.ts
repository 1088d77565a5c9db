import { randomBytes } from 'node:crypto'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { type AppInChromium, startApp } from '../support/app-in-chromium.js'
import { sweep } from '../support/sweep.js'

// The sweep that every test in a page ends with, shown to bite.

let here: AppInChromium
beforeAll(async () => {
  here = await startApp()
})
afterEach(() => here.endOfTest())
afterAll(() => here?.close())

const plants: readonly (readonly [string, (text: string) => unknown])[] = [
  ['a broadcast', (text) => new BroadcastChannel('mine').postMessage({ text })],
  ['the name of a lock', (text) => navigator.locks.request(text, async () => {})],
  ['sessionStorage', (text) => sessionStorage.setItem('mine', text)],
  ['localStorage', (text) => localStorage.setItem('mine', text)],
  ['the state of the history', (text) => history.replaceState({ text }, '')],
  ['the address', (text) => history.replaceState(null, '', `/?token=${text}`)],
  ['the document', (text) => (document.title = text)],
  ['a cookie', (text) => (document.cookie = `mine=${text}`)],
  ['the console', (text) => console.log({ text })],
  ['what another host is asked for', (text) => void (new Image().src = `${document.querySelector('link')?.href}?token=${text}`)],
  [
    'IndexedDB, as bytes',
    (text) =>
      new Promise((resolve) =>
        Object.assign(indexedDB.open('mine'), {
          onupgradeneeded(this: IDBOpenDBRequest) {
            this.result.createObjectStore('s').put({ bytes: new TextEncoder().encode(text) }, 'k')
          },
          onsuccess(this: IDBOpenDBRequest) {
            this.result.close()
            resolve(undefined)
          },
        }),
      ),
  ],
]

test.each(plants)('the sweep bites: what is planted in %s is found', async (_, plant) => {
  const planted = `planted-${randomBytes(24).toString('base64url')}`
  const tab = await here.open()
  expect(sweep([planted], await here.evidence.places())).toEqual([])
  await tab.evaluate(plant, planted)
  await expect.poll(async () => sweep([planted], await here.evidence.places()).length).toBeGreaterThan(0)
  here.evidence.console.length = 0
})
