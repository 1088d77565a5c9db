// @ts-check
// `npm test`: everything that must hold before a change may land, the quick checks first. Stops at the first step that fails.
// The last line is always the tally, alone: `N passed, N failed, N skipped`.
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { findBrowser } from './browser.mjs'

process.chdir(fileURLToPath(new URL('../../', import.meta.url)))

const tallyLine = /^(\d+) passed, (\d+) failed, (\d+) skipped$/
/** @type {RegExpExecArray | null} */
let tally = null

/**
 * Runs a tool of node_modules, or a script of package.json, to its end and rejects when it failed. A tally among its lines is kept for the end.
 * @param {string} line
 */
async function run(line) {
  const [command = '', ...parameters] = line.split(' ')
  const path = command === 'npm' || command === 'node' ? command : `node_modules/.bin/${command}`
  const child = spawn(path, parameters, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...(process.stdout.isTTY ? { FORCE_COLOR: '1' } : {}) },
  })
  createInterface(child.stdout).on('line', (text) => {
    const found = tallyLine.exec(text)
    if (found === null) console.log(text)
    else tally = found
  })
  const status = await new Promise((resolve, reject) => child.on('error', reject).on('close', (code, signal) => resolve(code ?? signal)))
  if (status !== 0) throw new Error(`\`${line}\` ended with ${status}.`)
}

/** @type {readonly (readonly [name: string, step: () => Promise<unknown>])[]} */
const steps = [
  ['format', () => run('npm run -s format:check')],
  ['lint, with the import law', () => run('npm run -s lint')],
  ['types of src', () => run('tsc --noEmit')],
  ['types of test and demo', () => run('tsc -p test/tsconfig.json')],
  ['types of the programs that users write', () => run('tsc -p test/types/tsconfig.json')],
  ['a browser', async () => console.log(await findBrowser())],
  ['build', () => run('npm run -s build')],
  ['what is published', () => run('npm run -s exports')],
  ['nothing unused', () => run('npm run -s unused')],
  ['tests', () => run('vitest run --config test/vitest.config.ts --root .')],
]

const seconds = () => (performance.now() / 1000).toFixed(0)
let failure
for (const [index, [name, step]] of steps.entries()) {
  console.log(`\n[${index + 1}/${steps.length}] ${name} (${seconds()} s)`)
  try {
    await step()
  } catch (error) {
    failure = `\nFailed at step ${index + 1}, ${name}: ${error instanceof Error ? error.message : String(error)}`
    break
  }
}

const [passed, failed, skipped] = (tally ?? ['', '0', '0', '0']).slice(1).map(Number)
if (failure !== undefined) {
  // Written to the same stream as the tally, so that it cannot come after it.
  console.log(failure)
  process.exitCode = 1
}
console.log(`\n${passed} passed, ${failure === undefined ? failed : Math.max(failed ?? 0, 1)} failed, ${skipped} skipped`)
