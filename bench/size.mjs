// @ts-check
// Bundles: the smallest application that does the job, as bytes after minifying and brotli.
import { readFileSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync, constants } from 'node:zlib'
import { nodeResolve } from '@rollup/plugin-node-resolve'
import { rollup } from 'rollup'
import { isMissed } from './reach.mjs'

const top = fileURLToPath(new URL('../', import.meta.url))
const fromPeers = createRequire(new URL('./peers/package.json', import.meta.url))

/** As an application imports them by name. */
const own = {
  name: 'valetkey by name',
  /** @param {string} source */
  resolveId(source) {
    const { exports } = JSON.parse(readFileSync(`${top}package.json`, 'utf8'))
    const target = source.startsWith('valetkey') ? exports[`.${source.slice('valetkey'.length)}`] : undefined
    return target === undefined ? null : top + target.default
  },
}

/** @param {string} file @param {{ browser: boolean, chunks?: boolean }} how */
async function bundled(file, { browser, chunks = false }) {
  const commonjs = fromPeers('@rollup/plugin-commonjs')
  const json = fromPeers('@rollup/plugin-json')
  const built = await rollup({
    input: `${top}bench/${file}`,
    plugins: [own, nodeResolve({ browser, preferBuiltins: !browser }), commonjs(), json()],
    ...(browser ? {} : { external: (/** @type {string} */ id) => id.startsWith('node:') || builtins.has(id) }),
    onwarn: () => {},
  })
  const { output } = await built.generate({ format: 'es', inlineDynamicImports: !chunks })
  return output.flatMap((part) => (part.type === 'chunk' ? [part] : []))
}

const builtins = new Set(createRequire(import.meta.url)('node:module').builtinModules)

/** @param {readonly { readonly code: string }[]} chunks */
async function weighed(chunks) {
  const { minify } = fromPeers('terser')
  let [min, brotli] = [0, 0]
  for (const { code } of chunks) {
    const small = (await minify(code, { module: true, ecma: 2020, toplevel: true, compress: { passes: 3 } })).code
    min += Buffer.byteLength(small)
    brotli += brotliCompressSync(small, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }).length
  }
  return { min, brotli }
}

/** @param {import('rollup').OutputChunk[]} chunks @param {readonly string[]} from the chunks of these modules, and what they import at once */
function atOnce(chunks, from) {
  const early = new Set(
    chunks.filter((chunk) => chunk.isEntry || from.some((name) => Object.keys(chunk.modules).some((id) => id.endsWith(`dist/${name}`)))),
  )
  for (const chunk of early) for (const one of chunks) if (chunk.imports.includes(one.fileName)) early.add(one)
  return [...early]
}

/** How much of some chunks, before they are made small, is of which folder of `src`. @param {readonly import('rollup').OutputChunk[]} chunks */
function rooms(chunks) {
  /** @type {Map<string, number>} */
  const sizes = new Map()
  for (const { modules } of chunks) {
    for (const [id, { renderedLength }] of Object.entries(modules)) {
      const room = /dist\/([^/]+)\//.exec(id)?.[1] ?? 'what is beside them'
      sizes.set(room, (sizes.get(room) ?? 0) + renderedLength)
    }
  }
  const all = [...sizes.values()].reduce((sum, size) => sum + size, 0)
  return [...sizes]
    .toSorted(([, one], [, other]) => other - one)
    .map(([room, size]) => `${Math.round((size / all) * 100)} % is \`${room}\``)
    .join(', ')
}

const number = (/** @type {number} */ value) => value.toLocaleString('en')

