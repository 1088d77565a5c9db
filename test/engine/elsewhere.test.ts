import { describe, expect, test } from 'vitest'
import { OAuthError } from '../../src/core/errors.js'
import type { RenewElsewhere } from '../../src/engine/elsewhere.js'
import { codes, failing, hour, place, thousand } from './place.js'

// A place that renews the same record and outlives this one, as the worker of a page does.

describe('a renewal elsewhere', () => {
  test('is asked once for a thousand callers, told which generation is due, and nothing is sent here', async () => {
    const { clock, requests, facts, source, signIn } = place()
    const other = source()
    const asked: Parameters<RenewElsewhere>[] = []
    const engine = source((...parameters) => {
      asked.push(parameters)
      return other.renew(parameters[0], parameters[1], parameters[1].session)
    })
    await signIn(engine)
    await clock.advance(hour)
    const calls = thousand(() => engine.token())
    await clock.advance(100)
    expect(codes(await calls)).toEqual(new Set(['served']))
    expect(requests.length).toBe(1)
    expect(asked.map(([, due]) => due.generation)).toEqual([1])
    expect(facts.map(({ type }) => type)).toEqual(['renewal_started', 'renewal_finished'])
  })

  test('is not asked where nothing is due', async () => {
    const { clock, source, signIn } = place()
    let asked = 0
    const engine = source(async () => void (asked += 1))
    await signIn(engine)
    await engine.token()
    await clock.advance(100)
    await engine.renew({ minimumValidity: 0, after: Infinity }, undefined, undefined)
    expect(asked).toBe(0)
  })

  test.each<[string, RenewElsewhere]>([
    ['that is not there', async () => undefined],
    ['that fails', () => Promise.reject(new Error('it is broken'))],
    ['that is done without a later generation', async () => ({})],
  ])('%s leaves the renewal to this place', async (_, elsewhere) => {
    const { clock, requests, source, signIn } = place()
    const engine = source(elsewhere)
    await signIn(engine)
    await clock.advance(hour)
    const call = engine.token()
    await clock.advance(100)
    await call
    expect(requests.map(({ refreshToken }) => refreshToken)).toEqual(['R0'])
  })

  test('whose answer is late and this place, which no longer waits for it, send one request', async () => {
    const { clock, requests, source, signIn } = place()
    const other = source()
    const engine = source(async (wanted, due) => {
      void other.renew(wanted, due, due.session)
      await clock.wait(20)
      return undefined
    })
    await signIn(engine)
    await clock.advance(hour)
    const call = engine.token()
    await clock.advance(2_000)
    await call
    expect(requests.length).toBe(1)
  })

  test('that is told of an error tells it to the callers, and nothing is sent here', async () => {
    const { clock, requests, source, signIn } = place()
    const engine = source(async () => ({ error: new OAuthError('network', 'simulated') }))
    await signIn(engine)
    await clock.advance(hour)
    const calls = thousand(() => engine.token())
    await clock.advance(100)
    expect(codes(await calls)).toEqual(new Set(['network']))
    expect(requests).toEqual([])
  })

  test('renews what the asker finds due, though it would not yet do so for itself', async () => {
    const { clock, requests, source, signIn } = place()
    const other = source()
    const engine = source((wanted, due) => other.renew(wanted, due, due.session))
    await signIn(engine)
    const rejected = await engine.token()
    const call = engine.token({ rejected })
    await clock.advance(100)
    await call
    expect(requests.length).toBe(1)
  })
})

test('an engine is at rest when an answer that came after the deadline is stored, and not before', async () => {
  const { clock, store, server, renewed, source, signIn } = place()
  const engine = source()
  await signIn(engine)
  await engine.atRest()
  await clock.advance(hour)
  server.answer = () => clock.wait(15_000).then(renewed)
  const call = engine.token().catch((error: unknown) => error)
  await clock.advance(11_000)
  expect(await call).toMatchObject({ code: 'timed_out' })
  let rests = false
  const rest = engine.atRest().then(() => (rests = true))
  await clock.advance(1_000)
  expect(rests).toBe(false)
  await clock.advance(5_000)
  await rest
  expect((await store.get('tokens'))?.value).toContain('R1')
})

test('an engine to which a late refusal comes is at rest too', async () => {
  const { clock, server, source, signIn } = place()
  const engine = source()
  await signIn(engine)
  await clock.advance(hour)
  server.answer = () => clock.wait(15_000).then(failing('network'))
  const call = engine.token().catch((error: unknown) => error)
  await clock.advance(20_000)
  await call
  await engine.atRest()
})
