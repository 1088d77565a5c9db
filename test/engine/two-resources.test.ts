import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { tokenSource } from '../../src/token-source.js'
import { type Switched, mutated } from './mutated.js'
import { type Step, accounts, play, scopes } from './two-resources.js'

// Calls, renewals, sign-ins and changes of the account, in any order and many at once: a token's subject is always the account that was chosen, it is
// for the resource that was called, its scope covers what was asked, and the one refresh token is used strictly one time after the other.

const fuzzing = process.env['FUZZ_RUNS'] !== undefined
const runs = Number(process.env['FUZZ_RUNS'] ?? 200)

const tab = fc.nat({ max: 2 })
const consented = fc.subarray([...scopes])
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('call' as const),
      tab,
      resource: fc.constantFrom('notes' as const, 'mail' as const),
      scope: fc.option(fc.subarray([...scopes]), { nil: undefined }),
      renewing: fc.boolean(),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('wait' as const), milliseconds: fc.constantFrom(1, 60, 500, 20_000, 50_000, 61_000) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('sign_in' as const), tab, consented }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('change_account' as const), tab, account: fc.constantFrom(...accounts), consented }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('intrude' as const), tab }) },
)
const steps = fc.array(step, { minLength: 1, maxLength: 30, size: 'max' })

test(
  'F19 two resources, one refresh token: whatever happens in whatever order, no two tokens are crossed, and no user’s call goes out as another',
  { timeout: 0 },
  async () => {
    const happened = { served: 0, refused: 0, renewals: 0 }
    const property = fc.asyncProperty(steps, async (all) => {
      const { violations, ...counts } = await play(all, tokenSource)
      for (const name of ['served', 'refused', 'renewals'] as const) happened[name] += counts[name]
      expect(violations).toEqual([])
    })
    await fc.assert(property, { numRuns: runs, ...(fuzzing ? {} : { seed: 1 }) })
    // A run in which nothing happens shows nothing.
    expect(Math.min(...Object.values(happened))).toBeGreaterThan(runs)
  },
)

test('F19 two resources that are renewed at once use the one refresh token one after the other', async () => {
  const both = (milliseconds: number): readonly Step[] => [
    { kind: 'wait', milliseconds },
    ...([0, 1, 2] as const).flatMap((tab) =>
      (['notes', 'mail'] as const).map((resource): Step => ({ kind: 'call', tab, resource, scope: ['read'], renewing: false })),
    ),
  ]
  expect(await play([...both(0), ...both(130_000), ...both(130_000)], tokenSource)).toEqual({
    violations: [],
    served: 18,
    refused: 0,
    // The sign-in brought the first resource's token; then it is two of them each time, whoever asks.
    renewals: 5,
  })
})

describe('with a rule switched off, the property fails', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'two-resources-'))
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  test.for<Switched & { rule: string }>([
    {
      rule: 'a token answers only for its resource',
      file: 'core/decide.ts',
      text: '  if (!isFor(token, wanted)) return false\n',
      replacement: '',
    },
    {
      rule: 'a token answers only what its scope covers',
      file: 'core/decide.ts',
      text: 'if (covers(token.granted, wanted.scope ?? record.grantedScope)) return true',
      replacement: 'return true',
    },
    {
      rule: 'another’s mark is waited for',
      file: 'engine/renewal.ts',
      text: 'if (mark !== undefined && !deadMarksOnly && !isDead(mark)) {',
      replacement: 'if (mark === null) {',
    },
    {
      rule: 'what one user began is never repeated as another',
      file: 'core/decide.ts',
      text: "if (session !== undefined && record.session !== session) return { kind: 'another_session' }",
      replacement: '',
    },
    {
      rule: 'another user does not come into a session',
      file: 'engine/token-engine.ts',
      text: 'if (isAnotherSubject(record, answer)) throw differentUser()',
      replacement: '',
    },
    {
      rule: 'who shared a renewal decides again',
      file: 'engine/token-engine.ts',
      text: '      const generation = record?.generation ?? 0\n',
      replacement:
        '      await share(wanted, rejected, session)\n      const mine = records.newest()\n      if (mine?.accessTokens[0]) return handOut(mine.accessTokens[0], mine, undefined)\n      const generation = record?.generation ?? 0\n',
    },
  ])('$rule', { timeout: 0 }, async (rule) => {
    const engine = await mutated(rule, join(folder, rule.rule.replaceAll(/\W/g, '-')))
    const property = fc.asyncProperty(steps, async (all) => (await play(all, engine)).violations.length === 0)
    expect((await fc.check(property, { numRuns: 300, seed: 1, endOnFailure: true })).failed).toBe(true)
  })
})
