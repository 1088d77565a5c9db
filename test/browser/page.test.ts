// @vitest-environment happy-dom
import { afterEach, expect, test, vi } from 'vitest'
import { isOffline, page } from '../../src/browser/page.js'

afterEach(() => vi.unstubAllGlobals())

const here = window as unknown as { happyDOM: { setURL(url: string): void } }

test('its address is replaced in the same entry of the history, whose state stays', () => {
  here.happyDOM.setURL('https://app.example/callback?code=1&state=2')
  const replaceState = vi.spyOn(window.history, 'replaceState')
  vi.spyOn(window.history, 'state', 'get').mockReturnValue({ of: 'the router' })
  page.replaceAddress(new URL('https://app.example/callback'))
  expect(replaceState.mock.calls[0]?.[0]).toEqual({ of: 'the router' })
  vi.restoreAllMocks()
  expect(page.address()?.href).toBe('https://app.example/callback')
  expect(page.origin()).toBe('https://app.example')
})

test('Back is told only where the page was kept as it was, and only until it stops', () => {
  const restored = vi.fn()
  const stop = page.onRestored(restored)
  const show = (persisted: boolean) => window.dispatchEvent(Object.assign(new Event('pageshow'), { persisted }))
  show(false)
  expect(restored).not.toHaveBeenCalled()
  show(true)
  expect(restored).toHaveBeenCalledOnce()
  stop()
  show(true)
  expect(restored).toHaveBeenCalledOnce()
})

test('it wakes when it is shown, visible again, online or no longer frozen, and only until it stops', () => {
  const woke = vi.fn()
  const stop = page.onWake(woke)
  window.dispatchEvent(new Event('online'))
  window.dispatchEvent(new Event('pageshow'))
  expect(woke).toHaveBeenCalledTimes(2)
  const visibility = vi.spyOn(document, 'visibilityState', 'get').mockReturnValue('hidden')
  document.dispatchEvent(new Event('visibilitychange'))
  expect(woke).toHaveBeenCalledTimes(2)
  visibility.mockReturnValue('visible')
  document.dispatchEvent(new Event('visibilitychange'))
  expect(woke).toHaveBeenCalledTimes(3)
  document.dispatchEvent(new Event('resume'))
  expect(woke).toHaveBeenCalledTimes(4)
  stop()
  window.dispatchEvent(new Event('online'))
  document.dispatchEvent(new Event('visibilitychange'))
  document.dispatchEvent(new Event('resume'))
  expect(woke).toHaveBeenCalledTimes(4)
  visibility.mockRestore()
})

test('it is attended while it is visible and online', () => {
  const visibility = vi.spyOn(document, 'visibilityState', 'get').mockReturnValue('visible')
  const network = vi.spyOn(navigator, 'onLine', 'get').mockReturnValue(true)
  expect(page.isAttended()).toBe(true)
  network.mockReturnValue(false)
  expect(page.isAttended()).toBe(false)
  network.mockReturnValue(true)
  visibility.mockReturnValue('hidden')
  expect(page.isAttended()).toBe(false)
  vi.restoreAllMocks()
})

test('a page that is prerendered is ready when the user looks at it', async () => {
  await page.ready()
  Object.defineProperty(document, 'prerendering', { configurable: true, value: true })
  const ready = vi.fn()
  const becoming = page.ready().then(ready)
  await new Promise((resolve) => setTimeout(resolve, 0))
  expect(ready).not.toHaveBeenCalled()
  document.dispatchEvent(new Event('prerenderingchange'))
  await becoming
  Reflect.deleteProperty(document, 'prerendering')
})

/** A page at `https://app.example/`, inside pages of these origins, the outermost last. */
function framedBy(...origins: readonly string[]): Window {
  const windows = ['https://app.example', ...origins].map((origin) => ({
    location: {
      get origin() {
        if (origin !== 'https://app.example')
          throw new DOMException('Blocked a frame from accessing a cross-origin frame.', 'SecurityError')
        return origin
      },
    },
  }))
  windows.forEach((window, index) => Object.assign(window, { parent: windows[index + 1] ?? window }))
  return windows[0] as unknown as Window
}

test.for<{ name: string; origins: readonly string[]; framed: boolean }>([
  { name: 'no frame', origins: [], framed: false },
  { name: 'a frame of its own origin', origins: ['https://app.example'], framed: false },
  { name: 'a frame of another origin', origins: ['https://evil.example'], framed: true },
  { name: 'a frame of its own origin inside one of another', origins: ['https://app.example', 'https://evil.example'], framed: true },
  { name: 'a frame of another origin inside its own', origins: ['https://evil.example', 'https://app.example'], framed: true },
])('attack 16 whether it is framed by another, in $name: $framed', ({ origins, framed }) => {
  vi.stubGlobal('window', framedBy(...origins))
  expect(page.isFramedByAnother()).toBe(framed)
})

test('where there is no window there is no page, and nothing to listen to', async () => {
  vi.stubGlobal('window', undefined)
  await page.ready()
  expect(page.address()).toBeUndefined()
  expect(page.isFramedByAnother()).toBe(false)
  page.replaceAddress(new URL('https://app.example/'))
  page.onRestored(() => {})()
  page.onWake(() => {})()
  expect(page.isAttended()).toBe(false)
  expect(() => page.origin()).toThrow(expect.objectContaining({ code: 'not_supported' }) as Error)
  expect(() => page.navigate(new URL('https://as.example/'))).toThrow(expect.objectContaining({ code: 'not_supported' }) as Error)
})

test('it is offline where the browser says so, and nowhere else', () => {
  expect(isOffline()).toBe(false)
  vi.spyOn(navigator, 'onLine', 'get').mockReturnValue(false)
  expect(isOffline()).toBe(true)
  vi.restoreAllMocks()
  vi.stubGlobal('window', undefined)
  expect(isOffline()).toBe(false)
})
