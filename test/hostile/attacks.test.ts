import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { themes } from './scenarios/index.js'

// Each of the 92 attacks has a test whose name begins with its number, or a reason why there is none.

const tests = fileURLToPath(new URL('../', import.meta.url))
const attacks = Array.from({ length: 92 }, (_, index) => index + 1)

const withoutTest: Readonly<Record<number, string>> = {}

/** Numbers with which the name of a test begins: `attack 40 45 …`, `C12 attack 12 …`. */
function numbersIn(text: string): readonly number[] {
  return [...text.matchAll(/['"`](?:[A-Z]\d+ )*attack (?<numbers>\d+(?: \d+)*)[ :]/g)].flatMap(({ groups = {} }) =>
    (groups['numbers'] ?? '').split(' ').map(Number),
  )
}

const shown = new Set([
  ...Object.values(themes)
    .flat()
    .flatMap(({ name }) => numbersIn(`'${name}`)),
  ...readdirSync(tests, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.test.ts'))
    .flatMap((path) => numbersIn(readFileSync(join(tests, path), 'utf8'))),
])

test('every attack has a test that begins with its number, or a reason', () => {
  expect(attacks.filter((attack) => !shown.has(attack) && withoutTest[attack] === undefined)).toEqual([])
})

test('what has a test needs no reason, and there are no others', () => {
  expect(attacks.filter((attack) => shown.has(attack) && withoutTest[attack] !== undefined)).toEqual([])
  expect([...shown].filter((attack) => !attacks.includes(attack))).toEqual([])
})
