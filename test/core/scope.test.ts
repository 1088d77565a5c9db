import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { covers, formatScope, isScopeToken, missingScope, parseScope, sameScope, unionScope } from '../../src/core/scope.js'

/** RFC 6749 section 3.3, character by character. */
const isAllowed = (code: number) => code === 0x21 || (code >= 0x23 && code <= 0x5b) || (code >= 0x5d && code <= 0x7e)

describe('a scope value', () => {
  test('A13 has the characters of RFC 6749 section 3.3, and no others', () => {
    for (let code = 0; code <= 0x250; code += 1) expect([code, isScopeToken(String.fromCodePoint(code))]).toEqual([code, isAllowed(code)])
  })

  test.for(['', ' ', 'a b', 'a\nb', 'a\n', 'é', '💥', 'a"b', 'a\\b', undefined, null, 1, ['a'], { toString: () => 'a' }])(
    'A13 is not %j',
    (value) => {
      expect(isScopeToken(value)).toBe(false)
    },
  )

  test.for(['a', 'notes:read', 'https://www.googleapis.com/auth/drive.file', 'api://notes/Notes.Read', '!', '~'])('A13 is %s', (value) => {
    expect(isScopeToken(value)).toBe(true)
  })
})

describe('a list of scope values', () => {
  const token = fc.string({
    unit: fc
      .integer({ min: 0x21, max: 0x7e })
      .filter(isAllowed)
      .map((code) => String.fromCodePoint(code)),
    minLength: 1,
    maxLength: 4,
  })
  const scope = fc.array(token, { maxLength: 6 })

  test('A13 is written with single spaces, each value once, and read back', () => {
    fc.assert(
      fc.property(scope, (values) => {
        const text = formatScope(values)
        expect(text === undefined ? [] : parseScope(text)).toEqual([...new Set(values)])
        if (text !== undefined) expect(text).toMatch(/^\S+( \S+)*$/)
      }),
    )
  })

  test('A12 an empty list is no parameter at all', () => {
    expect(formatScope([])).toBeUndefined()
    expect(formatScope(undefined)).toBeUndefined()
  })

  test('is read with whatever stands between its values, if a quirk says so', () => {
    expect(parseScope('')).toEqual([])
    expect(parseScope('  a   b a ')).toEqual(['a', 'b'])
    expect(parseScope('a,b')).toEqual(['a,b'])
    expect(parseScope('a,b, c', /[ ,]/)).toEqual(['a', 'b', 'c'])
  })

  test('T16 what is missing is what was wanted and not granted, in the order of the wish', () => {
    expect(missingScope(['a', 'b'], ['c', 'a', 'd'])).toEqual(['c', 'd'])
    fc.assert(
      fc.property(scope, scope, (granted, wanted) => {
        const missing = missingScope(granted, wanted)
        expect(covers(granted, wanted)).toBe(missing.length === 0)
        expect(covers(unionScope(granted, missing), wanted)).toBe(true)
        expect(missing.some((value) => granted.includes(value))).toBe(false)
      }),
    )
  })

  test('values are compared as they are written', () => {
    expect(covers(['Notes'], ['notes'])).toBe(false)
    expect(covers(['notes:read'], ['notes'])).toBe(false)
    expect(covers([], [])).toBe(true)
  })

  test('two are the same whatever their order; none is not the same as an empty one', () => {
    expect(sameScope(['a', 'b'], ['b', 'a', 'b'])).toBe(true)
    expect(sameScope(['a'], ['a', 'b'])).toBe(false)
    expect(sameScope(undefined, undefined)).toBe(true)
    expect(sameScope(undefined, [])).toBe(false)
    expect(sameScope([], undefined)).toBe(false)
  })

  test('both together have each value once', () => {
    expect(unionScope(['a', 'b'], ['b', 'c'])).toEqual(['a', 'b', 'c'])
  })
})
