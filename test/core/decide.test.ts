import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Decision, type Policy, type Rejected, type Wanted, decide } from '../../src/core/decide.js'
import { type Times, nothingSeen } from '../../src/core/lifetime.js'
import type { TokenRecord } from '../../src/core/token-record.js'
import { aRecord, aToken, now, without } from './records.js'

const policy: Policy = {
  issuer: 'https://as.example',
  clientId: 'c',
  margin: 60_000,
  share: 0.25,
  spread: 0,
  scopeNamedDifferently: false,
  inOwnRight: false,
}
const anything: Wanted = { minimumValidity: 0, after: Infinity }
const hour = 3_600_000

const later = (milliseconds: number): Times => ({ now: now + milliseconds, monotonic: milliseconds, sightings: nothingSeen })

interface Case {
  readonly record?: TokenRecord | undefined
  readonly at?: number
  readonly wanted?: Partial<Wanted>
  readonly rejected?: Rejected
  readonly session?: string
  readonly policy?: Partial<Policy>
}

function decided(each: Case): Decision {
  const record = 'record' in each ? each.record : aRecord()
  return decide(record, later(each.at ?? 0), { ...policy, ...each.policy }, { ...anything, ...each.wanted }, each.rejected, each.session)
}

/** What was decided, and which token it names. */
function inWords(decision: Decision): string {
  if (decision.kind === 'use' || decision.kind === 'use_and_renew_behind') return `${decision.kind} ${decision.token.text.reveal()}`
  if (decision.kind === 'sign_in') return decision.ended === undefined ? 'sign_in' : `sign_in ${decision.ended}`
  if (decision.kind === 'scope_not_granted') return `scope_not_granted ${decision.missing.join(' ')}`
  return decision.kind === 'wait' ? `wait ${decision.remaining}` : decision.kind
}

const wait = { id: 'w', until: now + 5_000, span: 5_000, code: 'network' } as const
const short = (lifetime: number): TokenRecord => aRecord({ accessTokens: [aToken({ lifetime })] })
const unlimited = aRecord({ accessTokens: [withoutLifetime(aToken())] })
const narrow = aToken({ text: 'narrow', asked: { scope: ['read'] }, granted: ['read'], generation: 2 })
const elsewhere = aToken({ text: 'elsewhere', asked: { resource: 'https://b.example/' }, generation: 3 })
const several = aRecord({ generation: 3, accessTokens: [elsewhere, narrow, aToken()] })

function withoutLifetime(token: ReturnType<typeof aToken>): ReturnType<typeof aToken> {
  const { lifetime: _, ...others } = token
  return others
}

