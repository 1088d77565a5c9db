import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const here = (name: string): string => fileURLToPath(new URL(`./${name}`, import.meta.url))

/** A program of this folder as one file that node runs; `instead` names the file that takes the place of a module. */
export async function bundle(name: string, folder: string, instead: Readonly<Record<string, string>> = {}): Promise<string> {
  const outfile = join(folder, `${name}${Object.values(instead).join('')}.mjs`)
  await build({
    entryPoints: [here(`${name}.ts`)],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    logLevel: 'silent',
    plugins: [
      {
        name: 'instead',
        setup({ onResolve }) {
          onResolve({ filter: /^node:/ }, ({ path }) => (instead[path] === undefined ? undefined : { path: here(`${instead[path]}.ts`) }))
        },
      },
    ],
  })
  return outfile
}
