// @ts-check
// Servers of the tests' own, each on a free loopback port and in a temporary folder: found, or installed from Debian's packages, started and ended here.
import { spawn, spawnSync } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { findPrograms, isExecutable } from '../../set-up/debian.mjs'

/**
 * The path of a program: on the PATH, where Debian puts PostgreSQL's, or installed now. Rejects saying what to install.
 * @param {import('../../set-up/debian.mjs').Program} program
 * @returns {Promise<string>}
 */
export async function findProgram(program) {
  const debians = '/usr/lib/postgresql'
  const versions = existsSync(debians) ? readdirSync(debians).sort((one, other) => Number(other) - Number(one)) : []
  const [path = ''] = findPrograms([{ ...program, folders: versions.map((version) => join(debians, version, 'bin')) }])
  return path
}

/** A port of 127.0.0.1 that is free now. @returns {Promise<number>} */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(address !== null && typeof address === 'object' ? address.port : 0))
    })
  })
}

/** Whom a server runs as that refuses to run as root: the user that its package made. Nobody else where the tests do not run as root. */
export function unprivileged() {
  if (process.getuid?.() !== 0) return undefined
  /** @param {string} which */
  const id = (which) => Number(spawnSync('id', [which, 'postgres'], { encoding: 'utf8' }).stdout)
  const [uid, gid] = [id('-u'), id('-g')]
  if (!(uid > 0))
    throw new Error('PostgreSQL does not run as root, and its package’s user `postgres` is not there. Make one: adduser --system postgres')
  return { uid, gid }
}

/** @typedef {{ uid: number, gid: number } | undefined} User */

/** @param {string} name @param {User} [user] */
export function temporaryFolder(name, user) {
  const folder = mkdtempSync(join(tmpdir(), `valetkey-${name}-`))
  folders.add(folder)
  if (user !== undefined) chownSync(folder, user.uid, user.gid)
  return folder
}

/**
 * @typedef {object} Server
 * @property {() => Promise<void>} stop ends it in order, and removes its folder
 * @property {() => Promise<void>} kill ends it as a power cut does; its folder stays
 * @property {() => Promise<void>} restart starts it again, killed or not, on its port and folder
 */

/** All that run, so that none outlives the tests. @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set()
/** The folders that were not removed yet. @type {Set<string>} */
const folders = new Set()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
  for (const folder of folders) remove(folder)
})

/** @param {string} folder */
function remove(folder) {
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
  folders.delete(folder)
}

/**
 * Starts a server and resolves when it says that it is ready.
 * @param {{ command: string, parameters: readonly string[], ready: RegExp, folder: string, user?: User, stopSignal?: NodeJS.Signals }} how
 * @returns {Promise<Server>}
 */
export async function startServer(how) {
  let child = await begin(how)

  /** @param {NodeJS.Signals} signal */
  const end = async (signal) => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill(signal)
    await ended
  }

  return {
    async stop() {
      await end(how.stopSignal ?? 'SIGTERM')
      remove(how.folder)
    },
    kill: () => end('SIGKILL'),
    async restart() {
      await end('SIGKILL')
      child = await begin(how)
    },
  }
}

/** @param {Parameters<typeof startServer>[0]} how @returns {Promise<import('node:child_process').ChildProcess>} */
async function begin({ command, parameters, ready, folder, user }) {
  // The kernel ends it with us, however we end. It is asked after the change of user, which would take that back.
  const as = user === undefined ? [] : [`--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups']
  const line = [...(isExecutable('/usr/bin/setpriv') ? ['/usr/bin/setpriv', ...as, '--pdeathsig=KILL'] : []), command, ...parameters]
  const child = spawn(line[0] ?? '', line.slice(1), { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
  running.add(child)
  child.once('exit', () => running.delete(child))
  /** @type {string[]} */
  const said = []
  await new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, signal) => reject(new Error(`${command} ended with ${code ?? signal}:\n${said.slice(-20).join('\n')}`)))
    for (const stream of [child.stdout, child.stderr]) {
      createInterface(stream).on('line', (text) => {
        said.push(text)
        if (said.length > 100) said.shift()
        if (ready.test(text)) resolve(undefined)
      })
    }
  })
  return child
}
