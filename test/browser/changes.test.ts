// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { changes } from '../../src/browser/changes.js'

// A page that is left and kept as it was, and comes back.

const open = new Set<EventTarget>()

beforeEach(() => {
  class Channel extends EventTarget {
    constructor() {
      super()
      open.add(this)
    }
    postMessage(): void {}
    close(): void {
      open.delete(this)
    }
  }
  vi.stubGlobal('BroadcastChannel', Channel)
})
afterEach(() => vi.unstubAllGlobals())

test('its channel is closed while the page is away; back again it is open, and whoever watches looks', async () => {
  const { watch } = changes('name')
  const changed = vi.fn()
  const stop = watch('key', changed)
  expect(open.size).toBe(1)
  window.dispatchEvent(new Event('pagehide'))
  expect(open.size).toBe(0)
  expect(changed).not.toHaveBeenCalled()
  window.dispatchEvent(new Event('pageshow'))
  await vi.waitUntil(() => changed.mock.calls.length === 1)
  expect(open.size).toBe(1)
  for (const channel of open) channel.dispatchEvent(new MessageEvent('message', { data: 'key' }))
  await vi.waitUntil(() => changed.mock.calls.length === 2)
  stop()
  expect(open.size).toBe(0)
})

test('the first pageshow of a page opens no second channel, and without a watcher there is none', async () => {
  const { watch } = changes('name')
  const changed = vi.fn()
  const stop = watch('key', changed)
  window.dispatchEvent(new Event('pageshow'))
  await new Promise((resolve) => setTimeout(resolve, 0))
  expect([open.size, changed.mock.calls.length]).toEqual([1, 0])
  stop()
  window.dispatchEvent(new Event('pagehide'))
  window.dispatchEvent(new Event('pageshow'))
  expect(open.size).toBe(0)
})

test('what is told while the page is away goes out all the same', () => {
  const { tell, watch } = changes('name')
  const post = vi.spyOn(BroadcastChannel.prototype, 'postMessage')
  const stop = watch('key', () => {})
  window.dispatchEvent(new Event('pagehide'))
  tell('key')
  expect(post.mock.calls).toEqual([['key']])
  expect(open.size).toBe(0)
  stop()
})
