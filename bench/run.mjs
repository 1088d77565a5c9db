// @ts-check
// `npm run bench`: measures, with progress, and writes bench/RESULTS.md; `npm run bench -- call` measures one part and prints it.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { isBuilt } from '../test/set-up/built.mjs'

/**
 * What a part measured: a table, and what stands below it.
 * @typedef {{ readonly title: string, readonly head: readonly string[], readonly rows: readonly (readonly string[])[], readonly notes?: readonly string[] }} Table
 * A part is bench/NAME.mjs: `measure` says what it is at, and resolves with its tables.
 * @typedef {{ measure(say: (text: string) => void): Promise<readonly Table[]> }} Part
 */

/** In the order of the report. */
const parts = ['size', 'call', 'renewal', 'dpop', 'install', 'growth']
/** These need nothing of the peers' folder. */
const alone = ['dpop', 'growth']

const top = fileURLToPath(new URL('../', import.meta.url))
process.chdir(top)

const named = process.argv.slice(2)
const wanted = parts.filter((name) => named.length === 0 || named.includes(name))
if (wanted.length === 0) throw new Error(`There is no such part. Parts: ${parts.join(', ')}.`)

if (wanted.some((name) => !alone.includes(name)) && !existsSync('bench/peers/node_modules/terser'))
  must('npm', ['run', '--silent', 'bench:setup'])
if (!isBuilt()) must('npm', ['run', '--silent', 'build'])

const started = performance.now()
const minutes = () => `${((performance.now() - started) / 60_000).toFixed(1)} min`
const heartbeat = setInterval(() => console.error(`… ${minutes()}`), 30_000)
/** @type {string[]} */
const report = []
try {
  for (const name of wanted) {
    const { measure } = /** @type {Part} */ (await import(`./${name}.mjs`))
    for (const table of await measure((text) => console.error(`${name}: ${text}`))) {
      const text = asText(table)
      console.log(`\n${text}`)
      report.push(text)
    }
  }
} finally {
  clearInterval(heartbeat)
}
console.error(`\nDone in ${minutes()}.`)
if (named.length === 0) {
  writeFileSync('bench/RESULTS.md', `${heading()}\n\n${report.join('\n\n')}\n`)
  console.error('Written to bench/RESULTS.md.')
}

function heading() {
  const version = (/** @type {string} */ path) => JSON.parse(readFileSync(path, 'utf8')).version
  const dependencies = ['oauth4webapi', 'idb-keyval'].map((name) => `${name} ${version(`node_modules/${name}/package.json`)}`)
  const peers = Object.entries(JSON.parse(readFileSync('bench/peers/package.json', 'utf8')).dependencies)
    .filter(([name]) => !name.startsWith('@rollup/') && name !== 'terser')
    .map(([name, is]) => `${name} ${is}`)
  return `# What it costs

Written by \`npm run bench\`. Node ${process.versions.node}, ${cpus().length} × ${cpus()[0]?.model ?? 'an unknown processor'}; valetkey ${version('package.json')}, ${dependencies.join(', ')}; beside ${peers.join(', ')}.

"Floor" is the same job written by hand, as small as it can be and still be right, on the same two dependencies (\`bench/floors/\`). Bytes and counts do not
vary and are held in \`npm test\`; of times only the ratios inside one run mean anything. "Reach" is what is aimed at; a row that misses it says so.`
}

/** @param {Table} table */
function asText({ title, head, rows, notes = [] }) {
  const row = (/** @type {readonly string[]} */ cells) => `| ${cells.join(' | ')} |`
  const lines = [row(head), row(head.map(() => '---')), ...rows.map(row)]
  return [`## ${title}`, lines.join('\n'), ...notes].join('\n\n')
}

/** @param {string} command @param {readonly string[]} parameters */
function must(command, parameters) {
  const { status } = spawnSync(command, [...parameters], { stdio: ['ignore', 2, 2] })
  if (status !== 0) throw new Error(`\`${command} ${parameters.join(' ')}\` failed.`)
}
