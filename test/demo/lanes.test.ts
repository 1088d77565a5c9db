import { expect, test } from 'vitest'
import type { Happening } from '../../demo/page/happenings.js'
import { lanesOf } from '../../demo/page/lanes.js'
import type { OAuthFact } from '../../src/core/events.js'

const event = (tab: string, at: number, fact: OAuthFact): Happening => ({
  tab,
  at,
  kind: 'event',
  event: { at, issuer: 'https://as.example', clientId: 'page', ...fact },
})
const call = (tab: string, at: number, id: string): Happening => ({ tab, at, kind: 'call', id, label: id })
const answer = (tab: string, at: number, id: string): Happening => ({
  tab,
  at,
  kind: 'answer',
  id,
  label: id,
  outcome: '200',
  good: true,
  quiet: false,
})
const attached = { type: 'token_attached', origin: 'https://api.example' } as const

const whole = (label: string, from: number, sent: number, until: number) => ({
  label,
  stretches: [
    { kind: 'waits', from, until: sent },
    { kind: 'travels', from: sent, until },
  ],
  until,
  good: true,
})

test('one tab renews, and both tabs’ calls wait for it', () => {
  const lanes = lanesOf(
    [
      call('A', 0, 'a'),
      event('A', 1, { type: 'renewal_started' }),
      call('B', 2, 'b'),
      event('A', 9, { type: 'renewal_finished', tookMilliseconds: 8 }),
      event('A', 10, attached),
      event('B', 11, { type: 'renewal_adopted' }),
      event('B', 12, attached),
      answer('A', 20, 'a'),
      answer('B', 21, 'b'),
    ],
    'A',
  )
  expect(lanes).toEqual([
    { tab: 'A', calls: [whole('a', 0, 10, 20)], renewals: [{ from: 1, until: 9 }], marks: [] },
    {
      tab: 'B',
      calls: [whole('b', 2, 12, 21)],
      renewals: [],
      marks: [{ kind: 'adopted', at: 11, words: 'took over another’s token' }],
    },
  ])
})

test('this tab has a lane before it has done anything', () => {
  expect(lanesOf([call('B', 0, 'b')], 'A').map(({ tab }) => tab)).toEqual(['A', 'B'])
})

test('calls that wait together are sent in the order in which they came', () => {
  const [lane] = lanesOf([call('A', 0, 'a'), call('A', 1, 'b'), event('A', 5, attached), event('A', 6, attached)], 'A')
  expect(lane?.calls.map(({ stretches }) => stretches.at(-1))).toEqual([
    { kind: 'travels', from: 5 },
    { kind: 'travels', from: 6 },
  ])
})

test('a call whose token was refused waits once more', () => {
  const rejected = { type: 'token_rejected', origin: 'https://api.example' } as const
  const [lane] = lanesOf(
    [call('A', 0, 'a'), event('A', 1, attached), event('A', 4, rejected), event('A', 8, attached), answer('A', 9, 'a')],
    'A',
  )
  expect(lane?.calls[0]?.stretches).toEqual([
    { kind: 'waits', from: 0, until: 1 },
    { kind: 'travels', from: 1, until: 4 },
    { kind: 'waits', from: 4, until: 8 },
    { kind: 'travels', from: 8, until: 9 },
  ])
})

test('a failed renewal says why, with or without a beginning on the screen', () => {
  const failed = { type: 'renewal_failed', code: 'server_unavailable' } as const
  expect(lanesOf([event('A', 1, { type: 'renewal_started' }), event('A', 4, failed)], 'A')[0]?.renewals).toEqual([
    { from: 1, until: 4, failed: 'server_unavailable' },
  ])
  expect(lanesOf([event('A', 4, failed)], 'A')[0]?.renewals).toEqual([{ from: 4, until: 4, failed: 'server_unavailable' }])
})

test('an answer whose call has left the screen is not drawn', () => {
  expect(lanesOf([answer('A', 1, 'gone')], 'A')[0]?.calls).toEqual([])
})
