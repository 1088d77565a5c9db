// npm run demo:job, demo:cli, demo:fleet. A demo is a program as a user would write it, and its stage: the servers around it, until it is over.
import { pathToFileURL } from 'node:url'
import { bundled } from './bundled.mjs'

const programs = { job: 'job/job.ts', cli: 'cli/cli.ts', fleet: 'fleet/worker.ts' }

const [name = '', ...parameters] = process.argv.slice(2)
const { paths, remove } = await bundled(`${name}/stage.ts`, programs[name])
const [stage, program] = paths
// A terminal's Ctrl-C comes twice: once from the terminal, once from npm.
const stopping = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => stopping.abort())
try {
  const { run } = await import(pathToFileURL(stage).href)
  process.exitCode = await run({ program, parameters, signal: stopping.signal })
} catch (error) {
  console.error(error)
  process.exitCode = 1
} finally {
  await remove()
}
