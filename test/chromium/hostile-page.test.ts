import type { ServerResponse } from 'node:http'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type Pages, startPages } from '../support/chromium.js'
import { marker } from '../support/marker.js'
import { expectReadmeSays } from '../support/readme.js'
import type { BareCall } from './pages/bare-call.js'

// A page without a policy, and an API at its own origin that is not what it should be.

declare const bareCall: BareCall

let pages: Pages
/** The Authorization headers that came, by path. */
const came: Record<string, string | undefined> = {}

const worker = `
  const seen = []
  self.addEventListener('install', () => self.skipWaiting())
  self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()))
  self.addEventListener('fetch', ({ request }) => void seen.push(request.headers.get('authorization')))
  self.addEventListener('message', ({ source }) => source.postMessage(seen))
`

beforeAll(async () => {
  pages = await startPages({
    bundleEntry: new URL('./pages/bare-call.ts', import.meta.url),
    answer: ({ url = '', headers }, response) => {
      const { pathname, searchParams } = new URL(url, 'http://127.0.0.1')
      came[pathname] = headers.authorization
      if (pathname === '/worker.js') return answered(response, 200, { 'content-type': 'text/javascript' }, worker)
      if (pathname === '/api/redirect') {
        const location = `http://localhost:${headers.host?.split(':')[1]}/stolen`
        return answered(response, Number(searchParams.get('status')), { location, 'access-control-allow-origin': '*' })
      }
      return pathname === '/stolen' || pathname === '/api/notes' ? answered(response, 200, { 'access-control-allow-origin': '*' }) : false
    },
  })
})
beforeEach(() => Object.keys(came).forEach((path) => delete came[path]))
afterAll(() => pages?.close())

function answered(response: ServerResponse, status: number, headers: Record<string, string>, body = ''): true {
  response.writeHead(status, headers).end(body)
  return true
}

test.for([301, 302, 303, 307, 308])(
  'attack 25 a %i in a page, where no redirect can be looked at, is refused by name and followed nowhere',
  async (status) => {
    const tab = await pages.open()
    const how = { url: `${pages.origin}/api/redirect?status=${status}`, token: marker }
    expect(await tab.evaluate(({ url, token }) => bareCall.call(url, token, { method: 'POST', body: 'text' }), how)).toBe(
      'redirect_refused',
    )
    expect(came).toMatchObject({ '/api/redirect': `Bearer ${marker}` })
    expect(came).not.toHaveProperty('/stolen')
    await tab.close()
  },
)

test('attack 46 a service worker of the origin sees every call with its token', async () => {
  const tab = await pages.open()
  await tab.evaluate(async () => {
    await navigator.serviceWorker.register('/worker.js')
    await new Promise((resolve) => {
      if (navigator.serviceWorker.controller !== null) resolve(undefined)
      else navigator.serviceWorker.addEventListener('controllerchange', resolve)
    })
  })
  const how = { url: `${pages.origin}/api/notes`, token: marker }
  expect(await tab.evaluate(({ url, token }) => bareCall.call(url, token), how)).toBe(200)
  const seen = await tab.evaluate(
    () =>
      new Promise<unknown>((resolve) => {
        navigator.serviceWorker.addEventListener('message', ({ data }) => resolve(data))
        navigator.serviceWorker.controller?.postMessage('what did you see?')
      }),
  )
  expect(seen).toContain(`Bearer ${marker}`)
  expectReadmeSays('**Script that runs in your origin is you.** It can use your session while the page is open, call your APIs')
})
