import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import type { tokenSource } from '../../src/token-source.js'
import type { Rotation } from './simulation/authorization-server.js'
import type { Invariant } from './simulation/invariants.js'
import type { LockKind } from './simulation/lock.js'
import type { WorldName } from './simulation/worlds.js'

/** What a rule of the engine is switched off by: which text of which file it is, and what is there in its place. */
export interface Switched {
  readonly file: string
  readonly text: string
  readonly replacement: string
}

/** A rule of the engine switched off, and the property that must see it. */
export interface Mutation extends Switched {
  readonly rule: string
  readonly property: Invariant
  readonly world: WorldName
  readonly server?: Rotation
  readonly lock?: LockKind
  /** The seed of a world in which it was seen once, tried first: a long search is not repeated each time. */
  readonly seen?: number
}

const src = fileURLToPath(new URL('../../src', import.meta.url))

/** The engine with one text in the place of another, made in a folder of its own. Rejects where the text is not found exactly once. */
export async function mutated({ file, text, replacement }: Switched, folder: string): Promise<typeof tokenSource> {
  for (const part of ['core', 'engine', 'token-source.ts']) cpSync(join(src, part), join(folder, part), { recursive: true })
  const path = join(folder, file)
  const whole = readFileSync(path, 'utf8')
  const found = whole.split(text).length - 1
  if (found !== 1) throw new Error(`"${text}" is ${found} times in src/${file}; it must be there once. Write the mutation anew.`)
  writeFileSync(
    path,
    whole.replace(text, () => replacement),
  )
  const outfile = join(folder, 'engine.mjs')
  await build({ entryPoints: [join(folder, 'token-source.ts')], bundle: true, format: 'esm', platform: 'node', outfile, logLevel: 'error' })
  return ((await import(pathToFileURL(outfile).href)) as { tokenSource: typeof tokenSource }).tokenSource
}
