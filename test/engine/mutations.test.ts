import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { tokenSource } from '../../src/token-source.js'
import { type Mutation, mutations } from './mutations.js'
import { rotations } from './simulation/authorization-server.js'
import { lockKinds } from './simulation/lock.js'
import { simulate } from './simulation/simulation.js'

// A property that no broken engine fails proves nothing. Each rule is switched off once, in a copy, and the property named for it must see it.

const src = fileURLToPath(new URL('../../src', import.meta.url))
/** How many worlds a mutation may survive before it counts as unseen. */
const attempts = 1_500
let folder: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mutations-'))
})

afterAll(() => rmSync(folder, { recursive: true }))

/** The engine with this text in the place of that. */
async function mutated({ file, text, replacement }: Mutation, name: string): Promise<typeof tokenSource> {
  const copy = join(folder, name)
  for (const part of ['core', 'engine', 'token-source.ts']) cpSync(join(src, part), join(copy, part), { recursive: true })
  const path = join(copy, file)
  const whole = readFileSync(path, 'utf8')
  expect(whole.split(text).length - 1, `how often "${text}" is in ${file}`).toBe(1)
  writeFileSync(
    path,
    whole.replace(text, () => replacement),
  )
  const outfile = join(folder, `${name}.mjs`)
  await build({ entryPoints: [join(copy, 'token-source.ts')], bundle: true, format: 'esm', platform: 'node', outfile, logLevel: 'error' })
  return ((await import(pathToFileURL(outfile).href)) as { tokenSource: typeof tokenSource }).tokenSource
}

describe('with a rule switched off, the property named for it fails', () => {
  test.for(mutations.map((mutation, index) => [mutation.property, mutation.rule, mutation, index] as const))(
    '%s fails without: %s',
    { timeout: 60_000 },
    async ([property, , mutation, index]) => {
      const engine = await mutated(mutation, `mutation-${index}`)
      const servers = mutation.server === undefined ? rotations : [mutation.server]
      const locks = mutation.lock === undefined ? lockKinds : [mutation.lock]
      const seen = new Set<string>()
      for (let seed = 1; seed <= attempts; seed += 1) {
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
