import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { asksForAnotherToken, challengeOf } from '../../src/core/challenge.js'

const answer = (status: number, header?: string) =>
  new Response(null, { status, headers: header === undefined ? {} : { 'www-authenticate': header } })

describe('challengeOf', () => {
  test.for([
    ['invalid_token', 'Bearer error="invalid_token"', { error: 'invalid_token' }],
    ['a challenge without an error', 'Bearer realm="x"', { error: undefined }],
    ['a scheme alone', 'Bearer', { error: undefined }],
    ['scope without an error', 'Bearer scope="a  b a"', { error: undefined, scope: ['a', 'b'] }],
    ['odd capitals', 'bEaReR ErRoR=invalid_token', { error: 'invalid_token' }],
    ['tokens in the place of quoted strings', 'Bearer error=insufficient_scope,scope=a', { error: 'insufficient_scope', scope: ['a'] }],
    [
      'white space wherever it may be',
      ' ,\t, Bearer   error = "invalid_token" \t , scope =\t"a" ,,',
      { error: 'invalid_token', scope: ['a'] },
    ],
    ['no comma between parameters', 'Bearer error="invalid_token" scope="a"', { error: 'invalid_token', scope: ['a'] }],
    ['escapes', 'Bearer error="invalid\\_token", scope="a\\b"', { error: 'invalid_token', scope: ['ab'] }],
    [
      'an escaped quote in another parameter',
      'Bearer realm="\\", error=\\"insufficient_scope\\"", error="invalid_token"',
      { error: 'invalid_token' },
    ],
    [
      'a challenge inside a quoted string',
      'Basic realm="a, Bearer error=\\"x\\"", bearer ERROR="invalid_token"',
      { error: 'invalid_token' },
    ],
    ['token68 before', 'Negotiate a87421000492aa874209af8bc028==, Bearer error="invalid_token"', { error: 'invalid_token' }],
    ['token68 of our own scheme', 'Bearer abc=, Bearer scope="a"', { error: undefined }],
    ['a stray quoted string before', '"Basic x", Bearer error="invalid_token"', { error: 'invalid_token' }],
    ['a scheme alone before', 'Negotiate, Bearer error="invalid_token"', { error: 'invalid_token' }],
    [
      'RFC 9110’s own example',
      'Basic realm="simple", Newauth realm="apps", type=1, title="Login to \\"apps\\"", Bearer scope=x',
      { error: undefined, scope: ['x'] },
    ],
    ['DPoP', 'DPoP algs="ES256", error="invalid_token"', { error: 'invalid_token' }],
    [
      'of several, the first that a sign-in can answer',
      'DPoP error="use_dpop_nonce", Bearer error="invalid_token"',
      { error: 'invalid_token' },
    ],
    ['a parameter twice: the first', 'Bearer scope="a", scope="b"', { error: undefined, scope: ['a'] }],
    [
      'step-up',
      'Bearer error="insufficient_user_authentication", acr_values="urn:x gold", max_age=5',
      { error: 'insufficient_user_authentication', acrValues: ['urn:x', 'gold'], maxAgeSeconds: 5 },
    ],
    [
      'max_age 0',
      'Bearer error="insufficient_user_authentication", max_age="0"',
      { error: 'insufficient_user_authentication', maxAgeSeconds: 0 },
    ],
    [
      'resource metadata',
      'Bearer resource_metadata="https://a.example/.well-known/oauth-protected-resource"',
      { error: undefined, resourceMetadata: 'https://a.example/.well-known/oauth-protected-resource' },
    ],
    [
      'names that mean something to objects',
      'Bearer __proto__="x", constructor="y", scope="__proto__"',
      { error: undefined, scope: ['__proto__'] },
    ],
  ] as const)('F8 reads %s', ([, header, challenge]) => {
    expect(challengeOf(answer(401, header))).toEqual(challenge)
  })

  test('F10 insufficient_scope says which scope', () => {
    expect(challengeOf(answer(403, 'Bearer error="insufficient_scope", scope="a b"'))).toEqual({
      error: 'insufficient_scope',
      scope: ['a', 'b'],
    })
    expect(challengeOf(answer(403, 'Bearer error="insufficient_scope"'))).toEqual({ error: 'insufficient_scope' })
    expect(challengeOf(answer(403, 'Bearer scope="a"'))).toEqual({ error: undefined, scope: ['a'] })
  })

  test('F11 insufficient_user_authentication says which authentication, ready for signIn', () => {
    const challenge = challengeOf(answer(401, 'Bearer error="insufficient_user_authentication", acr_values="a b", max_age="10"'))
    expect({ ...challenge }).toEqual({ error: 'insufficient_user_authentication', acrValues: ['a', 'b'], maxAgeSeconds: 10 })
  })

  test.for([
    ['nothing to read', 401, undefined],
    ['an empty header', 401, ''],
    ['another scheme', 401, 'Basic realm="x"'],
    ['an error that no sign-in helps against', 401, 'Bearer error="invalid_request"'],
    ['a nonce', 401, 'DPoP error="use_dpop_nonce"'],
    ['an unknown error', 401, 'Bearer error="constructor"'],
    ['a bare 403', 403, 'Bearer realm="x"'],
    ['a quoted scheme', 401, '"Bearer error=invalid_token"'],
    ['token68 that reads like a scheme', 401, 'Negotiate bearer'],
    ['a string that does not end', 401, 'Basic realm="x, Bearer error=invalid_token'],
    ['200', 200, 'Bearer error="invalid_token"'],
    ['400', 400, 'Bearer error="invalid_token"'],
    ['500', 500, 'Bearer error="invalid_token"'],
  ] as const)('F7 is undefined for %s', ([, status, header]) => {
    expect(challengeOf(answer(status, header))).toBeUndefined()
  })

  test.for([
    ['scope values that are none', 'scope="a\\"b c\\\\d ok"', { scope: ['ok'] }],
    ['an empty scope', 'scope=""', {}],
    ['a scope of other letters', 'scope="\u00e9"', {}],
    ['max_age below zero', 'max_age="-1"', {}],
    ['max_age with a fraction', 'max_age="1.5"', {}],
    ['max_age beyond reason', 'max_age="99999999999"', {}],
    ['max_age in words', 'max_age="soon"', {}],
    ['metadata over http', 'resource_metadata="http://a.example/x"', {}],
    ['metadata that would run', 'resource_metadata="javascript:alert(1)"', {}],
    ['metadata with a user', 'resource_metadata="https://a@b.example/"', {}],
    ['metadata at a path', 'resource_metadata="/x"', {}],
  ] as const)('leaves out %s', ([, parameter, rest]) => {
    expect(challengeOf(answer(401, `Bearer error="invalid_token", ${parameter}`))).toEqual({ error: 'invalid_token', ...rest })
  })

  test('a polluted Object.prototype asks for nothing', () => {
    const polluted = Object.prototype as unknown as Record<string, unknown>
    polluted['acrValues'] = ['evil']
    try {
      expect(challengeOf(answer(401, 'Bearer'))?.acrValues).toBeUndefined()
    } finally {
      delete polluted['acrValues']
    }
  })
})

