import { inspect } from 'node:util'
import { expect } from 'vitest'

/** In every token, code and body of the tests, so that a leak is seen wherever it is. */
export const marker = 'MARKER7f3a'

/** What a program, a log or an error report could make of this. */
export function seen(thing: unknown): string {
  const texts: string[] = []
  for (let one = thing, depth = 0; one !== undefined && one !== null && depth < 5; one = (one as { cause?: unknown }).cause, depth += 1) {
    texts.push(inspect(one, { depth: 9, showHidden: true }), JSON.stringify(one), printed(one), String((one as Error).stack))
  }
  return texts.join('\n')
}

export function expectNoMarker(thing: unknown): void {
  expect(seen(thing)).not.toContain(marker)
}

/** An object without a prototype has no text. */
function printed(thing: unknown): string {
  return typeof thing === 'object' && thing !== null && Object.getPrototypeOf(thing) === null && !('toString' in thing) ? '' : String(thing)
}
