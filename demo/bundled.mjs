// The demos are TypeScript, and import valetkey from its sources. Each file is bundled for Node when a demo starts, into a folder of that run.
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const folder = fileURLToPath(new URL('.', import.meta.url))
/** Inside the project, so that the packages that are imported are found. */
const cache = join(folder, '..', 'node_modules', '.cache', 'valetkey-demo')

/**
 * Bundles files of this folder, each into one file of its own.
 * @param {...string} sources such as `servers/demo.ts`
 * @returns {Promise<{ paths: string[], remove: () => Promise<void> }>} in the same order
 */
export async function bundled(...sources) {
  await mkdir(cache, { recursive: true })
  const run = await mkdtemp(join(cache, 'run-'))
  const paths = sources.map((source) => join(run, `${basename(source, '.ts')}.mjs`))
  const remove = () => rm(run, { recursive: true, force: true })
  try {
    await build({
      entryPoints: sources.map((source) => join(folder, source)),
      outdir: run,
      entryNames: '[name]',
      outExtension: { '.js': '.mjs' },
      bundle: true,
      packages: 'external',
      platform: 'node',
      format: 'esm',
      target: 'node20',
      logLevel: 'error',
    })
  } catch (error) {
    await remove()
    throw error
  }
  return { paths, remove }
}
