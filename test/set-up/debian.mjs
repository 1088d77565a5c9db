// @ts-check
// Programs that the tests need: found, or installed from Debian's packages where that may be (as root, or by sudo where it asks nothing).
import { spawnSync } from 'node:child_process'
import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/**
 * @typedef {object} Program
 * @property {string} name of its executable
 * @property {string} debian the package that has it
 * @property {readonly string[]} [folders] where it may be beside the PATH
 */

/**
 * What an installation touches, so that a test can put its own there.
 * @typedef {object} Machine
 * @property {Readonly<Record<string, string | undefined>>} env
 * @property {number | undefined} uid
 * @property {(command: string, parameters: readonly string[], env?: Readonly<Record<string, string>>) => boolean} run runs a command to its end; whether it succeeded
 * @property {(text: string) => void} say
 */

/** @type {Machine} */
export const machine = {
  env: process.env,
  uid: process.getuid?.(),
  run(command, parameters, env = {}) {
    const installs = parameters.includes('install') || parameters.includes('update')
    const { status } = spawnSync(command, [...parameters], {
      // Our own last line is the tally, so what an installer says goes to standard error.
      stdio: ['ignore', installs ? process.stderr : 'ignore', installs ? 'inherit' : 'ignore'],
      timeout: 5 * 60_000,
      env: { ...process.env, ...env },
    })
    return status === 0
  },
  say: (text) => console.error(text),
}

/** @param {string} path */
export function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

/** @param {Readonly<Record<string, string | undefined>>} env */
export function foldersOfPath(env) {
  return (env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '')
}

/** @param {Program} program */
export function present({ name, folders = [] }) {
  return [...foldersOfPath(process.env), '/usr/sbin', '/usr/local/sbin', ...folders].map((folder) => join(folder, name)).find(isExecutable)
}

/**
 * Whether they are installed now.
 * @param {readonly string[]} packages
 * @param {string} what is not here, to be said
 * @param {Machine} [where]
 */
export function installDebians(packages, what, where = machine) {
  if (!foldersOfPath(where.env).some((folder) => isExecutable(join(folder, 'apt-get')))) return false
  const root = where.uid === 0
  if (!root && !where.run('sudo', ['-n', 'true'])) return false
  where.say(`No ${what} here: installing Debian’s …`)
  /** @param {readonly string[]} parameters */
  const aptGet = (...parameters) => {
    const quiet = ['env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', ...parameters]
    const [command, ...rest] = root ? quiet : ['sudo', '-n', ...quiet]
    return where.run(command ?? '', rest)
  }
  return aptGet('update') && aptGet('install', '-y', '--no-install-recommends', ...packages)
}

/**
 * The paths of programs, in their order; those that are not here are installed now, together. Throws saying what to install.
 * @param {readonly Program[]} programs
 * @returns {readonly string[]}
 */
export function findPrograms(programs) {
  const missing = () => programs.filter((program) => present(program) === undefined)
  const wanted = missing()
  const packages = (/** @type {readonly Program[]} */ of) => [...new Set(of.map(({ debian }) => debian))]
  const names = (/** @type {readonly Program[]} */ of) => of.map(({ name }) => name).join(', ')
  if (wanted.length > 0) installDebians(packages(wanted), names(wanted))
  const lost = missing()
  if (lost.length === 0) return programs.map((program) => present(program) ?? '')
  throw new Error(
    `These tests need ${names(lost)}, which is not here and could not be installed. Debian: apt-get install ${packages(lost).join(' ')}`,
  )
}
