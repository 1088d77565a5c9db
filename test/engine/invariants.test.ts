import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { tokenSource } from '../../src/token-source.js'
import { rotations } from './simulation/authorization-server.js'
import { type Invariant, invariants } from './simulation/invariants.js'
import { lockKinds } from './simulation/lock.js'
import { type Parameters, simulate } from './simulation/simulation.js'
import { type WorldName, worlds } from './simulation/worlds.js'

// The engine as it is, in a simulated world of tabs and processes that die, freeze, sleep and lose answers at every await: each property
// plays worlds in which its invariant could break, against every kind of server and lock. A run that breaks another one fails as well.

/** All properties together. */
const runs = Number(process.env['FUZZ_RUNS'] ?? 2_000)
const fuzzing = process.env['FUZZ_RUNS'] !== undefined
const names = Object.keys(invariants) as Invariant[]

const sending: readonly WorldName[] = [
  'calm',
  'tokens of 1 s',
  'death',
  'SIGSTOP',
  'sleep',
  'sleep of all',
  'request lost',
  'answer in up to 3 deadlines',
  'answer in up to 5 deadlines',
  'store error before the write',
  'store error after the write',
  'store slow',
  'store down',
  'one context cut from the store',
  'short processes',
  '32 contexts',
  'everything at once',
]
const failing: readonly WorldName[] = [
  'answer lost',
  '503 before the rotation',
  '503 after the rotation',
  '429',
  'empty 400',
  'outage',
  'answer in up to 5 deadlines',
  'death',
  'the server ends the session',
  'store forgets its last write',
  'everything at once',
]
const signing: readonly WorldName[] = [
  'sign-out and sign-in',
  'sign-out and sign-in with store errors',
  'sign-out and sign-in in storms',
  'everything at once',
]
const choosing: readonly WorldName[] = [
  'two resources, narrow and wide',
  '401 storms',
  'sign-out and sign-in in storms',
  'everything at once',
]

/** Where each could break. */
const worldsOf: Readonly<Record<Invariant, readonly WorldName[]>> = {
  I1: sending,
  I2: sending,
  I3: [...sending, 'store forgets its last write'],
  I4: failing,
  I5: failing,
  I6: [...signing, 'store forgets its last write'],
  I6b: signing,
  I7: signing,
  I8: [...sending, ...failing, '401 storms'],
  I9: worlds.map(({ name }) => name),
  I10: choosing,
  I11: signing,
  I12: [...signing, 'answer in up to 5 deadlines', 'SIGSTOP'],
  I13: choosing,
  I14: [
    'answers late and the store slow',
    'store slow',
    'store down',
    'one context cut from the store',
    'answer in up to 3 deadlines',
    'everything at once',
  ],
}

function parametersIn(names: readonly WorldName[]): fc.Arbitrary<Parameters> {
  return fc.record({
    world: fc.constantFrom(...names),
    server: fc.constantFrom(...rotations),
    lock: fc.constantFrom(...lockKinds),
    contexts: fc.integer({ min: 1, max: 5 }),
    sources: fc.integer({ min: 2, max: 8 }),
    seconds: fc.integer({ min: 20, max: 120 }),
    seed: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
  })
}

/** The same run again, written down: the last hundred things that happened before the first violation. */
async function told(parameters: Parameters): Promise<string> {
  const lines: string[] = []
  const violations = await simulate(parameters, tokenSource, (_who, what) => void lines.push(what))
  const first = violations[0]?.at ?? Infinity
  const before = lines.filter((line) => Number(line.split(' ')[0]) <= first + 1)
  return [...violations.map(({ invariant, at, what }) => `${invariant} at ${Math.round(at)}: ${what}`), '', ...before.slice(-100)].join(
    '\n',
  )
}

describe('the engine in simulated worlds', () => {
  test.for(names.map((name) => [name, invariants[name]] as const))('%s %s', { timeout: 0 }, async ([name]) => {
    let played = 0
    const property = fc.asyncProperty(parametersIn(worldsOf[name]), async (parameters) => {
      played += 1
      if (fuzzing && played % 1_000 === 0) process.stderr.write(`${name}: ${played} runs\n`)
      const violations = await simulate(parameters, tokenSource)
      if (violations.length > 0) throw new Error(await told(parameters))
    })
    const result = await fc.check(property, { numRuns: Math.ceil(runs / names.length), ...(fuzzing ? {} : { seed: 1 }) })
    const report = `${fc.defaultReportMessage(result as fc.RunDetails<unknown>)}\n${String(result.errorInstance)}`
    expect(result.failed, report).toBe(false)
  })

  test.for(worlds.map(({ name }) => name))('The world "%s" is busy: its programs call, and tokens are renewed', async (world) => {
    const lines: string[] = []
    const parameters: Parameters = { world, server: 'sibling_grace', lock: 'none', contexts: 3, sources: 4, seconds: 90, seed: 1 }
    await simulate(parameters, tokenSource, (_who, what) => void lines.push(what))
    expect(lines.filter((line) => /sends R\d+/.test(line)).length).toBeGreaterThan(2)
  })

  test('A run can be repeated: the same parameters make the same world', async () => {
    const parameters: Parameters = {
      world: 'everything at once',
      server: 'strict',
      lock: 'none',
      contexts: 3,
      sources: 5,
      seconds: 60,
      seed: 7,
    }
    const write = async (): Promise<readonly string[]> => {
      const lines: string[] = []
      await simulate(parameters, tokenSource, (_who, what) => void lines.push(what))
      return lines
    }
    const first = await write()
    expect(first.length).toBeGreaterThan(50)
    expect(await write()).toEqual(first)
  })
})
