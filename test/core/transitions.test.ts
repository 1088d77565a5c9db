import { describe, expect, test } from 'vitest'
import { Secret } from '../../src/core/secret.js'
import type { StoredToken, TokenRecord } from '../../src/core/token-record.js'
import { type Renewal, type SignIn, changed, ended, narrowedBy, renewed, signedIn } from '../../src/core/transitions.js'
import { aRecord, aToken, anAnswer, now } from './records.js'

const renewal: Renewal = { generation: 1, by: 'me', asked: {}, whole: true, startedAt: now + 5 }
const signIn: SignIn = {
  issuer: 'https://as.example',
  clientId: 'c',
  session: 's1',
  scope: ['openid', 'read', 'offline_access'],
  scopeNamedDifferently: false,
  asked: {},
  severalResources: false,
  startedAt: now,
}
const texts = (record: TokenRecord): readonly string[] => record.accessTokens.map(({ text }) => text.reveal())

describe('renewed', () => {
  test('R3 the new refresh token takes the place of the old one, with its access token, in one record', () => {
    const after = renewed(aRecord(), renewal, anAnswer({ refreshToken: 'R1' }))
    expect(after.refreshToken?.reveal()).toBe('R1')
    expect(texts(after)).toEqual(['next access'])
    expect(after.generation).toBe(2)
    expect(after.accessTokens[0]).toMatchObject({ generation: 2, issuedAt: now + 5, lifetime: 3_600_000 })
  })

  test('R4 no new refresh token in the answer: the old one is kept', () => {
    expect(renewed(aRecord(), renewal, anAnswer()).refreshToken?.reveal()).toBe('refresh')
  })

  test('R4 the same holds for the ID token, its claims and the authorization details', () => {
    const before = aRecord({ idToken: Secret.of('id'), idTokenClaims: { iss: 'i', sub: 'u' }, authorizationDetails: [{ type: 'payment' }] })
    const after = renewed(before, renewal, anAnswer())
    expect(after.idToken?.reveal()).toBe('id')
    expect(after.idTokenClaims).toEqual({ iss: 'i', sub: 'u' })
    expect(after.authorizationDetails).toEqual([{ type: 'payment' }])
  })

  test('X9 what one token of several is good for says nothing of the others', () => {
    const [all, some] = [[{ type: 'payment' }, { type: 'account' }], [{ type: 'payment' }]]
    const before = aRecord({ authorizationDetails: all })
    const part = { ...renewal, whole: false, asked: { scope: ['read'] } }
    expect(renewed(before, renewal, anAnswer({ authorizationDetails: some })).authorizationDetails).toEqual(some)
    expect(renewed(before, part, anAnswer({ authorizationDetails: some })).authorizationDetails).toEqual(all)
    expect(renewed(aRecord(), part, anAnswer({ authorizationDetails: some })).authorizationDetails).toEqual(some)
  })

  test.for([
    ['a new refresh token, and both', { refreshToken: 'R1', refreshTokenLifetime: 7, authorizationLifetime: 8 }, now + 12, now + 13],
    ['a new refresh token, and nothing', { refreshToken: 'R1' }, undefined, undefined],
    ['the old refresh token, and nothing', {}, now + 70, now + 100],
    ['the old refresh token, which may be held for longer', { refreshTokenLifetime: 90 }, now + 95, now + 100],
    ['the old refresh token, of a grant that the user has extended', { authorizationLifetime: 900 }, now + 70, now + 905],
  ] as const)('R17 ends as they are known after an answer with %s', ([, members, refreshToken, session]) => {
    const before = aRecord({ refreshTokenExpiresAt: now + 70, sessionExpiresAt: now + 100 })
    const after = renewed(before, renewal, anAnswer(members))
    expect([after.refreshTokenExpiresAt, after.sessionExpiresAt]).toEqual([refreshToken, session])
  })

  test('tokens for other scopes and resources stay; the one that was asked for alike goes', () => {
    const before = aRecord({
      accessTokens: [
        aToken({ text: 'all' }),
        aToken({ text: 'narrow', asked: { scope: ['read'] } }),
        aToken({ text: 'other', asked: { resource: 'https://b.example/' } }),
        aToken({ text: 'audience', asked: { audience: 'https://b.example/' } }),
      ],
    })
    expect(texts(renewed(before, renewal, anAnswer()))).toEqual(['next access', 'narrow', 'other', 'audience'])
    expect(texts(renewed(before, { ...renewal, asked: { scope: ['read'] } }, anAnswer()))).toEqual([
      'next access',
      'all',
      'other',
      'audience',
    ])
    expect(texts(renewed(before, { ...renewal, asked: { resource: 'https://b.example/' } }, anAnswer()))).toEqual([
      'next access',
      'all',
      'narrow',
      'audience',
    ])
  })

  test('no more than twenty tokens are kept, the newest first', () => {
    const accessTokens = Array.from({ length: 30 }, (_, index) => aToken({ text: `t${index}`, asked: { scope: [`s${index}`] } }))
    const after = renewed(aRecord({ accessTokens }), renewal, anAnswer())
    expect(texts(after)).toHaveLength(20)
    expect(texts(after)[0]).toBe('next access')
  })

  test('a narrower answer narrows the session, if it was asked for all of it', () => {
    const before = aRecord()
    const after = renewed(before, renewal, anAnswer({ scope: ['read'] }))
    expect(after.grantedScope).toEqual(['read'])
    expect(narrowedBy(before, renewal, after.accessTokens[0] as StoredToken)).toEqual(['write'])
    expect(renewed(before, { ...renewal, whole: false, asked: { scope: ['read'] } }, anAnswer({ scope: ['read'] })).grantedScope).toEqual([
      'read',
      'write',
    ])
  })

  test('no scope in the answer means as requested (RFC 6749 section 5.1)', () => {
    expect(renewed(aRecord(), renewal, anAnswer()).accessTokens[0]?.granted).toEqual(['read', 'write'])
    expect(renewed(aRecord(), { ...renewal, asked: { scope: ['read'] } }, anAnswer()).accessTokens[0]?.granted).toEqual(['read'])
  })

  const wait = { id: 'w', until: now, span: 1, code: 'network' } as const

  test.for<readonly [string, Partial<TokenRecord>, number | undefined]>([
    ['the own mark and the wait go, without a doubt', { sending: { by: 'me', startedAt: now }, wait }, undefined],
    ['R7 an old doubt stays', { sending: { by: 'me', startedAt: now }, unclear: 1 }, 1],
    [
      'R7 another’s mark is a request that may still be answered: it stays, and the generation is in doubt',
      { sending: { by: 'another', startedAt: now } },
      1,
    ],
    ['no mark any more, after a timeout', { unclear: 1, wait }, 1],
  ])('%s', ([, members, unclear]) => {
    const seen = aRecord(members)
    const after = renewed(seen, renewal, anAnswer({ refreshToken: 'R1' }))
    expect(after.sending).toEqual(seen.sending?.by === renewal.by ? undefined : seen.sending)
    expect(after.wait).toBeUndefined()
    expect(after.unclear).toBe(unclear)
  })
})

