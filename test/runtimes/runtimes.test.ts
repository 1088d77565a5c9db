import { execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { cp, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { type DemoApi, startApi } from '../../demo/servers/api.js'
import { type DemoAuthorizationServer, startAuthorizationServer } from '../../demo/servers/authorization-server.js'
import { type Application, makeApplication } from '../package/application.js'
import { installedAside } from '../set-up/aside.mjs'

// The installed package in every runtime that it is meant for, against the real servers: each from the npm registry, of exactly these versions.

const run = promisify(execFile)
const platform = `${process.platform}-${process.arch}`
const versions = { node22: '22.23.3', node24: '24.20.0', node26: '26.12.1', deno: '2.9.6', bun: '1.4.5', workerd: '1.20261117.1' }
/** By platform: the packages that hold the programs themselves, which need no install script. */
const builds: Readonly<Record<string, { readonly deno: string; readonly bun: string; readonly workerd: string }>> = {
  'linux-x64': { deno: '@deno/linux-x64-glibc', bun: '@oven/bun-linux-x64-baseline', workerd: '@cloudflare/workerd-linux-64' },
  'linux-arm64': { deno: '@deno/linux-arm64-glibc', bun: '@oven/bun-linux-aarch64', workerd: '@cloudflare/workerd-linux-arm64' },
  'darwin-arm64': { deno: '@deno/darwin-arm64', bun: '@oven/bun-darwin-aarch64', workerd: '@cloudflare/workerd-darwin-arm64' },
}
const clientSecret = randomBytes(24).toString('base64url')
const main = `import { seen } from './program.mjs'
import process from 'node:process'
import * as node from 'valetkey/node'
if (Object.keys(node).length === 0) throw new Error('valetkey/node exports nothing')
console.log(JSON.stringify(await seen(JSON.parse(process.env.WHERE))))
`

let runtimes = ''
let application: Application
let server: DemoAuthorizationServer
let api: DemoApi

beforeAll(async () => {
  const { deno, bun, workerd } = builds[platform] ?? {}
  if (deno === undefined) throw new Error(`Which packages hold Deno, Bun and workerd for ${platform} is not known. Add them to \`builds\`.`)
  const nodes = (['node22', 'node24', 'node26'] as const).map((name) => `${name}@npm:node-${platform}@${versions[name]}`)
  const others = [`${deno}@${versions.deno}`, `${bun}@${versions.bun}`, `${workerd}@${versions.workerd}`]
  runtimes = join(await installedAside('runtimes', [...nodes, ...others]), 'node_modules')
  application = await makeApplication()
  await cp(fileURLToPath(new URL('program.mjs', import.meta.url)), join(application.folder, 'program.mjs'))
  await writeFile(join(application.folder, 'main.mjs'), main)
  server = await startAuthorizationServer({ clients: [{ clientId: 'nightly', clientSecret, grants: ['client_credentials'] }] })
  api = await startApi({ issuer: server.issuer, resourceServer: server.resourceServer })
}, 600_000)

afterAll(async () => {
  await application?.remove()
  await Promise.all([server?.close(), api?.close()])
})

const where = () => ({ issuer: server.issuer, api: api.origin, clientSecret, encryptionKey: randomBytes(32).toString('base64') })

const everything = {
  answers: [201],
  count: 21,
  refused: 'resource_not_listed',
  shows: false,
  exports: { resourceServer: true, testing: true, worker: true, browser: true, redis: true, postgres: true },
}

/** What came to the token endpoint meanwhile: one token for twenty calls at once, and one more when it was refused. */
async function tokenRequests(run: () => Promise<unknown>): Promise<readonly unknown[]> {
  const from = server.log.length
  await run()
  return server.log.slice(from).flatMap(({ path, status }) => (path === '/token' ? [status] : []))
}

const own = (...path: string[]) => join(runtimes, ...path)

test.for([
  ['this Node', () => [process.execPath, 'main.mjs']],
  ['Node 22', () => [own('node22/bin/node'), 'main.mjs']],
  ['Node 24', () => [own('node24/bin/node'), 'main.mjs']],
  ['Node 26', () => [own('node26/bin/node'), 'main.mjs']],
  ['Deno', () => [own(builds[platform]?.deno ?? '', 'deno'), 'run', '--allow-all', '--quiet', 'main.mjs']],
  ['Bun', () => [own(builds[platform]?.bun ?? '', 'bin/bun'), 'main.mjs']],
] as const)('in %s twenty calls at once share one token, bound to a key, and each entry can be imported', async ([, command]) => {
  const [program = '', ...parameters] = command()
  const requests = await tokenRequests(async () => {
    const { stdout, stderr } = await run(program, parameters, {
      cwd: application.folder,
      env: { PATH: process.env['PATH'], HOME: application.folder, WHERE: JSON.stringify(where()) },
    })
    expect(JSON.parse(stdout)).toEqual(everything)
    expect(stderr).toBe('')
  })
  expect(requests).toEqual([200, 200])
})

test('in workerd, where nothing may happen at import, the same', async () => {
  const { outputFiles } = await build({
    stdin: {
      contents: `import { seen } from './program.mjs'
export default { fetch: async (request) => Response.json(await seen(await request.json())) }`,
      resolveDir: application.folder,
    },
    bundle: true,
    format: 'esm',
    target: 'es2022',
    conditions: ['workerd', 'worker', 'browser', 'import'],
    write: false,
  })
  await writeFile(join(application.folder, 'worker.mjs'), outputFiles[0]?.text ?? '')
  const port = await freePort()
  await writeFile(
    join(application.folder, 'workerd.capnp'),
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = (modules = [(name = "worker.mjs", esModule = embed "worker.mjs")], compatibilityDate = "2026-11-01")),
    (name = "internet", network = (allow = ["private"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
);
`,
  )
  const workerd = spawn(own(builds[platform]?.workerd ?? '', 'bin/workerd'), ['serve', 'workerd.capnp'], {
    cwd: application.folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onTestFinished(() => void workerd.kill('SIGKILL'))
  const said: string[] = []
  for (const stream of [workerd.stdout, workerd.stderr]) stream.on('data', (chunk: Buffer) => said.push(chunk.toString()))
  await expect
    .poll(() =>
      fetch(`http://127.0.0.1:${port}/`, { method: 'HEAD' }).then(
        () => 'there',
        () => said.join(),
      ),
    )
    .toBe('there')
  said.length = 0
  const requests = await tokenRequests(async () => {
    const response = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: JSON.stringify(where()) })
    expect([response.status, await response.text()]).toEqual([200, JSON.stringify(everything)])
  })
  expect(requests).toEqual([200, 200])
  expect(said).toEqual([])
})

async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const address = probe.address()
  await new Promise((resolve) => probe.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('There is no free port.')
  return address.port
}
