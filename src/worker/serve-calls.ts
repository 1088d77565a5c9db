import { readCall } from '../browser/isolated-call-messages.js'
import { plain, readAsk } from '../browser/isolated-messages.js'
import { lockManager, webLocks } from '../browser/web-locks.js'
import type { AuthorizationServer } from '../core/client.js'
import { OAuthError } from '../core/errors.js'
import { object, readable } from '../core/reading.js'
import { fresh } from '../session/randomness.js'
import { answerAsks } from './answer-asks.js'
import { answerCall } from './answer-call.js'
import { type Isolated, type IsolatedSettings, isolated } from './isolated-session.js'
import { type PageBeyond, pageBeyond } from './page-beyond.js'

interface WorkerScope {
  readonly origin: string
  addEventListener(type: 'message', listener: (event: MessageEvent<unknown>) => void): void
  postMessage(message: object): void
}

let isServing = false

/**
 * In a dedicated worker's script: keeps the tokens and makes the calls, to these resources only; the page cannot name others. The page has
 * `isolatedSession` of `valetkey/browser`. Tokens are in this worker's memory and nowhere else; what is kept for a sign-in that leaves the page (state,
 * verifier) is in IndexedDB, sealed, and so is the key of `dpop`, which cannot be read out.
 *
 * It has neither a `store`, a `lock`, a `userAgent` nor a `navigate` of yours: the page is its user agent, by redirect. `fetch`, `clock` and `observe`
 * are called in the worker.
 *
 * @throws OAuthError `invalid_configuration`, which names the option that is wrong, and which the page's calls then reject with; `not_supported` where
 *   this is no dedicated worker
 *
 * @example
 * import { serveCalls } from 'valetkey/worker'
 *
 * serveCalls({
 *   issuer: 'https://auth.example.com',
 *   clientId: 'notes-web',
 *   redirectUri: '/callback',
 *   scope: ['notes:read'],
 *   resources: ['https://api.example.com/'],
 * })
 */
export function serveCalls(options: AuthorizationServer & IsolatedSettings): void {
  const scope = workerScope()
  if (isServing)
    throw new OAuthError('invalid_configuration', 'serveCalls() was called before: a worker has one session. Make another worker.')
  isServing = true
  const beyond = pageBeyond()
  const lock = heldForLife()
  try {
    const serving = isolated(options, beyond, scope.origin)
    const { session } = serving
    session.subscribe(() => beyond.say({ kind: 'snapshot', snapshot: { ...session.snapshot() } }))
    onConnect(scope, (port) => void lock.then((name) => serve(serving, beyond, port, name, scope.origin)))
  } catch (error) {
    const told =
      error instanceof OAuthError ? error : new OAuthError('invalid_configuration', 'The options of serveCalls() could not be read.')
    onConnect(scope, (port) => port.postMessage(plain({ kind: 'hello', error: told })))
    throw error
  }
}

/** A page that was here before this script was ready is told that it is. */
function onConnect(scope: WorkerScope, connected: (port: MessagePort) => void): void {
  scope.addEventListener('message', ({ data, ports: [port] }) => {
    if (port !== undefined && readable(() => object(data)['valetkey']) === 'connect') connected(port)
  })
  scope.postMessage({ valetkey: 'serving' })
}

function serve({ session, api }: Isolated, beyond: PageBeyond, port: MessagePort, lock: string | undefined, origin: string): void {
  const answer = answerAsks(session, beyond)
  beyond.connect(port)
  port.addEventListener('message', ({ data, ports: [callPort, bodyPort] }: MessageEvent<unknown>) => {
    const call = callPort === undefined ? undefined : readCall(data)
    if (callPort !== undefined && call !== undefined) return void answerCall(api, call, callPort, bodyPort)
    const ask = readAsk(data, origin)
    if (ask !== undefined) answer(ask)
  })
  port.start()
  beyond.say(lock === undefined ? { kind: 'hello' } : { kind: 'hello', lock })
}

/** A lock that nobody else asks for but the page: when the page has it, this worker is no more. Its name; `undefined` where there are no locks. */
function heldForLife(): Promise<string | undefined> {
  if (lockManager() === undefined) return Promise.resolve(undefined)
  const name = `isolated ${fresh()}`
  return new Promise((resolve) => {
    const hold = () => {
      resolve(name)
      return new Promise<never>(() => {})
    }
    webLocks()(name, hold).catch(() => resolve(undefined))
  })
}

function workerScope(): WorkerScope {
  const { DedicatedWorkerGlobalScope: Scope } = globalThis as { readonly DedicatedWorkerGlobalScope?: new () => WorkerScope }
  const here: unknown = globalThis
  if (Scope !== undefined && here instanceof Scope) return here
  throw new OAuthError(
    'not_supported',
    'serveCalls() is for the script of a dedicated worker: new Worker(…). The page gives that worker to isolatedSession().',
  )
}
