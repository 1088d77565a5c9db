// @ts-check
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const top = fileURLToPath(new URL('../../', import.meta.url))

/** @param {string} folder @returns {number[]} when each file of it was last written */
const writtenAt = (folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => statSync(join(entry.parentPath ?? entry.path, entry.name)).mtimeMs)

/** Whether dist/ was made, whole, after the last change of what it is made from. */
export function isBuilt() {
  const dist = join(top, 'dist')
  if (!existsSync(join(dist, 'index.js')) || !existsSync(join(dist, 'index.d.ts'))) return false
  const made = Math.min(...writtenAt(dist))
  const inputs = ['package.json', 'tsconfig.json', 'rollup.config.mjs'].map((name) => statSync(join(top, name)).mtimeMs)
  return Math.max(...inputs, ...writtenAt(join(top, 'src'))) <= made
}

/** Builds dist/ when it is missing or stale. */
export default function setup() {
  if (isBuilt()) return
  const { status } = spawnSync('npm', ['run', 'build'], { cwd: top, stdio: ['ignore', 'inherit', 'inherit'] })
  if (status !== 0) throw new Error('`npm run build` failed; the tests of the package have nothing to look at.')
}
