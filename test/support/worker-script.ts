import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

/** A service worker's script, bundled into one file as an application would: `serveRenewals()`, and what is given before and after it. */
export async function workerScript({
  before = '',
  after = '',
}: { readonly before?: string; readonly after?: string } = {}): Promise<string> {
  const { outputFiles } = await build({
    stdin: {
      contents: `${before}\nimport { serveRenewals } from './src/worker/index.js'\nserveRenewals()\n${after}`,
      resolveDir: fileURLToPath(new URL('../../', import.meta.url)),
      loader: 'ts',
    },
    bundle: true,
    format: 'iife',
    target: 'es2022',
    write: false,
    logLevel: 'silent',
  })
  return outputFiles[0]?.text ?? ''
}
