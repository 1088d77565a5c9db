import { carriedBy } from '../core/carrier.js'
import { OAuthError } from '../core/errors.js'
import { wrongOption } from '../core/option.js'
import { readSignInOptions, readSignOutOptions } from '../core/options.js'
import { missingScope } from '../core/scope.js'
import type { Session, SessionSnapshot, SignInOptions, SignOutOptions, SignOutResult } from '../core/session-contract.js'
import { unknownSession } from '../core/unknown-session.js'
import { unlessAborted } from '../core/unless-aborted.js'
import { callsOver } from './isolated-calls.js'
import { linkTo } from './isolated-link.js'
import { type Ask, type Order, type Seen, plain, readSignOutResult } from './isolated-messages.js'
import { page, thisWindow } from './page.js'
import { redirect } from './redirect.js'

const sessions = new WeakMap<Worker, Session>()

/**
 * A session whose tokens never leave its worker, the script of which calls `serveCalls` of `valetkey/worker`: it signs in, renews and calls the APIs,
 * and the page gets the responses. `oauthFetch` carries calls through it, bodies as they come and go; `token` rejects with `token_isolated`. The
 * worker's list of resources decides which URLs are called, whatever the page's says.
 *
 * A reload or another tab has no session until it signs in; `signIn({ prompt: 'none' })` does so without asking where the server knows the user.
 * When the worker is gone every call rejects with `sign_in_required`; when it was set up wrongly, with what was wrong (`invalid_configuration`).
 *
 * @throws OAuthError `invalid_configuration` where `worker` is none
 *
 * @example
 * const session = isolatedSession(new Worker('/tokens.js', { type: 'module' }))
 * const api = oauthFetch(session, { resources: ['https://api.example.com/'] })
 * if (!(await session.resume())) await session.signIn()
 */
export function isolatedSession(worker: Worker): Session {
  if (typeof (worker as Partial<Worker> | undefined)?.postMessage !== 'function' || typeof worker.addEventListener !== 'function')
    throw wrongOption('worker', 'must be a dedicated worker: new Worker(…), whose script calls serveCalls().')
  const known = sessions.get(worker) ?? made(worker)
  sessions.set(worker, known)
  return known
}

function made(worker: Worker): Session {
  const listeners = new Set<() => void>()
  let current = unknownSession
  const link = linkTo(worker, { shows, obey })
  link.gone.addEventListener('abort', () => shows({ status: 'signed_out', grantedScope: [] }))
  let isAwake = false

  function shows(snapshot: SessionSnapshot): void {
    current = Object.freeze(snapshot)
    for (const listener of Array.from(listeners)) if (listeners.has(listener)) told(listener)
  }

  /** Tells the worker, which sees nothing of it, when the page wakes; from the first call on, for as long as both live. */
  function wake(): void {
    if (isAwake) return
    isAwake = true
    page.onWake(() => void link.post(plain({ kind: 'wake', seen: seen() })).catch(() => {}))
  }

  /** Waits for the answer, or for the signal, of which the worker then hears. */
  function asked<T>(question: (id: number) => Ask, read: (value: unknown) => T, signal: AbortSignal | undefined): Promise<T> {
    wake()
    const { id, answer } = link.ask(question, read)
    const abort = () => void link.post(plain({ kind: 'abort', id })).catch(() => {})
    signal?.addEventListener('abort', abort, { once: true })
    return unlessAborted(answer, signal).finally(() => signal?.removeEventListener('abort', abort))
  }

  async function resume(response?: string | URL): Promise<boolean> {
    // A page that is prerendered may never be seen.
    await page.ready()
    if (link.gone.aborted) return false
    const handedIn = response === undefined ? {} : { response: String(response) }
    return asked((id) => ({ kind: 'resume', id, seen: seen(), ...handedIn }), Boolean, undefined)
  }

  async function signIn(options?: SignInOptions): Promise<void> {
    const { signal, ...how } = readSignInOptions(options)
    signal?.throwIfAborted()
    await asked((id) => ({ kind: 'sign_in', id, seen: seen(), options: how }), nothing, signal)
  }

  async function signOut(options?: SignOutOptions): Promise<SignOutResult> {
    const { signal, ...how } = readSignOutOptions(options)
    signal?.throwIfAborted()
    return asked((id) => ({ kind: 'sign_out', id, seen: seen(), options: how }), readSignOutResult, signal)
  }

  const session: Session = Object.freeze({
    token: async () => {
      throw new OAuthError('token_isolated', 'The tokens of this session stay in its worker. Call the API by oauthFetch, which goes there.')
    },
    resume,
    signIn,
    signOut,
    missingScope: (wanted) => missingScope(current.grantedScope, wanted),
    subscribe: (changed) => {
      const listener = () => changed()
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    snapshot: () => current,
  } satisfies Session)
  return carriedBy(session, callsOver(link))
}

function nothing(): void {}

function seen(): Seen {
  return { address: thisWindow().location.href, isFramed: page.isFramedByAnother(), isAttended: page.isAttended() }
}

/** Only for an address of this origin is anything put into the history: the browser sees to it. */
async function obey({ kind, url }: Order): Promise<void> {
  if (kind === 'replace') return page.replaceAddress(new URL(url))
  if (kind === 'navigate') return page.navigate(new URL(url))
  await redirect().authorize(async () => new URL(url), { redirectUri: url })
}

/** A listener's mistake is its own. */
function told(listener: () => void): void {
  try {
    listener()
  } catch (error) {
    queueMicrotask(() => {
      throw error
    })
  }
}
