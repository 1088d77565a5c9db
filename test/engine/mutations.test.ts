import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { mutated } from './mutated.js'
import { mutations } from './mutations.js'
import { rotations } from './simulation/authorization-server.js'
import { lockKinds } from './simulation/lock.js'
import { simulate } from './simulation/simulation.js'

// A property that no broken engine fails proves nothing. Each rule is switched off once, in a copy, and the property named for it must see it.

/** How many worlds a mutation may survive before it counts as unseen. */
const attempts = 1_500
let folder: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mutations-'))
})

afterAll(() => rmSync(folder, { recursive: true }))

describe('with a rule switched off, the property named for it fails', () => {
  test.for(mutations.map((mutation, index) => [mutation.property, mutation.rule, mutation, index] as const))(
    '%s fails without: %s',
    { timeout: 60_000 },
    async ([property, , mutation, index]) => {
      const engine = await mutated(mutation, join(folder, `${index}`))
      const servers = mutation.server === undefined ? rotations : [mutation.server]
      const locks = mutation.lock === undefined ? lockKinds : [mutation.lock]
      const seen = new Set<string>()
      for (let attempt = mutation.seen === undefined ? 1 : 0; attempt <= attempts; attempt += 1) {
        const seed = attempt === 0 ? (mutation.seen ?? 1) : attempt
        const violations = await simulate(
          {
            world: mutation.world,
            server: servers[seed % servers.length] ?? 'strict',
            lock: locks[seed % locks.length] ?? 'none',
            contexts: 1 + (seed % 5),
            sources: 2 + (seed % 7),
            seconds: 100,
            seed,
          },
          engine,
        )
        if (violations.some(({ invariant }) => invariant === property)) return
        for (const { invariant } of violations) seen.add(invariant)
      }
      expect.fail(`${property} holds all the same in ${attempts} runs; others that broke: ${[...seen].join(', ') || 'none'}`)
    },
  )
})
