// @ts-check
// `npm run test:fleet`: many processes that share a token, on real servers. FLEET=short for the short form of each.
import { longRun } from '../../set-up/long-run.mjs'
import { findProgram } from './servers.mjs'

const short = process.env['FLEET'] === 'short'

/** @type {readonly import('../../set-up/debian.mjs').Program[]} */
const programs = [
  { name: 'redis-server', debian: 'redis-server' },
  { name: 'postgres', debian: 'postgresql' },
  { name: 'pgbouncer', debian: 'pgbouncer' },
]

await longRun({
  async ready() {
    for (const program of programs) console.log(`${program.name}: ${await findProgram(program)}`)
  },
  heading: `The fleet's tests${short ? ', in their short form' : ' (FLEET=short is the short form)'}`,
  config: 'test/fleet/vitest.config.ts',
})
