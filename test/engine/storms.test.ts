import { describe, expect, test } from 'vitest'
import type { OAuthError } from '../../src/core/errors.js'
import type { TokenEngine } from '../../src/token-source.js'
import { codes, failing, hour, place, thousand } from './place.js'

// Many callers at once, on one source and on several over one store.

describe('storms', () => {
  test('R5 a thousand calls at expiry: one token request', async () => {
    const { clock, requests, source, signIn } = place()
    const engine = source()
    await signIn(engine)
    await clock.advance(hour)
    const calls = thousand(() => engine.token())
    await clock.advance(1_000)
    expect(codes(await calls)).toEqual(new Set(['served']))
    expect(requests.length).toBe(1)
  })

  test('R6 a thousand calls at expiry in five tabs over one store: one token request', async () => {
    const { clock, requests, source, signIn } = place()
    const tabs = Array.from({ length: 5 }, source)
    await signIn(tabs[0] as TokenEngine)
    await clock.advance(hour)
    let next = 0
    const calls = thousand(() => (tabs[(next += 1) % 5] as TokenEngine).token())
    await clock.advance(2_000)
    expect(codes(await calls)).toEqual(new Set(['served']))
    expect(requests.length).toBe(1)
  })

  test('F9 a thousand refusals of one token: one token request, and nobody gets the refused token again', async () => {
    const { clock, requests, source, signIn } = place()
    const engine = source()
    await signIn(engine)
    const rejected = await engine.token()
    const calls = thousand(() => engine.token({ rejected }))
    await clock.advance(1_000)
    const results = await calls
    expect(codes(results)).toEqual(new Set(['served']))
    expect(
      results.every((result) => result.status === 'fulfilled' && result.value.reveal() === 'next access' && result.value !== rejected),
    ).toBe(true)
    expect(requests.length).toBe(1)
    // A late refusal of the old token costs nothing.
    await engine.token({ rejected })
    expect(requests.length).toBe(1)
  })

  test('R8 the one renewal fails with 503: one request, and the token that still lives is still used', async () => {
    const { clock, server, requests, source, signIn } = place()
    const engine = source()
    await signIn(engine)
    await clock.advance(hour - 30_000)
    server.answer = failing('server_unavailable')
    expect(codes(await thousand(() => engine.token()))).toEqual(new Set(['served']))
    await clock.advance(100)
    expect(codes(await thousand(() => engine.token()))).toEqual(new Set(['served']))
    expect(requests.length).toBe(1)
  })

  test('R8 the one renewal fails with 503 and no token lives: one request, a thousand equal errors, and the session stays', async () => {
    const { clock, server, renewed, requests, source, signIn } = place()
    const engine = source()
    await signIn(engine)
    await clock.advance(hour)
    server.answer = failing('server_unavailable')
    const calls = thousand(() => engine.token())
    await clock.advance(100)
    expect(codes(await calls)).toEqual(new Set(['server_unavailable']))
    expect(requests.length).toBe(1)
    server.answer = renewed
    await clock.advance(10_000)
    const after = engine.token()
    await clock.advance(100)
    await after
    expect(requests.map(({ refreshToken }) => refreshToken)).toEqual(['R0', 'R0'])
  })

  test('R9 Retry-After 5: no request of any tab before 5 s', async () => {
    const { clock, server, renewed, requests, source, signIn } = place()
    const [one, other] = [source(), source()]
    await signIn(one)
    await clock.advance(hour)
    server.answer = failing('server_unavailable', { retryAfter: 5_000 })
    const first = thousand(() => one.token())
    await clock.advance(60)
    await first
    server.answer = renewed
    const answered = clock.monotonic()
    const calls: Promise<unknown>[] = []
    for (let step = 0; step < 12; step += 1) {
      calls.push(...[one, other].map((tab) => tab.token().catch(() => {})))
      await clock.advance(500)
    }
    await clock.advance(1_000)
    await Promise.all(calls)
    expect(requests.length).toBe(2)
    expect((requests[1]?.at ?? 0) - answered).toBeGreaterThanOrEqual(4_900)
  })

  test('R9 Retry-After of 1e9 seconds is capped at an hour', async () => {
    const { clock, server, renewed, requests, source, signIn } = place()
    const engine = source()
    await signIn(engine)
    await clock.advance(hour)
    server.answer = failing('server_unavailable', { retryAfter: 1e12 })
    const first = engine.token().catch((error: OAuthError) => error)
    await clock.advance(60)
    const error = (await first) as OAuthError
    expect((error.retryAt ?? 0) - clock.now()).toBeLessThanOrEqual(hour)
    server.answer = renewed
    await clock.advance(hour)
    const after = engine.token()
    await clock.advance(100)
    await after
    expect(requests.length).toBe(2)
  })

  test('F15 one caller leaves, the others are served, and the renewal is stored', async () => {
    const { clock, requests, source, signIn } = place()
    const engine = source()
    await signIn(engine)
    await clock.advance(hour)
    const leave = new AbortController()
    const left = engine.token({ signal: leave.signal }).catch((error: unknown) => error)
    const stays = engine.token()
    await clock.advance(10)
    leave.abort(new Error('left'))
    expect(await left).toMatchObject({ message: 'left' })
    await clock.advance(100)
    await stays
    expect(requests.length).toBe(1)
    await source().token()
    expect(requests.length).toBe(1)
  })
})
