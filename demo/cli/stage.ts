import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { OAuthError, fileStore } from '../../src/node/index.js'
import { startApi } from '../servers/api.js'
import { startAuthorizationServer } from '../servers/authorization-server.js'
import { type StageParts, runProgram } from '../stage.js'
import { type CliOptions, readOptions, usage } from './options.js'

/** Where this demo keeps what outlives a run, unless it is told another place. */
const demoFolder = join('node_modules', '.cache', 'valetkey-demo', 'cli')

/** The servers that the tool is a client of, or real ones, and a folder for its tokens. */
export async function run(parts: StageParts): Promise<number> {
  const options = readOptions(parts.parameters)
  if (options === undefined) {
    console.error(usage)
    return 2
  }
  const folder = resolve(options.folder ?? demoFolder)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const servers: Servers = options.real === undefined ? await ownServers(folder) : { ...options.real, close: async () => {} }
  try {
    const sealing = await sealingOf(join(folder, 'tokens'))
    console.log(`The tool of demo/cli/cli.ts is a client of the authorization server ${servers.issuer}, and calls ${servers.api}.`)
    console.log(`Its tokens are kept in ${join(folder, 'tokens')}, sealed with ${sealing.with}.\n`)
    const { issuer, clientId, api, scope } = servers
    const environment = { ISSUER: issuer, CLIENT_ID: clientId, API: api, SCOPE: scope, FOLDER: join(folder, 'tokens'), ...sealing.key }
    const code = await runProgram(parts, environment, options.flags)
    if (code === 0 && !options.flags.includes('--sign-out'))
      console.log('\nRun it again: no browser is needed any more. `npm run demo:cli -- --sign-out` signs out.')
    return code
  } finally {
    await servers.close()
  }
}

type Servers = NonNullable<CliOptions['real']> & { close(): Promise<void> }

/** The demo's own servers, as they were when the last run ended: at the same address, with the same grants. */
async function ownServers(folder: string): Promise<Servers> {
  const [portFile, memory] = [join(folder, 'port'), join(folder, 'authorization-server.json')]
  const port = existsSync(portFile) ? Number(await readFile(portFile, 'utf8')) : undefined
  const clients = [
    {
      clientId: 'notes-cli',
      name: 'Notes in a terminal',
      redirectUris: ['http://127.0.0.1/callback'],
      grants: ['device_code' as const],
      metadata: { application_type: 'native' as const },
    },
  ]
  const server = await startAuthorizationServer({ clients, port, memory }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EADDRINUSE') throw error
    // Another issuer, for which nobody is signed in yet.
    return startAuthorizationServer({ clients, memory })
  })
  await writeFile(portFile, new URL(server.issuer).port)
  const api = await startApi({ issuer: server.issuer, resourceServer: server.resourceServer })
  return {
    issuer: server.issuer,
    clientId: 'notes-cli',
    api: `${api.origin}/notes`,
    scope: 'openid notes:read',
    close: async () => {
      await Promise.all([server.close(), api.close()])
    },
  }
}

/** The system's keyring has the key; where there is none that answers, a key lies beside the tokens. */
async function sealingOf(place: string): Promise<{ readonly with: string; readonly key: { readonly STORE_KEY?: string } }> {
  const keyFile = `${place}.key`
  if (!existsSync(keyFile)) {
    try {
      await fileStore(place)
      return { with: 'a key that the keyring of this system keeps', key: {} }
    } catch (error) {
      if (!(error instanceof OAuthError && error.code === 'invalid_configuration')) throw error
      await writeFile(keyFile, randomBytes(32).toString('base64'), { mode: 0o600 })
    }
  }
  return {
    with: `the key in ${keyFile}, for want of a keyring (good enough for a demo: who reads one can read the other)`,
    key: { STORE_KEY: await readFile(keyFile, 'utf8') },
  }
}
