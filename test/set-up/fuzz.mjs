// @ts-check
// `npm run fuzz`: the same property tests as in `npm test`, with many more runs (FUZZ_RUNS, 100,000 unless set). Which files: all that read it.
import { spawn } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

process.chdir(fileURLToPath(new URL('../../', import.meta.url)))

const runs = process.env['FUZZ_RUNS'] ?? '100000'
const named = process.argv.slice(2)
const files = readdirSync('test', { recursive: true, encoding: 'utf8' })
  .map((path) => `test/${path}`)
  .filter((path) => path.endsWith('.test.ts') && readFileSync(path, 'utf8').includes('FUZZ_RUNS'))
  .filter((path) => named.length === 0 || named.some((part) => path.includes(part)))

if (files.length === 0) throw new Error('No test file reads FUZZ_RUNS.')
console.log(`${runs} runs of each property in:\n  ${files.join('\n  ')}`)

const heartbeat = setInterval(() => console.log(`… ${(performance.now() / 60_000).toFixed(1)} minutes`), 30_000)
const child = spawn('node_modules/.bin/vitest', ['run', '--config', 'test/vitest.config.ts', '--root', '.', '--testTimeout=0', ...files], {
  stdio: ['ignore', 'inherit', 'inherit'],
  env: { ...process.env, FUZZ_RUNS: runs },
})
child.on('error', (error) => {
  throw error
})
child.on('close', (code) => {
  clearInterval(heartbeat)
  process.exitCode = code ?? 1
})
