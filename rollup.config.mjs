import { existsSync, readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import esbuild from 'rollup-plugin-esbuild'

const { dependencies, exports } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'))

/** One source file for each built path that the exports map names: the map is the only list of entries. */
const entries = Object.values(exports)
  .flatMap((target) => (typeof target === 'string' ? [] : Object.values(target)))
  .filter((path) => path?.endsWith('.js'))
  .map((path) => path.replace('./dist/', 'src/').replace(/\.js$/, '.ts'))

for (const entry of entries) if (!existsSync(entry)) throw new Error(`package.json exports ${entry}, which does not exist.`)

export default {
  input: entries,
  external: new RegExp(`^(node:|(${Object.keys(dependencies).join('|')})($|/))`),
  plugins: [
    { name: 'clean', buildStart: () => rm('dist', { recursive: true, force: true }) },
    esbuild({ target: 'es2022', sourceMap: true, tsconfig: false }),
  ],
  output: { dir: 'dist', format: 'es', preserveModules: true, preserveModulesRoot: 'src', sourcemap: true },
  onwarn(warning) {
    throw new Error(warning.message)
  },
}
