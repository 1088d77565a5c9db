import { Console } from 'node:console'
import { Writable } from 'node:stream'
import { format, inspect } from 'node:util'
import { serialize } from 'node:v8'
import { expect } from 'vitest'
import { expectNothingFound, renderings } from './sweep.js'

/** Fails where one of these shows a secret, or a private key, in whichever way a program may print it, copy it, send it or throw it. */
export function expectNothingPrinted(secrets: readonly string[], shown: Readonly<Record<string, unknown>>): void {
  for (const [name, thing] of Object.entries(shown)) {
    const places = {
      [name]: thing,
      // What has no prototype becomes no text at all.
      'as text': [format('%s %j %o %O', thing, thing, thing, thing), attempted(() => format('%d', thing)), renderings([thing])],
      'in a template': attempted(() => `shown: ${thing as string}`),
      'on a console': consoled(thing),
      'at any depth': inspect({ deep: [new Map([[thing, thing]])] }, { depth: Infinity, showHidden: true, getters: true }),
      'as an error’s cause': new Error('of a program', { cause: thing }),
      'in errors together': new AggregateError([thing], 'of a program'),
      'in an event': new CustomEvent('of-a-program', { detail: thing }),
      'as a copy, or as what copying throws': [
        attempted(() => structuredClone(thing)),
        attempted(() => serialize(thing).toString('latin1')),
      ],
    }
    expectNothingFound(secrets, places)
    for (const [place, one] of Object.entries(places)) expect([name, place, renderings(one).match(privateKey)]).toEqual([name, place, null])
  }
}

/** Of a JWK, in JSON and as a console prints it. */
const privateKey = /\bd['"]?: ?['"][\w-]{43}['"]/

function attempted(run: () => unknown): unknown {
  try {
    return run()
  } catch (error) {
    return error
  }
}

function consoled(thing: unknown): string {
  const parts: string[] = []
  const stream = new Writable({
    write: (part: Buffer, _, done) => {
      parts.push(part.toString())
      done()
    },
  })
  const console = new Console({ stdout: stream, stderr: stream, inspectOptions: { depth: Infinity, showHidden: true } })
  console.log(thing)
  console.error('failed:', thing)
  console.dir(thing, { depth: Infinity, showHidden: true, getters: true })
  console.table([thing])
  console.table(thing)
  // Of what has no prototype it makes no text, and throws.
  attempted(() => console.assert(false, thing))
  console.trace(thing)
  return parts.join('')
}
