import { readFileSync } from 'node:fs'
import { expect } from 'vitest'

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8').replaceAll(/\s+/g, ' ')

/** What a test shows to be so, in the README's own words: who changes either looks at both. */
export function expectReadmeSays(words: string): void {
  expect(readme).toContain(words)
}
