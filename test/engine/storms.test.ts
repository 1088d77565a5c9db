import { describe, expect, test } from 'vitest'
import { OAuthError, type OAuthErrorCode } from '../../src/core/errors.js'
import type { TokenOutcome } from '../../src/core/exchange.js'
import type { OAuthFact } from '../../src/core/events.js'
import { memoryStore } from '../../src/stores/memory.js'
import { manualClock } from '../../src/testing/manual-clock.js'
import { type TokenEngine, tokenSource } from '../../src/token-source.js'
import { anAnswer } from '../core/records.js'

// Many callers at once, on one source and on several over one store.

const hour = 3_600_000
type Answer = () => Promise<TokenOutcome>

/** A place with one store and one clock: its sources, and the requests they sent. */
function place(first: { readonly lifetime?: number; readonly refreshToken?: string | undefined } = {}) {
  const clock = manualClock()
  const store = memoryStore()
  const requests: { readonly refreshToken: string; readonly at: number; readonly resource: string | undefined }[] = []
  const facts: OAuthFact[] = []
  const { lifetime = hour } = first
  let names = 0
  let issued = 0
  const renewed: Answer = async () => ({ ok: true, answer: anAnswer({ lifetime, refreshToken: `R${(issued += 1)}` }) })
  const server: { answer: Answer } = { answer: renewed }

  function source(): TokenEngine {
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
      deadline: 10_000,
      prepare: async (record, { resource }) => ({
        send: async () => {
          requests.push({ refreshToken: record.refreshToken?.reveal() ?? '', at: clock.monotonic(), resource })
          await clock.wait(50)
          return server.answer()
        },
        discard: () => {},
      }),
      revoke: () => {},
      emit: (fact) => void facts.push(fact),
      fresh: () => `${(names += 1)}`,
      draw: () => 0.5,
    })
  }

  const signIn = (engine: TokenEngine): Promise<unknown> =>
    engine.signIn(anAnswer({ lifetime, refreshToken: 'refreshToken' in first ? first.refreshToken : 'R0' }), {
      scope: ['read'],
      started: { monotonic: clock.monotonic(), wall: clock.now() },
    })

  return { clock, store, server, renewed, requests, facts, source, signIn }
}

function failing(code: OAuthErrorCode, facts: { readonly retryAfter?: number; readonly serverError?: string } = {}): Answer {
  const { retryAfter, serverError } = facts
  const error = new OAuthError(code, 'simulated', serverError === undefined ? {} : { serverError })
  return async () => ({ ok: false, error, surelyNotDone: serverError !== undefined, ...(retryAfter === undefined ? {} : { retryAfter }) })
}

