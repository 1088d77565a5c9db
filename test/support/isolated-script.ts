import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

/** A dedicated worker's script, bundled into one file as an application would: `serveCalls` of what `config.json` of its origin says, after `before`. */
export async function isolatedScript({
  before = '',
  options = {},
}: { readonly before?: string; readonly options?: object } = {}): Promise<string> {
  const { outputFiles } = await build({
    stdin: {
      contents: `${before}
        import { serveCalls } from './src/worker/index.js'
        const { issuer, api, otherApi, dpop } = await (await fetch('/config.json')).json()
        const options = { issuer, clientId: 'page', redirectUri: '/callback', scope: ['openid', 'notes:read'], dpop,
          resources: [api + '/notes', otherApi + '/'] }
        serveCalls({ ...options, ...${JSON.stringify(options)} })`,
      resolveDir: fileURLToPath(new URL('../../', import.meta.url)),
      loader: 'ts',
    },
    bundle: true,
    format: 'esm',
    target: 'es2022',
    write: false,
    logLevel: 'silent',
  })
  return outputFiles[0]?.text ?? ''
}
