// @ts-check
// `npm run test:peers`: the hostile scenarios against other clients, which it installs into a folder of their own; writes test/hostile/RESULTS.md.
// The last line is always the tally, alone: `N passed, N failed, N skipped`.
import { spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const top = fileURLToPath(new URL('../../../', import.meta.url))
process.chdir(top)

/** Exactly these, so that the table changes when it is meant to. */
const peers = ['openid-client@6.9.0', 'oidc-client-ts@3.5.0', '@badgateway/oauth2-client@3.3.1']
const folder = `${top}node_modules/.cache/valetkey-peers`

/**
 * @param {string} command
 * @param {readonly string[]} parameters
 * @returns {Promise<number>}
 */
function run(command, parameters) {
  const child = spawn(command, parameters, { stdio: ['ignore', 'inherit', 'inherit'], env: { ...process.env, PEERS: folder } })
  return new Promise((resolve, reject) => child.on('error', reject).on('close', (code) => resolve(code ?? 1)))
}

// On standard error: the tally is the last line of standard output.
const heartbeat = setInterval(() => console.error(`… ${(performance.now() / 60_000).toFixed(1)} minutes`), 30_000)
try {
  console.log(`Installing ${peers.join(', ')} into node_modules/.cache …`)
  mkdirSync(folder, { recursive: true })
  writeFileSync(`${folder}/package.json`, '{ "private": true, "type": "module" }\n')
  const flags = ['--no-audit', '--no-fund', '--ignore-scripts', '--no-package-lock', '--loglevel=error']
  if ((await run('npm', ['install', '--prefix', folder, ...flags, ...peers])) !== 0) throw new Error('They could not be installed.')
  process.exitCode = await run('node_modules/.bin/vitest', ['run', '--config', 'test/hostile/peers/vitest.config.ts', '--root', '.'])
} catch (error) {
  console.log(error instanceof Error ? error.message : error)
  console.log('\n0 passed, 1 failed, 0 skipped')
  process.exitCode = 1
} finally {
  clearInterval(heartbeat)
}
