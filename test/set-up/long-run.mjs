// @ts-check
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/**
 * A command whose tests take minutes: what it needs is made ready, then vitest runs under a configuration of its own; what the command was given
 * are names of files and options. The last line is always the tally, alone: `N passed, N failed, N skipped`.
 * @param {{ ready: () => unknown, heading: string, config: string }} how `ready` rejects saying what to install
 */
export async function longRun({ ready, heading, config }) {
  process.chdir(fileURLToPath(new URL('../../', import.meta.url)))
  const started = performance.now()
  const minutes = () => `${((performance.now() - started) / 60_000).toFixed(1)} minutes`
  // On standard error: the tally is the last line of standard output.
  const heartbeat = setInterval(() => console.error(`… ${minutes()}`), 30_000)
  try {
    await ready()
    console.log(`\n${heading}:`)
    process.exitCode = await vitest(config, process.argv.slice(2))
  } catch (error) {
    console.log(error instanceof Error ? error.message : error)
    console.log('\n0 passed, 1 failed, 0 skipped')
    process.exitCode = 1
  } finally {
    clearInterval(heartbeat)
  }
}

/** @param {string} config @param {readonly string[]} given @returns {Promise<number>} */
function vitest(config, given) {
  const child = spawn('node_modules/.bin/vitest', ['run', '--config', config, '--root', '.', ...given], {
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  return new Promise((resolve, reject) => child.on('error', reject).on('close', (code) => resolve(code ?? 1)))
}
