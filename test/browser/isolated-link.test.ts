import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { linkTo } from '../../src/browser/isolated-link.js'

// What a page does about a worker that does not answer. The rest of the link has its tests in Chromium, with a real worker.

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** A worker whose script hears nothing until it is told to. */
function deafWorker() {
  const heard: MessagePort[] = []
  const events = new EventTarget()
  const worker = {
    postMessage: (_: object, [port]: MessagePort[]) => void (port && heard.push(port)),
    addEventListener: events.addEventListener.bind(events),
  }
  return { heard, worker: worker as unknown as Worker, fail: () => events.dispatchEvent(new Event('error')) }
}

const hearing = { shows: () => {}, obey: async () => {} }
const resumed = (link: ReturnType<typeof linkTo>) =>
  link.ask((id) => ({ kind: 'resume', id, seen: { address: 'https://app.example/', isFramed: false, isAttended: true } }), Boolean).answer

test('a script that threw before anybody listened is waited for half a minute, and asked again by the next call', async () => {
  const { worker, heard } = deafWorker()
  const link = linkTo(worker, hearing)
  const first = expect(resumed(link)).rejects.toMatchObject({ code: 'sign_in_required' })
  await vi.advanceTimersByTimeAsync(30_000)
  await first
  expect([heard.length, link.gone.aborted]).toEqual([1, false])
  const second = expect(resumed(link)).rejects.toMatchObject({ code: 'sign_in_required' })
  await vi.advanceTimersByTimeAsync(30_000)
  await second
  expect(heard.length).toBe(2)
})

test('a script that throws and does not serve within two seconds is no worker', async () => {
  const { worker, fail } = deafWorker()
  const link = linkTo(worker, hearing)
  const outcome = expect(resumed(link)).rejects.toMatchObject({ code: 'sign_in_required' })
  fail()
  await vi.advanceTimersByTimeAsync(2_000)
  await outcome
  expect(link.gone.aborted).toBe(true)
})

test('one that answers leaves no timer behind', async () => {
  const { worker, heard } = deafWorker()
  const link = linkTo(worker, hearing)
  const posted = link.post({})
  heard[0]?.postMessage({ valetkey: 'hello' })
  await posted
  expect(vi.getTimerCount()).toBe(0)
})