/** @param {(text: string) => void} say */
export async function measure(say) {
  const peers = readdirSync(`${top}bench/peers/apps`).map((file) => file.replace('.mjs', ''))
  const table = async (
    /** @type {'browser' | 'node'} */ kind,
    /** @type {readonly (readonly [name: string, file: string, floor?: string, reach?: number])[]} */ ours,
  ) => {
    const all = [
      ...ours,
      ...peers
        .filter((name) => name.startsWith(`${kind}-`))
        .map((name) => /** @type {const} */ ([name.slice(kind.length + 1), `peers/apps/${name}.mjs`])),
    ]
    /** @type {Map<string, { min: number, brotli: number }>} */
    const weights = new Map()
    for (const [name, file] of all) {
      say(name)
      try {
        weights.set(name, await weighed(await bundled(file, { browser: kind === 'browser' })))
      } catch (error) {
        say(`${name} cannot be bundled: ${error instanceof Error ? error.message : ''}`)
      }
    }
    const rows = all
      .filter(([name]) => weights.has(name))
      .map(([name, , floor, reach]) => {
        const weight = weights.get(name) ?? { min: 0, brotli: 0 }
        const ratio = floor === undefined ? undefined : weight.brotli / (weights.get(floor)?.brotli ?? NaN)
        return {
          weight,
          cells: [
            ratio === undefined ? name : `**${name}**`,
            number(weight.min),
            number(weight.brotli),
            ratio === undefined ? '' : `${ratio.toFixed(2)} × ${floor}`,
            isMissed(ratio, reach),
          ],
        }
      })
    return rows.toSorted((one, other) => one.weight.brotli - other.weight.brotli).map(({ cells }) => cells)
  }
  const head = ['', 'min', 'brotli', 'ratio', 'reach']
  const browser = await table('browser', [
    ['floor, no library', 'floors/browser-bare.mjs'],
    ['floor, Bearer', 'floors/browser-bearer.mjs'],
    ['floor, Bearer + seal', 'floors/browser-sealed.mjs'],
    ['floor, DPoP + seal', 'floors/browser-dpop.mjs'],
    ['valetkey, all of it', 'apps/browser.mjs', 'floor, Bearer + seal', 1.25],
    ['valetkey with `dpop`, all of it', 'apps/browser-dpop.mjs', 'floor, DPoP + seal', 1.2],
  ])
  const node = await table('node', [
    ['floor', 'floors/node-job.mjs'],
    ['floor, DPoP', 'floors/node-dpop.mjs'],
    ['valetkey', 'apps/node-job.mjs', 'floor', 1.15],
    ['valetkey, `oauthFetch` over tokens from elsewhere', 'apps/attach.mjs'],
  ])
  say('the engine alone')
  const engine = await weighed(await bundled('apps/engine.mjs', { browser: true }))
  say('what a page loads, and when')
  const lazyFloor = await bundled('floors/browser-lazy.mjs', { browser: true, chunks: true })
  const chunks = await bundled('apps/browser.mjs', { browser: true, chunks: true })
  const stages = /** @type {const} */ ([
    ['floor: the entry chunk', atOnce(lazyFloor, []), undefined],
    ['valetkey: the entry chunk', atOnce(chunks, []), 3_000],
    ['valetkey: until a page that has a session has its token', atOnce(chunks, ['browser/page-session.js']), undefined],
    [
      'valetkey: the same, and a renewal',
      atOnce(chunks, ['browser/page-session.js', 'engine/renewal.js', 'grants/refresh-token.js']),
      undefined,
    ],
  ])
  const lazy = []
  for (const [name, those, reach] of stages) {
    const { min, brotli } = await weighed(those)
    lazy.push([name, number(min), number(brotli), reach === undefined ? '' : isMissed(brotli, reach)])
  }
  return [
    {
      title: '1a. Bundle of a page: sign in, callback, keep tokens, renew, attach',
      head,
      rows: browser,
      notes: [
        `Why it is missed: the engine alone (\`src/engine\` with what it decides by in \`src/core\`, without a protocol, a store or a page) is ${number(engine.min)} bytes, ${number(engine.brotli)} of brotli. The floor renews where all goes well; of the engine's rules (the mark, the watch, what is unclear, the healing, the end that is said once) none can go without a property of \`test/engine/mutations.test.ts\` failing. Of the whole ${rooms(chunks)}. What a page may never need of it (DPoP, pushed and signed requests, signed responses, the device grant, revocation, logout, renewal by a worker) is loaded when it is first needed (1c).`,
      ],
    },
    {
      title: '1b. Bundle of a job: client credentials, a cached token, fetch',
      head,
      rows: node,
      notes: [
        'Why it is missed: a job has the same engine, for fifty machines that share one token, where the floor has one variable; and `oauthFetch` with its redirects, retries and refusals.',
      ],
    },
    {
      title: '1c. What a page loads, and when',
      head: ['', 'min', 'brotli', 'reach'],
      rows: lazy,
      notes: [
        `Why the entry chunk is heavier than its reach: ${rooms(atOnce(chunks, []))}. Options are refused when they are given, with a sentence for each; the functions of the browser are kept before another script can replace them; and the calls with their redirects and retries are what an entry is for.`,
        'rollup, terser (module, ecma 2020, toplevel, 3 passes), brotli 11; in 1a and 1b what is loaded later is inlined, in 1c each chunk is compressed by itself.',
      ],
    },
  ]
}
