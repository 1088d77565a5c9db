import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { decodeTokenRecord, encodeTokenRecord } from '../../src/core/codec.js'
import { decodePendingRequests, encodePendingRequests } from '../../src/core/pending-codec.js'
import type { PendingRequest } from '../../src/core/pending-request.js'
import { Secret, bare, present } from '../../src/core/secret.js'
import { type StoredToken, type TokenRecord, tokenRecord } from '../../src/core/token-record.js'
import { aRecord, aToken, now } from './records.js'

const text = fc.string({ minLength: 1 })
const secret = text.map((each) => Secret.of(each))
const optional = <T>(each: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(each, { nil: undefined })
const strings = fc.array(text, { maxLength: 3 })
const time = fc.integer({ min: 0, max: 2 ** 45 })
const count = fc.nat()
const json = fc.dictionary(
  fc.string().filter((name) => name !== '__proto__'),
  fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null)),
  { maxKeys: 3 },
)

const asked = fc.record({ scope: optional(strings), resource: optional(text), audience: optional(text) }).map((each) => present(each))
const storedToken: fc.Arbitrary<StoredToken> = fc
  .record({
    text: secret,
    type: fc.constantFrom('Bearer' as const, 'DPoP' as const),
    asked,
    granted: strings,
    generation: count,
    issuedAt: time,
    lifetime: optional(fc.nat()),
  })
  .map((each) => present<StoredToken>(each as never))

const record: fc.Arbitrary<TokenRecord> = fc
  .record({
    issuer: text,
    clientId: text,
    session: text,
    generation: count,
    ended: optional(fc.record({ at: time, reason: fc.constantFrom('signed_out' as const, 'invalid_grant' as const, 'expired' as const) })),
    grantedScope: strings,
    refreshToken: optional(secret),
    idToken: optional(secret),
    idTokenClaims: optional(json.chain((others) => fc.record({ iss: text, sub: text }).map((own) => ({ ...others, ...own })))),
    authorizationDetails: optional(
      fc.array(
        json.chain((others) => text.map((type) => ({ ...others, type }))),
        { maxLength: 2 },
      ),
    ),
    sessionExpiresAt: optional(time),
    refreshTokenExpiresAt: optional(time),
    accessTokens: fc.array(storedToken, { maxLength: 3 }),
    sending: optional(fc.record({ by: text, startedAt: time })),
    unclear: optional(count),
    wait: optional(fc.record({ id: text, until: time, span: fc.nat(), code: fc.constantFrom('network' as const, 'timed_out' as const) })),
    boundTo: optional(text),
  })
  .map((members) => tokenRecord(members as never))

const pending: fc.Arbitrary<PendingRequest> = fc
  .record({
    state: secret,
    codeVerifier: secret,
    nonce: optional(secret),
    issuer: text,
    clientId: text,
    owner: text,
    redirectUri: text,
    scope: strings,
    resource: strings,
    maxAgeSeconds: optional(fc.nat()),
    returnTo: optional(text),
    boundTo: optional(text),
    createdAt: time,
  })
  .map((members) => present<PendingRequest>(members as never))

/** The same with its Secrets as text, so that two can be compared. */
function revealed(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(revealed)
  if (Object.hasOwn(value, 'reveal')) return `secret ${(value as Secret).reveal()}`
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, revealed(member)]))
}

const whole = aRecord({
  idToken: Secret.of('id'),
  idTokenClaims: { iss: 'i', sub: 'u' },
  sending: { by: 'me', startedAt: now },
  wait: { id: 'w', until: now, span: 5, code: 'network' },
  unclear: 1,
})
const written = encodeTokenRecord(whole)