describe('signedIn', () => {
  test('what came with the token is granted though the answer’s scope leaves it out', () => {
    const record = signedIn(signIn, anAnswer({ scope: ['read'], idToken: Secret.of('id'), refreshToken: 'R0' }), 4)
    expect([...record.grantedScope].toSorted()).toEqual(['offline_access', 'openid', 'read'])
    expect(signedIn(signIn, anAnswer({ scope: ['read'] }), 4).grantedScope).toEqual(['read'])
    expect(record.generation).toBe(4)
  })

  test('with several resources the first token’s scope says nothing about the others', () => {
    const record = signedIn({ ...signIn, severalResources: true }, anAnswer({ scope: ['read'] }), 1)
    expect([...record.grantedScope].toSorted()).toEqual(['offline_access', 'openid', 'read'])
    expect(record.accessTokens[0]?.granted).toEqual(['read'])
  })
})

test('R8 an ended record says when and why, is of a later generation, and holds nothing that opens anything', () => {
  const before = aRecord({
    idToken: Secret.of('id'),
    idTokenClaims: { iss: 'i', sub: 'u' },
    sending: { by: 'me', startedAt: now },
    unclear: 1,
  })
  expect({ ...ended(before, 'invalid_grant', now + 1) }).toEqual({
    issuer: 'https://as.example',
    clientId: 'c',
    session: 's1',
    generation: 2,
    ended: { at: now + 1, reason: 'invalid_grant' },
    grantedScope: [],
    accessTokens: [],
  })
})

test('changed takes away what is undefined, and leaves the rest', () => {
  const before = aRecord({ sending: { by: 'me', startedAt: now }, unclear: 1 })
  const after = changed(before, { sending: undefined })
  expect(Object.hasOwn(after, 'sending')).toBe(false)
  expect(after.unclear).toBe(1)
  expect(before.sending?.by).toBe('me')
})
