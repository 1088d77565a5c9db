import { describe, expect, test } from 'vitest'
import { OAuthError } from '../../src/core/errors.js'
import { codes, failing, hour, place, thousand } from './place.js'

// One source and what becomes of its record.

describe('a token source', () => {
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

  test.each(['signIn', 'signOut'] as const)(
    'a store that is read and takes no write is said: %s rejects with store_unavailable',
    async (name) => {
      const { clock, store, source, signIn } = place()
      await signIn(source())
      store.replace = () => Promise.reject(new Error('quota'))
      const engine = source()
      const outcome = (name === 'signIn' ? signIn(engine) : engine.signOut()).catch((error: unknown) => error)
      await clock.advance(20_000)
      expect(await Promise.race([outcome, Promise.resolve('nothing')])).toMatchObject({ code: 'store_unavailable' })
    },
  )

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
    expect(await call).toMatchObject({
      code: 'client_refused',
      serverError: 'invalid_client',
      message: 'simulated',
      retryAt: expect.any(Number) as number,
    })
    expect((await store.get('tokens'))?.value).toContain('R0')
  })

  test('R8 what failed for want of a network makes nobody wait: the first call with a network is answered', async () => {
    const { clock, server, network, renewed, requests, source, signIn } = place()
    const engine = source()
    await signIn(engine)
    await clock.advance(hour)
    server.answer = failing('network')
    network.isOffline = true
    for (let calls = 1; calls <= 6; calls += 1) {
      const call = engine.token().catch((error: unknown) => error)
      await clock.advance(100)
      expect(await call).toMatchObject({ code: 'network' })
      expect(requests).toHaveLength(calls)
    }
    network.isOffline = false
    server.answer = renewed
    const call = engine.token()
    await clock.advance(100)
    await call
    expect(requests).toHaveLength(7)
  })

  test('R8 a server that does not answer, or says when to come again, is left alone, network or not', async () => {
    const { clock, server, network, requests, source, signIn } = place()
    const engine = source()
    await signIn(engine)
    await clock.advance(hour)
    network.isOffline = true
    server.answer = failing('server_unavailable', { retryAfter: 5_000 })
    for (let calls = 0; calls < 3; calls += 1) {
      const call = engine.token().catch((error: unknown) => error)
      await clock.advance(100)
      expect(await call).toMatchObject({ code: 'server_unavailable' })
    }
    expect(requests).toHaveLength(1)
  })

  test('R8 a refused scope is told to those who asked for it, at once and once; others are served', async () => {
    const { clock, server, renewed, requests, source, signIn } = place()
    const engine = source()
    await signIn(engine)
    server.answer = failing('scope_refused', { serverError: 'invalid_scope' })
    const refused = thousand(() => engine.token({ resource: 'https://b.example/' }))
    await clock.advance(100)
    expect(codes(await refused)).toEqual(new Set(['scope_refused']))
    expect(requests.length).toBe(1)
    server.answer = renewed
    const other = engine.token({ resource: 'https://c.example/' })
    await clock.advance(100)
    expect((await other).resource).toBe('https://c.example/')
    await engine.token()
    expect(requests.map(({ resource }) => resource)).toEqual(['https://b.example/', 'https://c.example/'])
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

  test.for<{ name: string; written: (generation: number) => object }>([
    { name: 'a doubt', written: (generation) => ({ unclear: generation }) },
    { name: 'a mark', written: () => ({ sending: { by: 'another', startedAt: 0 } }) },
  ])('R7 $name that another wrote while the request was out makes its refusal ambiguous_rotation', async ({ written }) => {
    const { clock, store, server, source, signIn } = place()
    const engine = source()
    await signIn(engine)
    await clock.advance(hour)
    server.answer = async () => {
      // The store had forgotten the mark: another sent too, and its answer is lost, or not yet stored.
      const held = await store.get('tokens')
      const { generation } = JSON.parse(held?.value ?? '') as { generation: number }
      const value = JSON.stringify({ ...(JSON.parse(held?.value ?? '') as object), ...written(generation) })
      await store.replace('tokens', held?.version, { version: 'of-another', value })
      return failing('sign_in_required', { serverError: 'invalid_grant' })()
    }
    const refused = engine.token().catch((error: unknown) => error)
    await clock.advance(100)
    expect(await refused).toMatchObject({ code: 'ambiguous_rotation' })
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

  test('a store that failed and is slow to answer is waited for: a session that was replaced meanwhile is served no more', async () => {
    const { clock, store, source, signIn } = place()
    const [engine, other] = [source(), source()]
    await signIn(engine)
    const first = await engine.token()
    const get = store.get.bind(store)
    store.get = async () => Promise.reject(new Error('down'))
    expect((await engine.token()).reveal()).toBe(first.reveal())
    store.get = get
    await other.signOut()
    store.get = async (key) => {
      await clock.wait(4_000)
      return get(key)
    }
    const call = engine.token().catch((error: unknown) => error)
    await clock.advance(4_000)
    expect(await call).toMatchObject({ code: 'sign_in_required' })
  })

  test('a store that failed and answers again is believed at once, before what is remembered', async () => {
    const { clock, store, source, signIn } = place()
    const [engine, other] = [source(), source()]
    await signIn(engine)
    const get = store.get.bind(store)
    store.get = async () => Promise.reject(new Error('down'))
    await engine.token()
    store.get = get
    await other.signOut()
    await expect(engine.token()).rejects.toMatchObject({ code: 'sign_in_required' })
    await clock.advance(0)
  })
})
