// npm run demo: an authorization server, an API and a page, each on an origin of its own, until Ctrl-C.
import { readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { build } from 'esbuild'
import { bundled } from './bundled.mjs'

const usage = `Usage: npm run demo [-- --token-seconds N]
       npm run demo -- --issuer URL --client-id ID --api URL [--scope 'openid …']
PORT is the page's port; without it, and for the servers, free ones are taken.`

const folder = fileURLToPath(new URL('.', import.meta.url))
const options = readOptions()
if (options === undefined) {
  console.error(usage)
  process.exit(2)
}
await run(options)

async function run({ port, real, tokenSeconds }) {
  try {
    const { startDemo } = await importServers()
    const demo = await startDemo({ port, real, tokenSeconds, files: await bundlePage() })
    // A terminal's Ctrl-C comes twice: once from the terminal, once from npm.
    let stopping
    const stop = () => void (stopping ??= demo.close().then(() => process.exit(0)))
    process.on('SIGINT', stop).on('SIGTERM', stop)
    console.log(`Demo ready: ${demo.address}`)
    for (const line of demo.advice) console.log(`  ${line}`)
  } catch (error) {
    console.error(error.code === 'EADDRINUSE' ? `Port ${port} is taken; say another with PORT.` : error)
    process.exit(1)
  }
}

async function importServers() {
  const { paths, remove } = await bundled('servers/demo.ts')
  try {
    return await import(pathToFileURL(paths[0]).href)
  } finally {
    await remove()
  }
}

async function bundlePage() {
  const { outputFiles } = await build({
    entryPoints: [join(folder, 'page/main.ts')],
    outdir: '/',
    write: false,
    bundle: true,
    splitting: true,
    platform: 'browser',
    format: 'esm',
    target: 'es2022',
    sourcemap: 'linked',
    logLevel: 'error',
  })
  const files = new Map(outputFiles.map(({ path, contents }) => [`/${basename(path)}`, contents]))
  for (const name of ['index.html', 'style.css']) files.set(`/${name}`, await readFile(join(folder, 'page', name)))
  return files
}

/** `undefined` where what was said makes no sense. */
function readOptions() {
  try {
    const text = { type: 'string' }
    const { values } = parseArgs({ options: { issuer: text, 'client-id': text, api: text, scope: text, 'token-seconds': text } })
    const { issuer, 'client-id': clientId, api, scope } = values
    const port = readPort(process.env.PORT)
    const tokenSeconds = readTokenSeconds(values['token-seconds'])
    if (issuer === undefined && clientId === undefined && api === undefined && scope === undefined) return { port, tokenSeconds }
    // A real server decides that itself.
    if (!isWebUrl(issuer) || !isWebUrl(api) || !clientId || tokenSeconds !== undefined) return undefined
    return { port, real: { issuer, clientId, api, scope: (scope ?? 'openid').split(' ').filter(Boolean) } }
  } catch {
    return undefined
  }
}

function readPort(value) {
  if (value === undefined || value === '') return undefined
  if (!/^\d{1,5}$/.test(value) || Number(value) > 65_535) throw new Error('PORT is not a port.')
  return Number(value)
}

function readTokenSeconds(value) {
  if (value === undefined) return undefined
  if (!/^[1-9]\d{0,3}$/.test(value)) throw new Error('That is no number of seconds.')
  return Number(value)
}

function isWebUrl(value) {
  return value !== undefined && URL.canParse(value) && /^https?:$/.test(new URL(value).protocol)
}