describe('decide', () => {
  test.for<readonly [string, Case, string]>([
    ['nothing is stored', { record: undefined }, 'sign_in'],
    ['B18 the record of another issuer', { record: aRecord({ issuer: 'https://other.example' }) }, 'sign_in'],
    ['B18 the record of another client', { record: aRecord({ clientId: 'other' }) }, 'sign_in'],
    ['R8 an ended session says why', { record: aRecord({ ended: { at: now, reason: 'invalid_grant' } }) }, 'sign_in invalid_grant'],
    ['the call began in another session', { session: 's0' }, 'another_session'],
    ['… which has ended too', { session: 's0', record: aRecord({ ended: { at: now, reason: 'signed_out' } }) }, 'another_session'],
    ['the call began in this session', { session: 's1' }, 'use access'],
    ['a fresh token', {}, 'use access'],
    ['R13 one millisecond before the margin of a minute', { at: hour - 60_001 }, 'use access'],
    ['R13 at the margin', { at: hour - 60_000 }, 'use_and_renew_behind access'],
    ['R13 who drew most waits longest', { at: hour - 60_000, policy: { spread: 0.999 } }, 'use access'],
    ['T18 more than a second left', { at: hour - 1_001 }, 'use_and_renew_behind access'],
    ['T18 a second left may be dead on arrival', { at: hour - 1_000 }, 'renew_first'],
    ['expired', { at: hour + 1 }, 'renew_first'],
    ['R13 a token of 5 s is fresh for three quarters of its life', { record: short(5_000), at: 3_749 }, 'use access'],
    ['R13 … then it is renewed behind', { record: short(5_000), at: 3_750 }, 'use_and_renew_behind access'],
    ['T18 … and in its last fifth first', { record: short(5_000), at: 4_000 }, 'renew_first'],
    ['T20 a lifetime of 0 is not waited out', { record: short(0) }, 'renew_first'],
    ['T20 a token that was made for this call is taken as it comes', { record: short(0), wanted: { after: 0 } }, 'use access'],
    ['no lifetime was said', { record: unlimited, at: 1_000 * hour }, 'use access'],
    ['no lifetime was said, and it was refused', { record: unlimited, rejected: { session: 's1', generation: 1 } }, 'renew_first'],
    ['R9 a back-off and a dead token', { record: aRecord({ wait }), at: 0, rejected: { session: 's1', generation: 1 } }, 'wait 5000'],
    [
      'R9 a back-off that is over by a millisecond',
      { record: aRecord({ wait }), at: 5_000, rejected: { session: 's1', generation: 1 } },
      'renew_first',
    ],
    ['R9 one millisecond of back-off left', { record: aRecord({ wait }), at: 4_999, rejected: { session: 's1', generation: 1 } }, 'wait 1'],
    [
      'R9 a back-off and a token that lives',
      { record: aRecord({ wait: { ...wait, until: now + hour, span: hour } }), at: hour - 30_000 },
      'use access',
    ],
    ['no refresh token, and a token that lives', { record: without(aRecord(), 'refreshToken'), at: hour - 30_000 }, 'use access'],
    [
      'no refresh token, and none needed',
      { record: without(aRecord(), 'refreshToken'), at: hour, policy: { inOwnRight: true } },
      'renew_first',
    ],
    [
      'no refresh token, none needed, and a token that lives',
      { record: without(aRecord(), 'refreshToken'), at: hour - 30_000, policy: { inOwnRight: true } },
      'use_and_renew_behind access',
    ],
    ['no refresh token, and a dead one', { record: without(aRecord(), 'refreshToken'), at: hour }, 'sign_in expired'],
    ['F9 the refused token is of an older generation', { rejected: { session: 's1', generation: 0 } }, 'use access'],
    ['F9 the refused token is of this generation', { rejected: { session: 's1', generation: 1 } }, 'renew_first'],
    ['F9 the refused token is of a later generation than the store has', { rejected: { session: 's1', generation: 2 } }, 'renew_first'],
    [
      'F9 wide and narrow were refused: the other is no answer',
      { record: several, wanted: { scope: ['read'] }, rejected: { session: 's1', generation: 2 } },
      'renew_first',
    ],
    [
      'F9 a narrow token of a later generation answers the wide one’s refusal',
      { record: several, wanted: { scope: ['read'] }, rejected: { session: 's1', generation: 1 } },
      'use narrow',
    ],
    ['a narrower call takes what covers it, the newest first', { record: several, wanted: { scope: ['read'] } }, 'use narrow'],
    ['a call without a scope takes what the session has', { record: several }, 'use access'],
    ['a wider call does not take the narrow one', { record: several, wanted: { scope: ['write'] } }, 'use access'],
    ['another resource has its own', { record: several, wanted: { resource: 'https://b.example/' } }, 'use elsewhere'],
    ['a resource that has none yet', { record: several, wanted: { resource: 'https://c.example/' } }, 'renew_first'],
    ['an audience is no resource', { record: several, wanted: { audience: 'https://b.example/' } }, 'renew_first'],
    ['a scope that was not granted', { wanted: { scope: ['read', 'admin'] } }, 'scope_not_granted admin'],
    [
      '… under a server that names it differently',
      { wanted: { scope: ['admin'] }, policy: { scopeNamedDifferently: true } },
      'renew_first',
    ],
    [
      'the token that was made for exactly this came narrower',
      {
        record: aRecord({ accessTokens: [aToken({ asked: { scope: ['read', 'write'] }, granted: ['read'] })] }),
        wanted: { scope: ['write', 'read'] },
      },
      'scope_not_granted write',
    ],
    ['enough validity', { at: hour / 2, wanted: { minimumValidity: hour / 2 } }, 'use access'],
    ['too little validity', { at: hour / 2, wanted: { minimumValidity: hour / 2 + 1 } }, 'renew_first'],
    ['T14 bound tokens are wanted, and the one that is there is not', { policy: { tokenType: 'DPoP' } }, 'renew_first'],
    [
      'T15 a bound token is nothing for who proves nothing, and its refresh token neither',
      { record: aRecord({ accessTokens: [aToken({ type: 'DPoP' })], boundTo: 'key' }) },
      'sign_in expired',
    ],
    [
      'a bound token for who proves its key',
      { record: aRecord({ accessTokens: [aToken({ type: 'DPoP' })], boundTo: 'key' }), policy: { tokenType: 'DPoP' } },
      'use access',
    ],
    ['more validity than any token has, renewed once', { wanted: { minimumValidity: 2 * hour, after: 0 } }, 'use access'],
  ])('%s', ([, each, expected]) => {
    expect(inWords(decided(each))).toBe(expected)
  })

  test('decide is pure: it changes nothing and says the same again', () => {
    const record = Object.freeze(several)
    expect(decided({ record })).toEqual(decided({ record }))
  })

  test('T20 no lifetime from 0 to 5 s makes a loop: a token is renewed at most once a life, unless it was refused', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5_000 }), fc.double({ min: 0, max: 0.999, noNaN: true }), (lifetime, spread) => {
        const kinds = Array.from(
          { length: 20 },
          (_, index) => decided({ record: short(lifetime), at: (lifetime * index) / 20, policy: { spread } }).kind,
        )
        // Fresh first, and never fresh again.
        expect(kinds[0]).toBe('use')
        expect(kinds.lastIndexOf('use')).toBeLessThan(kinds.findIndex((kind) => kind !== 'use'))
        expect(kinds.filter((kind) => kind === 'use').length).toBeGreaterThanOrEqual(14)
      }),
    )
  })

  test('I13 whatever is asked, a token that is handed out covers it and is for its resource', () => {
    const scope = fc.option(fc.uniqueArray(fc.constantFrom('read', 'write', 'admin'), { maxLength: 3 }), { nil: undefined })
    const resource = fc.constantFrom(undefined, 'https://b.example/', 'https://c.example/')
    const token = fc.record({
      scope,
      resource,
      granted: fc.uniqueArray(fc.constantFrom('read', 'write'), { maxLength: 2 }),
      generation: fc.nat(5),
    })
    fc.assert(
      fc.property(fc.array(token, { maxLength: 5 }), scope, resource, (tokens, wantedScope, wantedResource) => {
        const accessTokens = tokens.map((each, index) =>
          aToken({
            text: `${index}`,
            granted: each.granted,
            generation: each.generation,
            asked: { ...(each.scope && { scope: each.scope }), ...(each.resource && { resource: each.resource }) },
          }),
        )
        const wanted = { ...(wantedScope && { scope: wantedScope }), ...(wantedResource && { resource: wantedResource }) }
        const decision = decided({ record: aRecord({ accessTokens }), wanted })
        if (decision.kind !== 'use' && decision.kind !== 'use_and_renew_behind') return
        expect(decision.token.asked.resource).toBe(wantedResource)
        for (const value of wantedScope ?? []) expect(decision.token.granted).toContain(value)
      }),
    )
  })
})
