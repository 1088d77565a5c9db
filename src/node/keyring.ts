import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { createRequire } from 'node:module'
import { basename } from 'node:path'
import type { Clock } from '../core/ports.js'

/** The key that the operating system's keyring has, or the half sentence that says why there is none. */
export type KeyringAnswer = { readonly key: string; readonly reason?: undefined } | { readonly key?: undefined; readonly reason: string }

export interface KeyringParts {
  /** Where the module of the keyring is; throws where it is not installed. */
  readonly module: () => string
  readonly clock: Clock
}

/** Time enough for a keyring that is open; one that waits for its user's password may wait for ever. */
const deadline = 5_000

/** Where `@napi-rs/keyring` is, for the program that uses valetkey. */
export const keyringModule = (): string => createRequire(import.meta.url).resolve('@napi-rs/keyring')

/**
 * The key of this account in the keyring, made where it has none: 32 random bytes in base64. It is asked in a process of its own, for a call
 * into a keyring that is locked holds up its whole process, and cannot be taken back; after five seconds that process is ended. Never rejects.
 */
export async function keyFromKeyring(account: string, { module, clock }: KeyringParts): Promise<KeyringAnswer> {
  // Anything else at this path is the program itself, packed together with Node: it would be started once more.
  if (!/^node(?:js)?[-\d.]*(?:\.exe)?$/i.test(basename(process.execPath)))
    return { reason: 'the keyring can only be asked where a program is run by node' }
  let path: string
  try {
    path = module()
  } catch {
    return { reason: 'the package @napi-rs/keyring is not installed' }
  }
  const finished = new AbortController()
  const { said, stop } = ask({ path, account, fresh: randomBytes(32).toString('base64') })
  const late = clock.wait(deadline, finished.signal).then(
    () => ({ reason: 'the keyring did not answer within five seconds (is it locked?)' }),
    () => ({ reason: '' }),
  )
  try {
    return await Promise.race([said.then(answerOf), late])
  } finally {
    finished.abort()
    stop()
  }
}

function answerOf(said: string): KeyringAnswer {
  // What the keyring itself said of a failure stays inside.
  if (/^[\w+/]{43}=$/.test(said)) return { key: said }
  return { reason: said === '' ? 'there is no keyring that answers (or it refused)' : 'the keyring has something else under this name' }
}

/** What the other process writes; nothing where it fails. The key goes by pipes: what a process is called with, others can see. */
function ask(question: { readonly path: string; readonly account: string; readonly fresh: string }): {
  readonly said: Promise<string>
  readonly stop: () => void
} {
  const child = spawn(process.execPath, ['--input-type=commonjs', '--eval', program], {
    stdio: ['pipe', 'pipe', 'ignore'],
    windowsHide: true,
  })
  const said = new Promise<string>((resolve) => {
    let text = ''
    child.stdout.setEncoding('utf8').on('data', (part: string) => (text += part))
    child.once('error', () => resolve(''))
    child.once('close', (code) => resolve(code === 0 ? text : ''))
  })
  child.stdin.on('error', () => {})
  child.stdin.end(JSON.stringify(question))
  return { said, stop: () => void child.kill('SIGKILL') }
}

// On Linux the Secret Service alone: the kernel's keyring, which else would take its place, forgets everything when the machine is started anew.
// A secret that is there and cannot be read throws, so that it is never written over.
const program = `
let text = ''
process.stdin.setEncoding('utf8').on('data', (part) => (text += part)).on('end', () => {
  const { path, account, fresh } = JSON.parse(text)
  const { Entry } = require(path)
  const entry = new Entry('valetkey', account, { linux: { store: 'secret-service' } })
  if (entry.getSecret() === null) entry.setSecret(Buffer.from(fresh))
  process.stdout.write(Buffer.from(entry.getSecret()).toString())
})
`
