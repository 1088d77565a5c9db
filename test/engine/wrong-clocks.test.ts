import { describe, expect, test } from 'vitest'
import type { TokenOutcome } from '../../src/core/exchange.js'
import type { Clock, Store } from '../../src/core/ports.js'
import { memoryStore } from '../../src/stores/memory.js'
import { type TokenEngine, tokenSource } from '../../src/token-source.js'
import { anAnswer } from '../core/records.js'

// One machine whose clock is wrong, or is set while its pages are open. The server's time is the true one.

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour
const lifetime = 10 * minute

/** A machine: true time, how wrong its wall clock is, and the pages on it. `readsDate`: they may read the server's `Date`. */
function machine(wrongBy: number, readsDate: boolean) {
  const state = { true: 1_800_000_000_000, wrongBy, asleep: 0, sent: 0, issuedAt: 0, answering: Promise.resolve() }
  const clock: Clock = {
    now: () => state.true + state.wrongBy,
    monotonic: () => state.true - 1_800_000_000_000 - state.asleep,
    wait: async (milliseconds, signal) => {
      signal?.throwIfAborted()
      if (milliseconds >= 10_000) return new Promise(() => {})
      state.true += milliseconds
      await new Promise((resolve) => setImmediate(resolve))
    },
  }
  const store: Store = memoryStore()
  let names = 0
  const answer = (refreshToken: string) => anAnswer({ lifetime, refreshToken, ...(readsDate ? { serverTime: state.true } : {}) })

  function page(): TokenEngine {
    const send = async (): Promise<TokenOutcome> => {
      state.sent += 1
      await state.answering
      state.issuedAt = state.true
      return { ok: true, answer: answer(`R${state.sent}`) }
    }
    return tokenSource({
      issuer: 'https://as.example',
      clientId: 'c',
      target: {},
      severalResources: false,
      scopeNamedDifferently: false,
      store,
      key: 'tokens',
      lock: undefined,
      clock,
      oneMachine: true,
      deadline: 10_000,
      prepare: async () => ({ send, discard: () => {} }),
      revoke: () => {},
      emit: () => {},
      fresh: () => `${(names += 1)}`,
      draw: () => 0,
    })
  }

  async function signIn(engine: TokenEngine): Promise<void> {
    state.issuedAt = state.true
    await engine.signIn(answer('R0'), { scope: ['read'], started: { monotonic: clock.monotonic(), wall: clock.now() } })
  }

  /** A call; what was sent for it. No token is handed out that the server takes for dead. */
  async function call(engine: TokenEngine): Promise<number> {
    const before = state.sent
    await engine.token()
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve))
    expect(state.true - state.issuedAt).toBeLessThan(lifetime)
    return state.sent - before
  }

  const pass = (milliseconds: number) => (state.true += milliseconds)
  const sleep = (milliseconds: number) => {
    state.true += milliseconds
    state.asleep += milliseconds
  }
  return { state, page, signIn, call, pass, sleep }
}

const wrong = [
  ['10 minutes ahead', 10 * minute],
  ['10 minutes behind', -10 * minute],
  ['a day ahead', day],
  ['a day behind', -day],
] as const
const places = wrong.flatMap(([name, by]) => [
  [`${name}, the server’s Date unread`, by, false] as const,
  [`${name}, the server’s Date read`, by, true] as const,
])

describe('a clock that is wrong', () => {
  test.for(places)('%s: a page renews once a lifetime, as others do', async ([, by, readsDate]) => {
    const { state, page, signIn, call, pass } = machine(by, readsDate)
    const one = page()
    await signIn(one)
    for (let passed = 0; passed < hour; passed += minute) {
      expect(await call(one)).toBeLessThanOrEqual(1)
      pass(minute)
    }
    expect(state.sent).toBeLessThanOrEqual(8)
    expect(state.sent).toBeGreaterThanOrEqual(6)
  })

  test.for(places)('%s: a page that is loaded asks at most once, and then no more', async ([, by, readsDate]) => {
    const { page, signIn, call, pass } = machine(by, readsDate)
    await signIn(page())
    pass(minute)
    for (let load = 0; load < 3; load += 1) {
      const loaded = page()
      expect(await call(loaded)).toBe(0)
      for (let calls = 0; calls < 10; calls += 1) expect(await call(loaded)).toBe(0)
    }
  })

  test.for(places)(
    '%s: after a sleep of hours, in which the monotonic clock stood still, the first call asks once',
    async ([, by, readsDate]) => {
      const { page, signIn, call, sleep } = machine(by, readsDate)
      const [one, other] = [page(), page()]
      await signIn(one)
      await call(other)
      sleep(3 * hour)
      expect(await call(one)).toBe(1)
      expect(await call(other)).toBe(0)
      expect(await call(one)).toBe(0)
    },
  )
})

describe('a clock that is set while pages are open', () => {
  const jumps = wrong.flatMap(([name, by]) => [true, false].map((readsDate) => [name, readsDate, by] as const))

  test.for(jumps)(
    '%s (Date read: %s): the first call asks at most once, in all pages together, and there is no loop',
    async ([, readsDate, by]) => {
      const { state, page, signIn, call, pass } = machine(0, readsDate)
      const pages = [page(), page(), page()]
      await signIn(pages[0] as TokenEngine)
      for (const one of pages) await call(one)
      state.wrongBy = by
      let asked = 0
      for (let round = 0; round < 5; round += 1) for (const one of pages) asked += await call(one)
      expect(asked).toBeLessThanOrEqual(1)
      // … and back, as when the network sets it right again.
      state.wrongBy = 0
      let again = 0
      for (let round = 0; round < 5; round += 1) for (const one of pages) again += await call(one)
      expect(again).toBeLessThanOrEqual(1)
      // Never longer than the token lives: `call` sees to that.
      for (let passed = 0; passed < hour; passed += minute) {
        for (const one of pages) await call(one)
        pass(minute)
      }
      expect(state.sent).toBeLessThanOrEqual(asked + again + 8)
    },
  )

  test('a jump by a day while another page renews: its mark is not taken for a dead one’s, and nothing is sent twice', async () => {
    const { state, page, signIn, call, pass } = machine(0, false)
    const [one, other] = [page(), page()]
    await signIn(one)
    await call(other)
    pass(lifetime)
    let answer = () => {}
    state.answering = new Promise((resolve) => (answer = resolve))
    const renewing = one.token()
    while (state.sent === 0) await new Promise((resolve) => setImmediate(resolve))
    state.wrongBy = day
    const waiting = other.token()
    for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve))
    expect(state.sent).toBe(1)
    answer()
    await Promise.all([renewing, waiting])
  })
})
