import { beforeEach, describe, expect, test } from 'vitest'
import { OAuthError } from '../../src/core/errors.js'
import type { TokenOutcome } from '../../src/core/exchange.js'
import type { Clock, Store, Versioned } from '../../src/core/ports.js'
import type { TokenAnswer } from '../../src/core/token-record.js'
import { type TokenEngine, tokenSource } from '../../src/token-source.js'
import { anAnswer } from '../core/records.js'

// One source and one store under clocks that are set by hand.

const minute = 60_000
let wall = 1_800_000_000_000
let monotonic = 0
let sent = 0
let held: Versioned | undefined
let reading: Promise<void> | undefined

beforeEach(() => {
  wall = 1_800_000_000_000
  monotonic = 0
  sent = 0
  held = undefined
  reading = undefined
})

/** Both clocks go on. */
function pass(milliseconds: number): void {
  wall += milliseconds
  monotonic += milliseconds
}

/** A clock whose waits are over as soon as somebody waits; the deadline's never. */
const clockWith = (ahead = 0): Clock => ({
  now: () => wall + ahead,
  monotonic: () => monotonic,
  wait: async (milliseconds, signal) => {
    signal?.throwIfAborted()
    if (milliseconds >= 10_000)
      return new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal.reason as Error)))
    pass(milliseconds)
    await new Promise((resolve) => setImmediate(resolve))
  },
})

const store: Store = {
  get: async () => {
    const found = held
    await reading
    return found
  },
  replace: async (_key, seen, next) => {
    if (held?.version !== seen) return false
    held = next
    return true
  },
}

let names = 0

function source(settings: { readonly ahead?: number; readonly answer?: () => Promise<TokenAnswer> } = {}): TokenEngine {
  const send = async (): Promise<TokenOutcome> => {
    sent += 1
    return {
      ok: true,
      answer: await (settings.answer?.() ?? Promise.resolve(anAnswer({ lifetime: 10 * minute, refreshToken: `R${sent}` }))),
    }
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
    clock: clockWith(settings.ahead),
    deadline: 10_000,
    prepare: async () => ({ send, discard: () => {} }),
    revoke: () => {},
    emit: () => {},
    fresh: () => `${(names += 1)}`,
    draw: () => 0,
  })
}

const signIn = (engine: TokenEngine): Promise<unknown> =>
  engine.signIn(anAnswer({ lifetime: 10 * minute, refreshToken: 'R0' }), { scope: ['read'], started: { monotonic, wall } })

describe('clocks', () => {
  test('T21 after a sleep in which the monotonic clock stood still, a token that has died is not used', async () => {
    const engine = source()
    await signIn(engine)
    await engine.token()
    expect(sent).toBe(0)
    wall += 60 * minute
    await engine.token()
    expect(sent).toBe(1)
  })

  test('T21 … nor in a process that only saw it', async () => {
    const other = source()
    await other.look()
    await signIn(source())
    pass(1_000)
    await other.token()
    wall += 60 * minute
    await other.token()
    expect(sent).toBe(1)
  })

  test('T21 a wall clock set back by an hour does not make a token fresh for an hour more', async () => {
    const engine = source()
    await signIn(engine)
    await engine.token()
    wall -= 60 * minute
    pass(11 * minute)
    await engine.token()
    expect(sent).toBe(1)
  })

  test('T21 a machine whose clock is 10 minutes ahead does not renew what it saw come', async () => {
    const ahead = source({ ahead: 10 * minute })
    await expect(ahead.token()).rejects.toMatchObject({ code: 'sign_in_required' })
    await signIn(source())
    await ahead.token()
    expect(sent).toBe(0)
  })

  test('T21 a token that came while a read was on its way is not taken for younger than that read', async () => {
    const engine = source({ ahead: 10 * minute })
    let arrive: (() => void) | undefined
    reading = new Promise((resolve) => (arrive = resolve))
    const first = engine.token().catch(() => {})
    // This process stands still; another signs in meanwhile.
    reading = undefined
    await signIn(source())
    pass(20 * minute)
    arrive?.()
    await first
    await engine.token()
    expect(sent).toBe(1)
  })

  test('an old look that comes after a newer one does not bring the old session back', async () => {
    const engine = source()
    await signIn(engine)
    let arrive: (() => void) | undefined
    reading = new Promise((resolve) => (arrive = resolve))
    const old = engine.look()
    reading = undefined
    pass(10)
    const next = source()
    await next.signOut()
    await signIn(next)
    await engine.look()
    const shown = engine.shown()
    arrive?.()
    await old
    expect(engine.shown()).toBe(shown)
    expect(shown?.session).toBe(next.shown()?.session)
  })

  test('a sender whose clock is two hours behind, and who knows it from the server, leaves a mark that is watched', async () => {
    const serverTime = wall
    const behind = source({ ahead: -120 * minute, answer: () => new Promise(() => {}) })
    await behind.signIn(anAnswer({ lifetime: 1_000, refreshToken: 'R0', serverTime }), {
      scope: ['read'],
      started: { monotonic, wall: wall - 120 * minute },
    })
    pass(2_000)
    void behind.token().catch(() => {})
    for (let turns = 0; turns < 20; turns += 1) await new Promise((resolve) => setImmediate(resolve))
    expect(sent).toBe(1)
    const before = monotonic
    await source().token()
    expect(sent).toBe(2)
    expect(monotonic - before).toBeGreaterThanOrEqual(13_000)
  })

  test('F15 a caller that is aborted while the store is read leaves at once, and the renewal commits all the same', async () => {
    let answerNow: ((answer: TokenAnswer) => void) | undefined
    const engine = source({ answer: () => new Promise((resolve) => (answerNow = resolve)) })
    await signIn(engine)
    pass(11 * minute)
    const leave = new AbortController()
    const call = engine.token({ signal: leave.signal })
    leave.abort(new OAuthError('cancelled', 'left'))
    await expect(call).rejects.toMatchObject({ code: 'cancelled' })
    const other = engine.token()
    for (let turns = 0; turns < 20; turns += 1) await new Promise((resolve) => setImmediate(resolve))
    answerNow?.(anAnswer({ lifetime: 10 * minute, refreshToken: 'R1' }))
    expect((await other).reveal()).toBe('next access')
    expect(sent).toBe(1)
  })
})