const thousand = <T>(make: () => Promise<T>): Promise<PromiseSettledResult<T>[]> => Promise.allSettled(Array.from({ length: 1_000 }, make))
const codes = (results: readonly PromiseSettledResult<unknown>[]): ReadonlySet<unknown> =>
  new Set(results.map((result) => (result.status === 'rejected' ? (result.reason as OAuthError).code : 'served')))

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

  test('R3 each renewal sends the refresh token of the last answer', async () => {
    const { clock, requests, source, signIn } = place()
    const engine = source()
    await signIn(engine)
    for (let renewals = 0; renewals < 3; renewals += 1) {
      await clock.advance(hour)
      const call = engine.token()
      await clock.advance(100)
      await call
    }
    expect(requests.map(({ refreshToken }) => refreshToken)).toEqual(['R0', 'R1', 'R2'])
  })

  test('R8 invalid_grant ends the session once, with its reason, and leaves no token in the store', async () => {
    const { clock, store, server, requests, facts, source, signIn } = place()
    const engine = source()
    await signIn(engine)
    await clock.advance(hour)
    server.answer = failing('sign_in_required', { serverError: 'invalid_grant' })
    const calls = thousand(() => engine.token())
    await clock.advance(100)
    expect(codes(await calls)).toEqual(new Set(['sign_in_required']))
    expect(codes(await thousand(() => engine.token()))).toEqual(new Set(['sign_in_required']))
    expect(requests.length).toBe(1)
    expect(facts.filter(({ type }) => type === 'session_ended')).toEqual([{ type: 'session_ended', reason: 'invalid_grant' }])
    expect((await store.get('tokens'))?.value).not.toMatch(/"R\d"|"(next )?access"/u)
  })

  test('R8 invalid_client keeps the session, and reaches the caller with its code', async () => {
    const { clock, store, server, source, signIn } = place()
    const engine = source()
    await signIn(engine)
    await clock.advance(hour)
    server.answer = failing('client_refused', { serverError: 'invalid_client' })
    const call = engine.token().catch((error: unknown) => error)
    await clock.advance(100)
    expect(await call).toMatchObject({ code: 'client_refused' })
    expect((await store.get('tokens'))?.value).toContain('R0')
  })

  test('R7 an answer lost after the rotation is asked for again after the wait, and the refusal ends the session as ambiguous_rotation', async () => {
    const { clock, server, requests, source, signIn } = place()
    const engine = source()
    await signIn(engine)
    await clock.advance(hour)
    server.answer = failing('network')
    const lost = engine.token().catch((error: unknown) => error)
    await clock.advance(100)
    expect(await lost).toMatchObject({ code: 'network' })
    server.answer = failing('sign_in_required', { serverError: 'invalid_grant' })
    await clock.advance(2_000)
    const refused = engine.token().catch((error: unknown) => error)
    await clock.advance(100)
    expect(await refused).toMatchObject({ code: 'ambiguous_rotation' })
    await expect(engine.token()).rejects.toMatchObject({ code: 'ambiguous_rotation' })
    expect(requests.map(({ refreshToken }) => refreshToken)).toEqual(['R0', 'R0'])
  })

  test('R15 a sign-out during a renewal: its answer is not stored', async () => {
    const { clock, store, source, signIn } = place()
    const engine = source()
    await signIn(engine)
    await clock.advance(hour)
    const call = engine.token().catch((error: unknown) => error)
    await clock.advance(10)
    await engine.signOut()
    await clock.advance(1_000)
    expect(await call).toMatchObject({ code: 'sign_in_required' })
    expect((await store.get('tokens'))?.value).not.toMatch(/"R\d"|"(next )?access"/u)
  })

  test.for([0, 1, 999, 1_000, 2_000, 5_000])(
    'T20 tokens of %i ms make no loop: a call renews at most once, an idle source never',
    async (lifetime) => {
      const { clock, requests, source, signIn } = place({ lifetime })
      const engine = source()
      await signIn(engine)
      for (let calls = 1; calls <= 10; calls += 1) {
        const call = engine.token()
        await clock.advance(60)
        await call
        expect(requests.length).toBeLessThanOrEqual(calls)
      }
      const before = requests.length
      await clock.advance(10 * 60_000)
      expect(requests.length).toBe(before)
    },
  )

  test('T18 a token refused before its end is renewed once, and the new one is used', async () => {
    const { clock, requests, source, signIn } = place()
    const engine = source()
    await signIn(engine)
    const rejected = await engine.token()
    const call = engine.token({ rejected })
    await clock.advance(100)
    expect((await call).reveal()).toBe('next access')
    await engine.token()
    expect(requests.length).toBe(1)
  })

  test.for([
    ['garbage', 'not json'],
    ['a truncated record', '{"issuer":"https://as.example","clientId":"c","session":"s","gener'],
    [
      'another issuer’s',
      '{"issuer":"https://evil.example","clientId":"c","session":"s","generation":1,"grantedScope":[],"refreshToken":"theirs","accessTokens":[]}',
    ],
  ])('B18 what somebody wrote into the store is not sent: %s', async ([, value]) => {
    const { clock, store, requests, source } = place()
    await store.replace('tokens', undefined, { version: 'v', value: value as string })
    const engine = source()
    const call = engine.token().catch((error: unknown) => error)
    await clock.advance(1_000)
    expect(await call).toBeInstanceOf(OAuthError)
    expect(requests).toEqual([])
  })
})
