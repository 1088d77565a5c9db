import { describe, expect, test } from 'vitest'
import { type Sightings, knowExactly, look, nothingSeen, remainingLife, remainingWait, tokenName } from '../../src/core/lifetime.js'
import { aRecord, aToken, now } from './records.js'

const token = aToken({ lifetime: 60_000 })
const record = aRecord({ accessTokens: [token] })
const minute = 60_000

/** The life that is left when the wall clock has gone so far, and the own clock so far. */
function left(wall: number, monotonic: number, sightings: Sightings): number {
  return remainingLife(token, 's1', { now: now + wall, monotonic, sightings })
}

describe('lifetimes', () => {
  test('a token whose server did not say how long it lives lives on', () => {
    const { lifetime: _, ...unlimited } = token
    expect(remainingLife(unlimited, 's1', { now: now + 1e12, monotonic: 1e12, sightings: nothingSeen })).toBe(Infinity)
  })

  test.for<readonly [string, number, number, Sightings, number]>([
    ['never seen: the wall clock is all there is', 20_000, 0, nothingSeen, 40_000],
    ['never seen, and made by a clock that is ahead: not longer than its whole life', -20_000, 0, nothingSeen, 60_000],
    ['seen at 0: at least what the own clock counted', 5_000, 30_000, look(nothingSeen, record, 0), 30_000],
    ['T21 the wall clock set back by an hour: not fresh for an hour more', -60 * minute, 50_000, look(nothingSeen, record, 0), 10_000],
    [
      'seen absent at 10 s and there at 12 s, by a clock 10 minutes ahead',
      10 * minute,
      20_000,
      look(look(nothingSeen, undefined, 10_000), record, 12_000),
      50_000,
    ],
    ['a token that a look found again keeps its first sighting', 0, 30_000, look(look(nothingSeen, record, 0), record, 20_000), 30_000],
  ])('%s', ([, wall, monotonic, sightings, expected]) => {
    expect(left(wall, monotonic, sightings)).toBe(expected)
  })

  test('T21 what began here is exact: from the request’s start, however long the answer took', () => {
    const known = knowExactly(look(nothingSeen, record, 30_000), tokenName('s1', token), 0)
    expect(left(30_000, 30_000, known)).toBe(30_000)
    expect(left(-60 * minute, 30_000, known)).toBe(30_000)
  })

  test('what is in the record no more is forgotten', () => {
    const seen = look(look(nothingSeen, record, 0), aRecord({ accessTokens: [] }), 10)
    expect(seen.of.size).toBe(0)
  })

  test('R9 a wait is clamped like a life: never longer than its span since it was first seen, whatever the clocks say', () => {
    const wait = { id: 'w', until: now + 10 * minute, span: 5_000, code: 'network' } as const
    const sightings = look(nothingSeen, aRecord({ wait }), 1_000)
    expect(remainingWait(wait, { now, monotonic: 1_000, sightings })).toBe(5_000)
    expect(remainingWait(wait, { now, monotonic: 6_000, sightings })).toBe(0)
  })
})
