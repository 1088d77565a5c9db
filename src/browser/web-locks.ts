import { OAuthError } from '../core/errors.js'
import type { Lock } from '../core/ports.js'
import { bare } from '../core/secret.js'

/**
 * Web Locks: exclusive among the tabs and workers of an origin, held until `run` has settled, never stolen; only the end of its holder
 * releases one early. `signal` ends the waiting, with its reason. Rejects with `not_supported` where there are no Web Locks (a page that is
 * neither https nor on loopback, or no page at all).
 *
 * @example
 * const session = browserSession({ issuer, clientId, redirectUri: '/callback', lock: webLocks() })
 */
export function webLocks(): Lock {
  return Object.assign(runLocked, { releasedOnlyByDeath: true as const })
}

/** Web Locks where there are some at the moment of the call; else none, and then nothing is claimed: the mark in the record has to do alone. */
export function pageLock(): Lock {
  const run: Lock = (name, run, options) => (lockManager() === undefined ? run() : runLocked(name, run, options))
  return Object.defineProperty(run, 'releasedOnlyByDeath', { get: () => lockManager() !== undefined })
}

async function runLocked<T>(name: string, run: () => Promise<T>, options: { readonly signal?: AbortSignal } = {}): Promise<T> {
  const signal = Object.hasOwn(options, 'signal') ? options.signal : undefined
  signal?.throwIfAborted()
  const locks = lockManager()
  if (locks === undefined)
    throw new OAuthError('not_supported', 'There are no Web Locks here. Serve the page over https or from loopback, or leave out lock.')
  return new Promise<T>((resolve, reject) => {
    let held = false
    const hold = async () => {
      held = true
      await run().then(resolve, reject)
    }
    // Without a prototype: a polluted one could say `steal`.
    const asked = bare<LockOptions>(signal === undefined ? { mode: 'exclusive' } : { mode: 'exclusive', signal })
    locks.request(`valetkey ${name}`, asked, hold).catch(() => {
      // What runs has its own outcome, whoever took the lock away from it.
      if (!held) reject(signal?.aborted === true ? signal.reason : refused())
    })
  })
}

/** As to a page that is being left. */
function refused(): OAuthError {
  return new OAuthError(
    'not_supported',
    'The browser refused this page a Web Lock, as it does to one that is being left. Try again in a page that stays.',
  )
}

/** None in a page of an opaque origin (a sandboxed frame): there each request is refused, and nothing is shared that a lock would keep apart. */
export function lockManager(): LockManager | undefined {
  const { origin, navigator } = globalThis as { readonly origin?: string; readonly navigator?: { readonly locks?: LockManager | null } }
  // `null` in some test environments.
  return origin === 'null' ? undefined : (navigator?.locks ?? undefined)
}
