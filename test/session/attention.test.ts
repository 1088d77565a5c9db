import { expect, test } from 'vitest'
import type { Store } from '../../src/core/ports.js'
import { memoryStore } from '../../src/stores/memory.js'
import { profile } from './profile.js'
import { scriptedServer } from './scripted.js'

// What a page notices by itself, between its calls.

/** A store that counts how often it is read, and whose hints come when the test says so. */
function hintingStore() {
  const memory = memoryStore()
  const hints = new Set<() => void>()
  const state = { reads: 0 }
  const store: Store = {
    get: (key) => {
      state.reads += 1
      return memory.get(key)
    },
    replace: memory.replace,
    watch: (_, changed) => (hints.add(changed), () => hints.delete(changed)),
  }
  return { store, state, hint: () => hints.forEach((changed) => changed()), watchers: () => hints.size }
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

test('attack 43 a flood of forged hints costs a few looks, asks the server nothing, and the change that comes after it is seen', async () => {
  const server = await scriptedServer()
  const { store, state, hint } = hintingStore()
  const browser = profile(server, { store })
  const tab = await browser.signIn()
  const stop = tab.session.subscribe(() => {})
  const asked = server.wire.received.length
  state.reads = 0
  const flood = async () => {
    for (let count = 0; count < 200; count += 1) {
      for (let times = 0; times < 50; times += 1) hint()
      await turn()
    }
  }
  await flood()
  expect(state.reads).toBe(10)
  for (let second = 0; second < 5; second += 1) {
    await browser.clock.advance(1_000)
    await flood()
  }
  expect(state.reads).toBeLessThanOrEqual(10 + 5 * 4)
  expect(server.wire.received).toHaveLength(asked)
  await browser.open().session.signOut()
  hint()
  await browser.clock.advance(250)
  expect(tab.session.snapshot().ended).toBe('signed_out')
  stop()
})

test('hints that come while the store is read are one more look, begun after the last of them', async () => {
  const server = await scriptedServer()
  const { store, state, hint } = hintingStore()
  const tab = await profile(server, { store }).signIn()
  const stop = tab.session.subscribe(() => {})
  await turn()
  state.reads = 0
  for (let count = 0; count < 1_000; count += 1) hint()
  await turn()
  expect(state.reads).toBe(2)
  stop()
})

test('a look that fails is made again a few times, for a database that is just being taken away is back in a moment', async () => {
  const server = await scriptedServer()
  const { store, state, hint } = hintingStore()
  const { get } = store
  const fickle = { ...store, fails: 0 }
  fickle.get = async (key) => {
    const held = await get(key)
    if ((fickle.fails -= 1) >= 0) throw new Error('The connection was closed.')
    return held
  }
  const browser = profile(server, { store: fickle })
  const tab = await browser.signIn()
  const stop = tab.session.subscribe(() => {})
  await browser.open('/', { store }).session.signOut()
  fickle.fails = 2
  hint()
  await browser.clock.advance(1_000)
  expect(tab.session.snapshot().status).toBe('signed_out')
  fickle.fails = Infinity
  state.reads = 0
  hint()
  await browser.clock.advance(60_000)
  expect(state.reads).toBe(5)
  stop()
})

test('who stops listening leaves nothing behind that looks or waits', async () => {
  const server = await scriptedServer()
  const { store, state, hint, watchers } = hintingStore()
  const browser = profile(server, { store })
  const tab = await browser.signIn()
  const stop = tab.session.subscribe(() => {})
  for (let count = 0; count < 20; count += 1) {
    hint()
    await turn()
  }
  stop()
  expect(watchers()).toBe(0)
  state.reads = 0
  tab.page.wake()
  await browser.clock.advance(10_000)
  expect(state.reads).toBe(0)
})

test('a page that wakes renews what is due, before it is asked for: once, whatever wakes it', async () => {
  const server = await scriptedServer()
  const browser = profile(server)
  const tab = await browser.signIn()
  const stop = tab.session.subscribe(() => {})
  await browser.clock.advance(120_000)
  for (let event = 0; event < 5; event += 1) tab.page.wake()
  await expect.poll(() => tab.said().filter((what) => what === 'renewal_finished')).toHaveLength(1)
  await tab.session.token()
  expect(server.tokenRequests()).toHaveLength(2)
  stop()
})

test('a page that wakes with a fresh token asks for nothing', async () => {
  const server = await scriptedServer()
  const browser = profile(server)
  const tab = await browser.signIn()
  const stop = tab.session.subscribe(() => {})
  const asked = server.wire.received.length
  tab.page.wake()
  await browser.clock.advance(1_000)
  expect(server.wire.received).toHaveLength(asked)
  stop()
})

test('a page that nobody looks at, or without a network, only looks: what is due is renewed when it is asked for', async () => {
  const server = await scriptedServer()
  const browser = profile(server)
  const tab = await browser.signIn()
  const stop = tab.session.subscribe(() => {})
  await browser.clock.advance(120_000)
  tab.page.attended = false
  tab.page.wake()
  await browser.clock.advance(1_000)
  expect(server.tokenRequests()).toHaveLength(1)
  await browser.open().session.signOut()
  tab.page.wake()
  await expect.poll(() => tab.session.snapshot().ended).toBe('signed_out')
  stop()
})

test('what happened while nobody listened is seen by who listens again', async () => {
  const server = await scriptedServer()
  const { watch: _, ...deaf } = memoryStore()
  const browser = profile(server, { store: deaf })
  const tab = await browser.signIn()
  tab.session.subscribe(() => {})()
  await browser.open().session.signOut()
  expect(tab.session.snapshot().status).toBe('signed_in')
  const stop = tab.session.subscribe(() => {})
  await expect.poll(() => tab.session.snapshot().status).toBe('signed_out')
  stop()
})

test('who listens before anything was read is told nothing of the store: that is for resume()', async () => {
  const server = await scriptedServer()
  const { store, state } = hintingStore()
  const tab = profile(server, { store }).open()
  const stop = tab.session.subscribe(() => {})
  await turn()
  expect([state.reads, tab.session.snapshot().status]).toEqual([0, 'unknown'])
  stop()
})
