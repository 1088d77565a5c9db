// @ts-check
// Packages of the npm registry that one step needs, in a folder of their own under node_modules/.cache: `npm ci` is spared them, and what they bring
// (such as another TypeScript) does not get in the way of ours.
import { spawn } from 'node:child_process'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * The folder in whose node_modules they are. What is there already is not installed again.
 * @param {string} name of the folder
 * @param {readonly string[]} packages each with its exact version
 * @returns {Promise<string>}
 */
export async function installedAside(name, packages) {
  const folder = fileURLToPath(new URL(`../../node_modules/.cache/valetkey-${name}`, import.meta.url))
  const note = join(folder, 'installed.txt')
  const wanted = packages.join('\n')
  if ((await readFile(note, 'utf8').catch(() => '')) === wanted) return folder
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n')
  const flags = ['--no-audit', '--no-fund', '--ignore-scripts', '--no-package-lock', '--loglevel=error']
  // What npm says goes to standard error: standard output is the caller's.
  const child = spawn('npm', ['install', '--prefix', folder, ...flags, ...packages], { stdio: ['ignore', process.stderr, 'inherit'] })
  const status = await new Promise((resolve, reject) => child.on('error', reject).on('close', resolve))
  if (status !== 0) throw new Error(`${packages.join(', ')} could not be installed from the npm registry.`)
  await writeFile(note, wanted)
  return folder
}
