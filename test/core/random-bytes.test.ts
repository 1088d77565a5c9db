import { expect, test } from 'vitest'
import { randomBytes } from '../../src/core/random-bytes.js'

/** A source that says one number after the other, each byte alike; the last one for ever. */
function saying(...numbers: readonly number[]) {
  let turn = 0
  return { getRandomValues: (array: Uint8Array) => array.fill(numbers[Math.min(turn++, numbers.length - 1)] ?? 0) } as Crypto
}

test('what differs is passed on as it came', () => {
  expect([...randomBytes(4, saying(1, 2))]).toEqual([2, 2, 2, 2])
  expect(randomBytes(32, crypto)).toHaveLength(32)
  expect(new Set(Array.from({ length: 100 }, () => randomBytes(32, crypto).join())).size).toBe(100)
})

test.each<[string, Pick<Crypto, 'getRandomValues'>]>([
  ['zeros', saying(0)],
  ['another number', saying(255)],
  ['a pattern', { getRandomValues: (array) => (array as unknown as Uint8Array).map((_, index) => 3 * index) as never }],
  ['nothing written', { getRandomValues: (array) => array }],
])('attack 41 %s, again and again, are no randomness', (_, by) => {
  expect(() => randomBytes(12, by)).toThrow(expect.objectContaining({ code: 'not_supported' }))
})
