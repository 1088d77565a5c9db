import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

/** The files of a page by their paths: a script of the name of each entry (`/entry.js`), and what they load later. */
export async function bundlePage(entries: Readonly<Record<string, URL>>): Promise<ReadonlyMap<string, string>> {
  const { outputFiles } = await build({
    entryPoints: Object.fromEntries(Object.entries(entries).map(([name, url]) => [name, fileURLToPath(url)])),
    bundle: true,
    format: 'esm',
    splitting: true,
    target: 'es2022',
    outdir: '/',
    write: false,
    logLevel: 'silent',
  })
  return new Map(outputFiles.map(({ path, text }) => [path, text]))
}
