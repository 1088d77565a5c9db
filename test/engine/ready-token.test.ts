import { describe, expect, test } from 'vitest'
import type { Proofs } from '../../src/core/dpop.js'
import { hour, place } from './place.js'

// A token that is handed out in the turn in which it is asked for: what `token` would have given, or nothing.

const anything = Object.freeze({})

describe('a token that is ready', () => {
  test('is the one that token gives, the same object until it is due, and then there is none', async () => {
    const { clock, source, signIn } = place()
    const engine = source()
    await signIn(engine)
    const ready = engine.ready(anything)
    expect(ready?.reveal()).toBe((await engine.token()).reveal())
    expect(engine.ready(anything)).toBe(ready)
    // A minute before its end, and some seconds more by the draw, it is renewed behind the call.
    await clock.advance(hour - 60_000)
    expect(engine.ready(anything)).toBe(ready)
    await clock.advance(10_000)
    expect(engine.ready(anything)).toBeUndefined()
  })

  test('shows itself again where a resource server has refused it, and is answered by a later one', async () => {
    const { clock, requests, source, signIn } = place()
    const engine = source()
    await signIn(engine)
    const ready = engine.ready(anything)
    const later = engine.token({ rejected: ready })
    await clock.advance(100)
    expect(await later).not.toBe(ready)
    expect(engine.ready(anything)).not.toBe(ready)
    expect(requests).toHaveLength(1)
  })

  test('is none before the record was looked at', async () => {
    const { source, signIn } = place()
    await signIn(source())
    const engine = source()
    expect(engine.ready(anything)).toBeUndefined()
    await engine.token()
    expect(engine.ready(anything)).toBeDefined()
  })

  test.each(['signs out', 'signs in anew'])('I6 I6b is none from the turn on in which another source %s', async (what) => {
    const { source, signIn } = place()
    const [engine, other] = [source(), source()]
    await signIn(engine)
    const before = engine.ready(anything)
    expect(before).toBeDefined()
    await (what === 'signs out' ? other.signOut() : signIn(other))
    expect(engine.ready(anything)).toBeUndefined()
    if (what === 'signs out') await expect(engine.token()).rejects.toMatchObject({ code: 'sign_in_required' })
    else {
      await engine.token()
      expect(engine.ready(anything)).not.toBe(before)
    }
    expect(engine.ready(anything) === undefined).toBe(what === 'signs out')
  })

  test('I13 is none for a scope or a resource that it does not cover, and each target has its own', async () => {
    const { source, signIn } = place()
    const engine = source()
    await signIn(engine)
    expect(engine.ready(anything)).toBeDefined()
    expect(engine.ready(Object.freeze({ scope: ['write'] }))).toBeUndefined()
    expect(engine.ready(Object.freeze({ resource: 'https://other.example/' }))).toBeUndefined()
    expect(engine.ready(Object.freeze({ scope: ['read'] }))).toBeDefined()
  })

  test('is none while the store holds what it forgot: that is put back first', async () => {
    const { clock, source, store, signIn } = place()
    const engine = source()
    await signIn(engine)
    const early = await store.get('tokens')
    await clock.advance(hour)
    const renewed = engine.token()
    await clock.advance(100)
    const text = (await renewed).reveal()
    const late = await store.get('tokens')
    await store.replace('tokens', late?.version, early)
    expect(engine.ready(anything)).toBeUndefined()
    expect((await engine.token()).reveal()).toBe(text)
    expect(engine.ready(anything)?.reveal()).toBe(text)
  })

  test('is none when the wall clock was set forward over its end, as token has none', async () => {
    const { clock, source, signIn } = place()
    const engine = source()
    await signIn(engine)
    expect(engine.ready(anything)).toBeDefined()
    await clock.advance(2 * hour)
    expect(engine.ready(anything)).toBeUndefined()
  })
})

describe('a bound token that is ready', () => {
  const proofs = (keys: ReadonlySet<string>): Proofs => ({
    holds: async (key) => keys.has(key),
    key: async () => 'k',
    proof: async () => 'proof',
    answered: () => false,
    bind: () => ({ proof: async () => 'proof', answered: () => false }),
  })

  test('is the one that token gives, with its proofs, and none before the key was looked for', async () => {
    const { source, signIn } = place({ bound: { to: 'k', proofs: proofs(new Set(['k'])) } })
    const engine = source()
    await signIn(engine)
    expect(engine.ready(anything)).toBeUndefined()
    await engine.token()
    const ready = engine.ready(anything)
    expect(ready?.tokenType).toBe('DPoP')
    expect(await ready?.headersFor('GET', 'https://api.example/')).toEqual({ authorization: `DPoP ${ready?.reveal()}`, dpop: 'proof' })
  })

  test('P12 is none whose key is gone, and token ends that session', async () => {
    const bound = { to: 'k', proofs: proofs(new Set(['k'])) }
    const { source, signIn } = place({ bound })
    const engine = source()
    await signIn(engine)
    await engine.token()
    bound.to = 'a key that is gone'
    await signIn(engine)
    expect(engine.ready(anything)).toBeUndefined()
    await expect(engine.token()).rejects.toMatchObject({ code: 'dpop_key_lost' })
  })

  test('I6 is none from the turn on in which another source signs out', async () => {
    const { source, signIn } = place({ bound: { to: 'k', proofs: proofs(new Set(['k'])) } })
    const [engine, other] = [source(), source()]
    await signIn(engine)
    await engine.token()
    expect(engine.ready(anything)).toBeDefined()
    await other.signOut()
    expect(engine.ready(anything)).toBeUndefined()
  })
})
