import { expect, test } from 'vitest'
import { OAuthError } from '../../src/core/errors.js'
import type { Store } from '../../src/core/ports.js'
import type { TokenEngine } from '../../src/token-source.js'
import { anAnswer } from '../core/records.js'
import { hour, place } from './place.js'

// A store that is read and not written: a full disk, a quota, a database that was opened for reading.

const full = new OAuthError('store_unavailable', 'QuotaExceededError')

/** A place whose store refuses writes while it is told to. */
function fullPlace() {
  const here = place()
  const { replace } = here.store
  const state = { full: false, writes: 0 }
  const writes: Store['replace'] = async (...parameters) => {
    state.writes += 1
    if (state.full) throw full
    return replace(...parameters)
  }
  Object.assign(here.store, { replace: writes })
  const said = () => here.facts.filter(({ type }) => type.startsWith('store_')).map(({ type }) => type)
  return { ...here, state, said }
}

const outcome = (promise: Promise<unknown>) =>
  promise.then(
    () => 'served',
    (error: unknown) => (error as OAuthError).code,
  )

test('B16 a disk that is full in the middle of a session: the living token is served, and the store is asked a few times a call', async () => {
  const { clock, source, signIn, requests, state, said } = fullPlace()
  const engine = source()
  await signIn(engine)
  await clock.advance(hour - 30_000)
  state.full = true
  state.writes = 0
  for (let call = 0; call < 100; call += 1) expect(await outcome(engine.token())).toBe('served')
  await clock.advance(10_000)
  expect(await outcome(engine.token())).toBe('served')
  expect(state.writes).toBeLessThanOrEqual(6)
  expect(requests).toEqual([])
  expect(said()).toEqual(['store_failed'])
})

test('B16 … when the token is dead, callers are told store_unavailable in seconds, nothing is sent, and it goes on when there is room', async () => {
  const { clock, source, signIn, requests, state, said } = fullPlace()
  const engine = source()
  await signIn(engine)
  await clock.advance(hour)
  state.full = true
  const calls = Promise.all([engine.token(), engine.token()].map(outcome))
  await clock.advance(4_000)
  expect(await calls).toEqual(['store_unavailable', 'store_unavailable'])
  expect(requests).toEqual([])
  state.full = false
  const later = outcome(engine.token())
  await clock.advance(1_000)
  expect(await later).toBe('served')
  expect(requests).toHaveLength(1)
  expect(said()).toEqual(['store_failed', 'store_recovered'])
})

test('B16 a disk that is full when the answer comes: it is kept, tried again, and told once; nothing else is sent', async () => {
  const { clock, source, signIn, requests, server, renewed, state, said } = fullPlace()
  const [engine, other] = [source(), source()]
  await signIn(engine)
  await clock.advance(hour)
  server.answer = async () => {
    state.full = true
    return renewed()
  }
  const call = outcome(engine.token())
  await clock.advance(9_000)
  expect(requests.map(({ refreshToken }) => refreshToken)).toEqual(['R0'])
  state.full = false
  await clock.advance(1_000)
  expect(await call).toBe('served')
  expect(await outcome(other.token())).toBe('served')
  expect(requests).toHaveLength(1)
  expect(said()).toEqual(['store_failed', 'store_recovered'])
})

test.for<readonly [string, (engine: TokenEngine) => Promise<unknown>]>([
  ['a sign-in', (engine) => engine.signIn(anAnswer({ lifetime: hour }), { scope: ['read'], started: { monotonic: 0, wall: 0 } })],
  ['a sign-out', (engine) => engine.signOut()],
])('B16 %s that cannot be written rejects with store_unavailable in seconds, and the session is as it was', async ([, act]) => {
  const { clock, source, signIn, state } = fullPlace()
  const engine = source()
  await signIn(engine)
  const before = (await engine.look()).record
  state.full = true
  state.writes = 0
  const acting = outcome(act(engine))
  await clock.advance(4_000)
  expect(await acting).toBe('store_unavailable')
  expect(state.writes).toBe(5)
  state.full = false
  expect((await engine.look()).record).toBe(before)
})

test('a write that threw has happened: a sign-in and a sign-out are done all the same', async () => {
  const { clock, source, store } = place()
  const { replace } = store
  let throws = true
  Object.assign(store, {
    replace: async (...parameters: Parameters<Store['replace']>) => {
      const done = await replace(...parameters)
      if (throws) throw full
      return done
    },
  })
  const engine = source()
  const signing = engine.signIn(anAnswer({ lifetime: hour }), { scope: ['read'], started: { monotonic: 0, wall: 0 } })
  await clock.advance(4_000)
  const { session } = await signing
  const ending = engine.signOut()
  await clock.advance(4_000)
  expect(await ending).toMatchObject({ session })
  throws = false
  expect((await engine.look()).record?.ended?.reason).toBe('signed_out')
})
