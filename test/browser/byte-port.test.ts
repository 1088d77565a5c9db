import { expect, test } from 'vitest'
import { giveBytes, takeBytes } from '../../src/browser/byte-port.js'

/** A stream through a port, and what its source was asked. */
function through(source: UnderlyingDefaultSource<unknown>, gone?: AbortSignal): ReadableStream<Uint8Array> {
  const { port1, port2 } = new MessageChannel()
  giveBytes(new ReadableStream(source, { highWaterMark: 0 }), port1)
  return takeBytes(port2, () => new Error('broken'), gone)
}

const bytes = (text: string) => new TextEncoder().encode(text)

test('what a stream has comes through in the same parts, and ends', async () => {
  const parts = ['one', '', 'three'].map(bytes)
  const got: string[] = []
  const stream = through({ pull: (controller) => (parts.length > 0 ? controller.enqueue(parts.shift()) : controller.close()) })
  for await (const part of stream) got.push(new TextDecoder().decode(part))
  expect(got).toEqual(['one', '', 'three'])
})

test('nothing is asked of the source before somebody reads', async () => {
  let pulls = 0
  const reader = through({
    pull: (controller) => {
      pulls += 1
      controller.enqueue(bytes('x'))
    },
  }).getReader()
  await new Promise((resolve) => setTimeout(resolve, 5))
  expect(pulls).toBe(0)
  await reader.read()
  expect(pulls).toBe(1)
  await reader.cancel()
})

test('the memory of a chunk stays its maker’s', async () => {
  const whole = bytes('abcdef')
  const reader = through({ start: (controller) => controller.enqueue(whole.subarray(1, 3)) }).getReader()
  expect((await reader.read()).value).toEqual(bytes('bc'))
  expect(whole).toEqual(bytes('abcdef'))
  await reader.cancel()
})

test('who stops reading is heard', async () => {
  let cancelled = () => {}
  const heard = new Promise<void>((resolve) => (cancelled = resolve))
  const reader = through({ cancel: () => cancelled() }).getReader()
  await reader.cancel()
  await heard
})

test.each<[string, UnderlyingDefaultSource<unknown>]>([
  ['a stream that breaks', { pull: () => Promise.reject(new Error('of the source, secret')) }],
  ['a stream that has something else than bytes', { pull: (controller) => controller.enqueue('text') }],
])('%s breaks at the other end, and says nothing of why', async (_, source) => {
  await expect(through(source).getReader().read()).rejects.toThrow('broken')
})

test('a stream whose other end is gone breaks, for who waits and for who asks later', async () => {
  const gone = new AbortController()
  const [one, other] = [through({}, gone.signal), through({}, gone.signal)]
  const waiting = one.getReader().read()
  gone.abort()
  await expect(waiting).rejects.toThrow('broken')
  await expect(other.getReader().read()).rejects.toThrow('broken')
})
