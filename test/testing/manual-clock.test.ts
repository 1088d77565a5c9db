import { expect, test } from 'vitest'
import { manualClock } from '../../src/testing/index.js'

test('it stands still until it is told to move', async () => {
  const clock = manualClock(1_000)
  expect([clock.now(), clock.monotonic()]).toEqual([1_000, 0])
  await clock.advance(250)
  expect([clock.now(), clock.monotonic()]).toEqual([1_250, 250])
})

test('waits end at their own times, in their order, and what they set off comes in between', async () => {
  const clock = manualClock(0)
  const seen: string[] = []
  const note = (what: string) => seen.push(`${what} at ${clock.now()}`)
  void clock.wait(30).then(() => note('thirty'))
  void clock.wait(10).then(async () => {
    note('ten')
    await new Promise((resolve) => setImmediate(resolve))
    await clock.wait(10)
    note('twenty')
    await clock.wait(5)
    note('twenty-five')
  })
  await clock.advance(29)
  expect(seen).toEqual(['ten at 10', 'twenty at 20', 'twenty-five at 25'])
  await clock.advance(1)
  expect(seen.at(-1)).toBe('thirty at 30')
})

test('a wait is ended by its signal, with its reason, and not twice', async () => {
  const clock = manualClock()
  const controller = new AbortController()
  const waiting = clock.wait(10, controller.signal)
  controller.abort('gave up')
  await expect(waiting).rejects.toBe('gave up')
  await expect(clock.wait(10, AbortSignal.abort('before'))).rejects.toBe('before')
  await clock.advance(100)
})

test.for([0, -1, Number.NaN])('waiting for %s ends at once', async (milliseconds) => {
  await manualClock().wait(milliseconds)
})
