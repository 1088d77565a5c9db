import { inspect } from 'node:util'
import { expect } from 'vitest'

// The marker sweep: every code, verifier and token that passed is looked for wherever a program, a log or another host could have it.

/** What could hold a secret, by the name of the place. */
export type Places = Readonly<Record<string, unknown>>

/** A secret that was found, and where; the text of the secret is not repeated. */
export interface Finding {
  readonly place: string
  /** Which of the secrets: its index. */
  readonly secret: number
}

/** Looks for all secrets in all places, as they are and as they are commonly written. */
export function sweep(secrets: readonly string[], places: Places): readonly Finding[] {
  const sought = secrets.flatMap((text, secret) => [...new Set(spellings(text))].map((spelling) => ({ secret, spelling })))
  return Object.entries(places).flatMap(([place, thing]) => {
    const seen = renderings(thing)
    return [...new Set(sought.filter(({ spelling }) => seen.includes(spelling)).map(({ secret }) => secret))].map((secret) => ({
      place,
      secret,
    }))
  })
}

export function expectNothingFound(secrets: readonly string[], places: Places): void {
  expect(sweep(secrets, places)).toEqual([])
}

/** As it is, in an address, in base64, in bytes, and what is left of it when a log cuts it short. */
export function spellings(text: string): readonly string[] {
  const bytes = Buffer.from(text)
  const whole = [
    text,
    encodeURIComponent(text),
    bytes.toString('base64').replace(/=+$/, ''),
    bytes.toString('base64url'),
    bytes.toString('hex'),
    [...bytes].join(','),
  ]
  // The end of a JWT is its signature; its beginning is the same in all of them.
  return text.length < 40 ? whole : [...whole, text.slice(-20)]
}

/** Everything that a console, a log, an error report or a copy could make of a thing. */
export function renderings(thing: unknown): string {
  const texts: string[] = []
  const met = new Set<unknown>()
  const add = (render: () => unknown): void => {
    try {
      texts.push(String(render()))
    } catch {
      // What cannot be made of it shows nothing.
    }
  }
  const visit = (one: unknown, depth: number): void => {
    if (depth > 9 || met.has(one)) return
    met.add(one)
    add(() => one)
    if (one instanceof ArrayBuffer) return visit(new Uint8Array(one), depth)
    if (one instanceof Uint8Array) return add(() => Buffer.from(one).toString('latin1'))
    if (typeof one !== 'object' || one === null) return
    add(() => JSON.stringify(one))
    add(() => inspect(one, { depth: 9, showHidden: true, maxArrayLength: null, maxStringLength: null }))
    if (depth === 0) add(() => inspect(structuredClone(one), { depth: 9, showHidden: true, maxStringLength: null }))
    for (const name of ['stack', 'cause', 'message', 'reason', ...Object.keys(one)])
      add(() => visit((one as Record<string, unknown>)[name], depth + 1))
    if (Symbol.iterator in one) add(() => [...(one as Iterable<unknown>)].forEach((member) => visit(member, depth + 1)))
  }
  visit(thing, 0)
  return texts.join('\n')
}
