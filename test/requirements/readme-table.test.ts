import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

// The README's table of what is supported: each row ends with the command that runs the tests of its feature.

const top = fileURLToPath(new URL('../../', import.meta.url))
const [, table = ''] = /^## What is supported$(.*?)^## /ms.exec(readFileSync(join(top, 'README.md'), 'utf8')) ?? []
const [head = [], , ...rows] = table
  .split('\n')
  .filter((line) => line.startsWith('|'))
  .map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  )

/** The paths of a command; the pattern of `-t` is the name of tests in them. */
function commandOf(cell: string): { readonly paths: readonly string[]; readonly named: string | undefined } {
  const [, said = ''] = /^`npm run prove (.+)`$/.exec(cell) ?? []
  const [, paths = said, quoted, plain] = /^-- (\S.*?) -t (?:'([^']+)'|(\S+))$/.exec(said) ?? []
  return { paths: paths.split(' '), named: quoted ?? plain }
}

test('the table has a row a feature, each with its standard, its call and its command', () => {
  expect(head).toEqual(['what', 'by', 'the call', 'what proves it'])
  expect(rows.length).toBeGreaterThan(20)
  for (const row of rows)
    expect(
      row.filter((cell) => cell !== ''),
      row[0],
    ).toHaveLength(4)
  expect(new Set(rows.map(([what]) => what)).size).toBe(rows.length)
})

test.for(rows)('%s: its command names tests that are there', ([, , , command = '']) => {
  const { paths, named } = commandOf(command)
  const texts = paths.map((path) => {
    const place = join(top, path)
    expect(path.startsWith('test/') && existsSync(place), path).toBe(true)
    if (statSync(place).isDirectory()) return ''
    expect(path).toMatch(/\.test\.ts$/)
    return readFileSync(place, 'utf8')
  })
  if (named !== undefined) expect(texts.join()).toMatch(new RegExp(named))
})

test('the command is the runner of all tests', () => {
  const { scripts } = JSON.parse(readFileSync(join(top, 'package.json'), 'utf8')) as { scripts: Record<string, string> }
  expect(scripts['prove']).toBe('vitest run --config test/vitest.config.ts --root .')
  expect(readFileSync(join(top, 'test/set-up/test.mjs'), 'utf8')).toContain(scripts['prove'])
})
