// @ts-check
// What an import takes, what an installation weighs, and how often a value is sealed or opened.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rollup } from 'rollup'
import { median } from './call.mjs'
import { childOutput } from './child.mjs'
import { isMissed } from './reach.mjs'
import { seals } from './seals.mjs'

const top = fileURLToPath(new URL('../', import.meta.url))
const peers = ['@badgateway/oauth2-client', 'openid-client', 'google-auth-library', 'simple-oauth2', '@azure/msal-node']
const rounds = Number(process.env.BENCH_ROUNDS ?? 15)

/** @param {string} folder @returns {number} */
const weight = (folder) =>
  readdirSync(folder, { withFileTypes: true })
    .filter(({ name }) => name !== 'node_modules')
    .reduce((sum, entry) => sum + (entry.isDirectory() ? weight(join(folder, entry.name)) : statSync(join(folder, entry.name)).size), 0)

/** A package of the peers' folder and all that it needs, by path. @param {string} name @param {string} [from] @param {Map<string, number>} [found] */
function installed(name, from = `${top}bench/peers/package.json`, found = new Map()) {
  const folder = createRequire(from)
    .resolve.paths(name)
    ?.map((path) => join(path, name))
    .find((path) => existsSync(join(path, 'package.json')))
  if (folder === undefined || found.has(folder)) return found
  found.set(folder, weight(folder))
  const { dependencies = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  for (const one of Object.keys(dependencies)) installed(one, join(folder, 'package.json'), found)
  return found
}

/** The path of `valetkey` as one file, with what it loads later beside it: what the same code costs to import that is not a file for each module. */
async function oneFile() {
  const folder = `${top}node_modules/.cache/valetkey-bench`
  const built = await rollup({ input: `${top}dist/index.js`, external: ['oauth4webapi', 'idb-keyval', /^node:/], onwarn: () => {} })
  await built.write({ dir: folder, format: 'es' })
  writeFileSync(`${folder}/package.json`, '{ "type": "module" }\n')
  return `${folder}/index.js`
}

const kilobytes = (/** @type {number} */ bytes) => Math.round(bytes / 1_000).toLocaleString('en')
const sum = (/** @type {Iterable<number>} */ values) => [...values].reduce((all, one) => all + one, 0)

/** @param {(text: string) => void} say */
export async function measure(say) {
  const own = ['valetkey', 'valetkey/node', 'valetkey/redis', 'valetkey/resource-server']
  /** @type {Map<string, number[]>} */
  const inOneFile = await oneFile()
  const times = new Map([
    ['two', []],
    ['one', []],
    [inOneFile, []],
    ...[...own, ...peers].map((name) => /** @type {[string, number[]]} */ ([name, []])),
  ])
  for (let round = 1; round <= rounds; round += 1) {
    say(`imports, round ${round} of ${rounds}`)
    for (const [name, took] of times) took.push(Number(await childOutput('import-one.mjs', [name])))
  }
  const least = median(times.get('two') ?? [])
  const labels = new Map([
    ['two', 'oauth4webapi + idb-keyval'],
    ['one', 'oauth4webapi'],
    [inOneFile, 'valetkey, were it one file'],
  ])
  const imports = [...times].map(([name, took]) => {
    const ratio = median(took) / least
    const label = own.includes(name) ? `**${name}**` : (labels.get(name) ?? name)
    return [label, ratio.toFixed(2), own.includes(name) ? isMissed(Number(ratio.toFixed(2)), 1.3) : '']
  })

  say('installation')
  const packed = JSON.parse(
    execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
      cwd: top,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }),
  )[0]
  const two = sum(['oauth4webapi', 'idb-keyval'].map((name) => weight(`${top}node_modules/${name}`)))
  const ratio = (two + packed.unpackedSize) / two
  const ofKind = (/** @type {string} */ end) =>
    sum(
      packed.files
        .filter((/** @type {{ path: string }} */ { path }) => path.endsWith(end))
        .map((/** @type {{ size: number }} */ { size }) => size),
    )
  const maps = ofKind('.map')
  const install = [
    ['oauth4webapi + idb-keyval', '2', kilobytes(two), '', ''],
    ['**valetkey**', '3', kilobytes(two + packed.unpackedSize), ratio.toFixed(2), `3 packages, ${isMissed(Number(ratio.toFixed(2)), 1.4)}`],
    [
      'valetkey without its source maps',
      '3',
      kilobytes(two + packed.unpackedSize - maps),
      ((two + packed.unpackedSize - maps) / two).toFixed(2),
      '',
    ],
    ...peers.map((name) => {
      const all = installed(name)
      return [name, String(all.size), kilobytes(sum(all.values())), '', '']
    }),
  ]
  say('seals')
  const counted = await seals()
  return [
    {
      title: '5a. Import, as a multiple of importing the two dependencies',
      head: ['', '×', 'reach'],
      rows: imports,
      notes: [
        `${rounds} interleaved processes each, medians. The Node entries load no idb-keyval, and oauth4webapi only when a request is due.`,
        'Why it is missed: each module is a file of its own (`preserveModules`), so that a bundler leaves out what an application does not use and a stack names the source; Node opens them one by one. It is paid once a process.',
      ],
    },
    {
      title: '5b. Installation',
      head: ['', 'packages', 'kB unpacked', '× the two', 'reach'],
      rows: install,
      notes: [
        `Why it is missed: ${kilobytes(maps)} kB are source maps with their sources, ${kilobytes(ofKind('.d.ts'))} kB declarations with what each name promises and an example, and ${kilobytes(ofKind('.js'))} kB code with its comments, as it was written: it is minified by who bundles it.`,
      ],
    },
    {
      title: '5c. Seals (AES-GCM) and store operations of a user’s session in a sealed store',
      head: ['', 'opened', 'sealed', 'read', 'written', 'reach'],
      rows: counted.map(({ what, opened, sealed, read, written, reach }) => [
        what,
        String(opened),
        String(sealed),
        String(read),
        String(written),
        reach,
      ]),
    },
  ]
}