describe('whether another token may be the answer', () => {
  test.for([
    [true, 'Bearer error="invalid_token"'],
    [true, 'Bearer'],
    [true, 'Basic realm="x", Bearer'],
    [true, 'Bearer error="insufficient_scope", Bearer error="invalid_token"'],
    [true, undefined],
    [true, ''],
    [true, '"='],
    [false, 'Basic'],
    [false, 'DPoP'],
    [false, 'Bearer error="insufficient_scope"'],
    [false, 'Bearer realm="x", Bearer error="insufficient_user_authentication"'],
    [false, 'Bearer error=""'],
  ] as const)('F9 %s for %s', ([expected, header]) => {
    expect(asksForAnotherToken(answer(401, header), 'Bearer')).toBe(expected)
    expect(asksForAnotherToken(answer(403, header), 'Bearer')).toBe(false)
    expect(asksForAnotherToken(answer(200, header), 'Bearer')).toBe(false)
  })

  test('F9 a DPoP challenge concerns a DPoP token', () => {
    expect(asksForAnotherToken(answer(401, 'DPoP algs="ES256"'), 'DPoP')).toBe(true)
    expect(asksForAnotherToken(answer(401, 'DPoP error="use_dpop_nonce"'), 'DPoP')).toBe(false)
  })
})

describe('the parser', () => {
  const token = fc.stringMatching(/^[a-z][a-z0-9_-]{0,8}$/)
  const value = fc.string({ unit: fc.constantFrom('a', 'B', ' ', ',', '=', '"', '\\', '/', '~') })
  const quoted = (text: string) => `"${text.replace(/["\\]/g, '\\$&')}"`

  test('F8 reads back what was written, whatever stands in the other parameters', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(token, value), { maxLength: 4 }),
        fc.array(fc.tuple(token, value), { maxLength: 4 }),
        (before, ours) => {
          const list = (parameters: [string, string][]) => parameters.map(([name, text]) => `, x-${name}=${quoted(text)}`).join('')
          const header = `Basic realm="x"${list(before)}, Bearer error="insufficient_scope"${list(ours)}, scope=${quoted('a b')}`
          expect(challengeOf(answer(403, header))).toEqual({ error: 'insufficient_scope', scope: ['a', 'b'] })
        },
      ),
    )
  })

  test('F8 never throws, whatever comes', () => {
    const noise = fc.string({ unit: fc.constantFrom('Bearer', 'error', '=', '"', '\\', ',', ' ', '\t', 'a', '~', '@', 'é'), maxLength: 60 })
    fc.assert(
      fc.property(noise, (header) => {
        challengeOf(answer(401, header))
        asksForAnotherToken(answer(401, header), 'Bearer')
      }),
    )
  })

  /** 5 MB would take a quadratic parser for ever; and what stands behind the cap is not looked at. */
  test.for([
    ['schemes with parameters', 'a b=c, '],
    ['quoted strings', 'k="v",'],
    ['schemes', 'a '],
    ['commas', ','],
    ['quotes', '"'],
    ['escapes', '"\\'],
    ['equals signs', '='],
    ['spaces after a scheme', 'a    '],
    ['token68', 'a b=='],
    ['one long token', 'a'],
    ['no separators', 'a="'],
  ] as const)('reads no more of a header than any good one has: %s', ([, piece]) => {
    const bomb = piece.repeat(Math.ceil(5_000_000 / piece.length))
    expect(challengeOf({ status: 401, headers: { get: () => bomb } } as unknown as Response)).toBeUndefined()
    const after = `${piece.repeat(Math.ceil(16_384 / piece.length))}, Bearer error="invalid_token"`
    expect(challengeOf({ status: 401, headers: { get: () => after } } as unknown as Response)).toBeUndefined()
  })
})
