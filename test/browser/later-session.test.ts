import { expect, onTestFinished, test, vi } from 'vitest'
import { later } from '../../src/browser/later.js'
import { laterSession } from '../../src/browser/later-session.js'
import { clientOptions, readClient } from '../../src/core/client-options.js'
import type { Session } from '../../src/core/session-contract.js'
import { fakeSession } from '../../src/testing/fake-session.js'
import { systemClock } from '../../src/system-clock.js'

// A session whose code comes when it is asked for anything.

const client = readClient({ issuer: 'https://as.example', clientId: 'page' }, clientOptions, { clock: systemClock })
const signedIn = () => fakeSession({ status: 'signed_in', grantedScope: ['notes:read'] })

function aSession(inner: Session = signedIn()) {
  let loads = 0
  let arrive: () => void = () => {}
  let fail: () => void = () => {}
  const load = () => {
    loads += 1
    return new Promise<Session>((resolve, reject) => {
      arrive = () => resolve(inner)
      fail = () => reject(new TypeError('Failed to fetch dynamically imported module'))
    })
  }
  return { session: laterSession(client, load, false), loads: () => loads, arrive: () => arrive(), fail: () => fail() }
}

test('it loads nothing when it is made, and once when it is asked, however often', async () => {
  const { session, loads, arrive } = aSession()
  expect(loads()).toBe(0)
  expect(session.snapshot()).toEqual({ status: 'unknown', grantedScope: [] })
  expect(session.missingScope(['notes:read'])).toEqual(['notes:read'])
  expect(loads()).toBe(0)
  const asked = [session.resume(), session.resume(), session.token()]
  arrive()
  expect(await Promise.all(asked)).toEqual([true, true, expect.anything()])
  expect(loads()).toBe(1)
  expect(session.missingScope(['notes:read'])).toEqual([])
})

test('code that cannot be had is a failure with a code and a way out, and is asked for again', async () => {
  const { session, loads, arrive, fail } = aSession()
  const first = session.token().catch((error: unknown) => error)
  fail()
  expect(await first).toMatchObject({ name: 'OAuthError', code: 'network', message: expect.stringContaining('load the page anew') })
  const second = session.resume()
  arrive()
  expect(await second).toBe(true)
  expect(loads()).toBe(2)
})

test('who subscribes before it is there is told as any other, and who has left by then is not', async () => {
  const inner = fakeSession({ status: 'signed_out' })
  const { session, arrive } = aSession(inner)
  const told: string[] = []
  const left = session.subscribe(() => told.push('left'))
  onTestFinished(session.subscribe(() => told.push('there')))
  left()
  const before = session.snapshot()
  arrive()
  await session.resume()
  expect(before).toEqual({ status: 'unknown', grantedScope: [] })
  await session.signIn()
  expect(new Set(told)).toEqual(new Set(['there']))
})

test('once it is here, signIn reaches the user agent in the turn of the click', async () => {
  let begun = 0
  const inner: Session = {
    ...signedIn(),
    signIn: async () => {
      begun += 1
    },
  }
  const { session, arrive } = aSession(inner)
  const resumed = session.resume()
  arrive()
  await resumed
  void session.signIn()
  expect(begun).toBe(1)
})

test('what is loaded later is preloaded without a word, and its failure is nobody’s', async () => {
  const load = vi.fn<() => Promise<{ readonly part: 1 }>>().mockRejectedValueOnce(new TypeError('offline')).mockResolvedValue({ part: 1 })
  const part = later(load)
  part.preload()
  await new Promise((resolve) => setImmediate(resolve))
  expect(await part.now()).toEqual({ part: 1 })
  expect(part.now()).toEqual({ part: 1 })
  expect(load).toHaveBeenCalledTimes(2)
})