describe('the text that a store holds', () => {
  test('a record comes back as it was', () => {
    fc.assert(
      fc.property(record, (each) => {
        expect(revealed(decodeTokenRecord(encodeTokenRecord(each)))).toEqual(revealed(each))
      }),
    )
  })

  test('pending requests come back as they were', () => {
    fc.assert(
      fc.property(fc.array(pending, { maxLength: 3 }), (each) => {
        expect(revealed(decodePendingRequests(encodePendingRequests(each)))).toEqual(revealed(each))
      }),
    )
  })

  test('B18 a text that was cut anywhere is no record', () => {
    for (let length = 0; length < written.length; length += 1) expect(decodeTokenRecord(written.slice(0, length))).toBeUndefined()
  })

  test('B18 no text makes it throw', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (each) => {
        decodeTokenRecord(each)
        decodePendingRequests(each)
      }),
    )
  })

  test.for<readonly [string, readonly string[], unknown]>([
    ['no issuer', ['issuer'], undefined],
    ['a session that is a number', ['session'], 5],
    ['a generation that is a text', ['generation'], '1'],
    ['a generation beyond all counting', ['generation'], 1e300],
    ['a fraction of a generation', ['generation'], 1.5],
    ['scope as one text', ['grantedScope'], 'read write'],
    ['a scope value that is no text', ['grantedScope', '0'], null],
    ['a refresh token that is an object', ['refreshToken'], { reveal: 'x' }],
    ['an empty refresh token', ['refreshToken'], ''],
    ['an access token without text', ['accessTokens', '0', 'text'], undefined],
    ['a token type that nobody knows', ['accessTokens', '0', 'type'], 'MAC'],
    ['a lifetime that is null', ['accessTokens', '0', 'lifetime'], null],
    ['accessTokens as an object', ['accessTokens'], {}],
    ['a mark without a name', ['sending'], { startedAt: 1 }],
    ['a wait without a span', ['wait', 'span'], undefined],
    ['claims without a subject', ['idTokenClaims', 'sub'], undefined],
    ['an end without a reason', ['ended'], { at: 1 }],
    ['an end for a reason of another version', ['ended'], { at: 1, reason: 'bored' }],
  ])('B18 a poisoned record is none: %s', ([, path, value]) => {
    const poisoned = JSON.parse(written) as Record<string, unknown>
    const [last, ...before] = path.toReversed() as [string, ...string[]]
    const place = before.reduceRight<Record<string, unknown>>((at, name) => at[name] as Record<string, unknown>, poisoned)
    place[last] = value
    expect(decodeTokenRecord(JSON.stringify(poisoned))).toBeUndefined()
  })

  test('a member that this version does not know is left out', () => {
    expect(Object.keys(decodeTokenRecord(JSON.stringify({ ...(JSON.parse(written) as object), later: 1 })) ?? {})).not.toContain('later')
  })

  describe('on a polluted Object.prototype', () => {
    const polluted = Object.prototype as Record<string, unknown>

    afterEach(() => {
      for (const name of ['toJSON', 'refreshToken', 'ended', 'reveal']) delete polluted[name]
      delete (Array.prototype as unknown as Record<string, unknown>)['toJSON']
    })

    test('B18 toJSON never sees a token, and the text is the same', () => {
      const seen: unknown[] = []
      const spy = function (this: unknown): unknown {
        seen.push(this)
        return 'polluted'
      }
      Object.defineProperty(polluted, 'toJSON', { value: spy, configurable: true, writable: true })
      Object.defineProperty(Array.prototype, 'toJSON', { value: spy, configurable: true, writable: true })
      const text = encodeTokenRecord(whole)
      delete polluted['toJSON']
      delete (Array.prototype as unknown as Record<string, unknown>)['toJSON']
      expect(seen).toEqual([])
      expect(text).toBe(written)
    })

    test('B18 a member that is missing is not found there instead', () => {
      const bareText = encodeTokenRecord(tokenRecord({ ...aRecord({ accessTokens: [aToken()] }), refreshToken: undefined }))
      Object.defineProperty(polluted, 'refreshToken', { value: 'stolen', configurable: true, writable: true })
      Object.defineProperty(polluted, 'ended', { value: { at: 1, reason: 'signed_out' }, configurable: true, writable: true })
      const back = decodeTokenRecord(bareText)
      expect(back?.refreshToken).toBeUndefined()
      expect(back?.ended).toBeUndefined()
    })
  })

  test('a record that was read prints no secret', () => {
    const back = decodeTokenRecord(encodeTokenRecord(aRecord({ accessTokens: [aToken({ text: 'top-secret' })] })))
    expect(JSON.stringify(bare({ ...back }))).not.toContain('top-secret')
  })
})
