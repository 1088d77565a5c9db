// @ts-check
// `npm run test:fleet`: many processes that share a token, on real servers. FLEET=short for the short form of each.
// The last line is always the tally, alone: `N passed, N failed, N skipped`.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { findProgram } from './servers.mjs'

process.chdir(fileURLToPath(new URL('../../../', import.meta.url)))

const short = process.env['FLEET'] === 'short'
const started = performance.now()
const minutes = () => `${((performance.now() - started) / 60_000).toFixed(1)} minutes`

/** @type {readonly import('./servers.mjs').Program[]} */
const programs = [
  { name: 'redis-server', debian: 'redis-server' },
  { name: 'postgres', debian: 'postgresql' },
  { name: 'pgbouncer', debian: 'pgbouncer' },
]

/** @returns {Promise<number>} */
async function run() {
  for (const program of programs) console.log(`${program.name}: ${await findProgram(program)}`)
  console.log(`\nThe fleet's tests${short ? ', in their short form' : ' (FLEET=short is the short form)'}: `)
  const named = process.argv.slice(2)
  const child = spawn('node_modules/.bin/vitest', ['run', '--config', 'test/fleet/vitest.config.ts', '--root', '.', ...named], {
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  return new Promise((resolve, reject) => child.on('error', reject).on('close', (code) => resolve(code ?? 1)))
}

// On standard error: the tally is the last line of standard output.
const heartbeat = setInterval(() => console.error(`… ${minutes()}`), 30_000)
try {
  process.exitCode = await run()
} catch (error) {
  console.log(error instanceof Error ? error.message : error)
  console.log('\n0 passed, 1 failed, 0 skipped')
  process.exitCode = 1
} finally {
  clearInterval(heartbeat)
}
