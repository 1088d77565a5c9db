import fc from 'fast-check'
import { OAuthError } from '../../../src/core/errors.js'
import { expectNoMarker, marker } from '../../support/marker.js'

// What comes in from outside, made up: mostly almost right, so that it gets further than the first check.

/** Text that something may stumble over; much of it has the marker in it. */
export const nastyText: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(
    '',
    ' ',
    '\0',
    '\r\nX: 1',
    '"',
    '\\',
    '%',
    '%00',
    '%2e%2e%2f',
    '\u202e',
    'ä',
    '€',
    '\ud800',
    '__proto__',
    'constructor',
    'null',
    '-1',
    '1e999',
    'javascript:alert(1)',
    'https://evil.example',
    '//evil.example',
    'a b',
    '<img src=x>',
    '\u001b[31m',
    'a'.repeat(3_000),
  ),
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.string({ maxLength: 20 }).map((text) => `${text}${marker}`),
)

/** Any JSON, and members that are not what they should be. */
export const nastyValue: fc.Arbitrary<unknown> = fc.oneof(
  nastyText,
  fc.constantFrom<unknown>(null, true, false, 0, -1, 1.5, 1e300, [], {}, [[]], { toString: 1 }, [marker], {
    [marker]: marker,
  }),
  fc.integer(),
  fc.double(),
  fc.jsonValue({ maxDepth: 2 }),
)

/** An object that is right but for a few members, which are left out or something else. */
export function almost(right: Readonly<Record<string, unknown>>, more: readonly string[] = []): fc.Arbitrary<Record<string, unknown>> {
  const names = [...Object.keys(right), ...more, '__proto__', 'constructor', 'toJSON', 'then']
  const change = fc.tuple(fc.constantFrom(...names), fc.option(nastyValue, { nil: undefined, freq: 4 }))
  return fc.array(change, { maxLength: 4 }).map((changes) => {
    const object: Record<string, unknown> = { ...right }
    for (const [name, value] of changes)
      Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true })
    return object
  })
}

/** Parts of something, in any order and number. */
export function madeOf(parts: readonly string[]): fc.Arbitrary<string> {
  return fc
    .array(fc.oneof({ weight: 8, arbitrary: fc.constantFrom(...parts) }, { weight: 1, arbitrary: nastyText }), { maxLength: 14 })
    .map((all) => all.join(''))
}

/** What is thrown is an OAuthError, and shows nothing. */
export function expectClean(error: unknown): void {
  if (!(error instanceof OAuthError)) throw new Error('Something else than an OAuthError was thrown.', { cause: error })
  expectNoMarker(error)
}
