import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { invariants } from '../engine/simulation/invariants.js'

// Each row of the requirements that valetkey answers has a test whose name begins with the row's id, so that a reader finds it.
// Where a row does not apply here, that test says why.

const tests = fileURLToPath(new URL('../', import.meta.url))

/** `D1–D3` is D1, D2 and D3. */
function rows(list: string): readonly string[] {
  return list.split(/,\s*/).flatMap((part) => {
    const [, letter = '', from = '', to = from] = /^([A-Z]+)(\d+)(?:–[A-Z]*(\d+))?$/.exec(part) ?? []
    return Array.from({ length: Number(to) - Number(from) + 1 }, (_, index) => `${letter}${Number(from) + index}`)
  })
}

const answered = rows('D1–D25, A1–A25, C1–C20, T1–T32, R1–R17, K1–K14, F1–F19, P1–P17, O1–O24, X1–X19, M1–M11, B1–B7, B16–B18, I1–I14')

/** The ids with which the names of tests begin; a name may begin with several: `T31 T32 …`, `C1/C2 …`. */
const shown = new Set([
  // One property for each: their names are made from this table.
  ...Object.keys(invariants),
  ...readdirSync(tests, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.test.ts'))
    .flatMap((path) => [...readFileSync(join(tests, path), 'utf8').matchAll(/['"`](?<ids>[A-Z]\d+(?:(?:, | and | |\/)[A-Z]\d+)*) /g)])
    .flatMap(({ groups = {} }) => (groups['ids'] ?? '').match(/[A-Z]\d+/g) ?? []),
])

test('every row of the requirements that is answered has a test that begins with its id', () => {
  expect(answered.filter((row) => !shown.has(row))).toEqual([])
})
