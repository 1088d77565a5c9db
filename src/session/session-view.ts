import { endOfSession } from '../core/lifetime.js'
import { missingScope } from '../core/scope.js'
import { present } from '../core/secret.js'
import type { SessionSnapshot } from '../core/session-contract.js'
import type { TokenRecord } from '../core/token-record.js'
import { unknownSession } from '../core/unknown-session.js'
import type { TokenEngine } from '../engine/token-engine.js'

/** What a program sees of its session: the same object until something changes. */
export interface SessionView {
  snapshot(): SessionSnapshot
  missingScope(wanted: readonly string[]): readonly string[]
  subscribe(changed: () => void): () => void
  /** The store has been read, or a sign-in has begun or ended: looks whether that shows. */
  refresh(): void
  /** Shows `signing_in` while it runs, unless someone is signed in. */
  duringSignIn<T>(run: () => Promise<T>): Promise<T>
}

/**
 * @param attach begins to look when something changes; called while somebody subscribes, for nobody else sees it. Told whether to look at once:
 *   what has happened since the last look, and nobody was there to hear, is news
 */
export function sessionView(engine: TokenEngine, attach: (lookNow: boolean) => () => void): SessionView {
  const listeners = new Set<() => void>()
  let signIns = 0
  let current = unknownSession
  let detach: (() => void) | undefined
  let known = false
  let shownSession: string | undefined

  engine.subscribe(() => {
    known = true
    refresh()
  })

  function refresh(): void {
    const next = snapshotOf(engine, known, signIns > 0)
    const session = next.status === 'signed_in' ? engine.shown()?.session : undefined
    // Another session may look the same where there is no ID token, and is another all the same.
    if (session === shownSession && JSON.stringify(next) === JSON.stringify(current)) return
    shownSession = session
    current = Object.freeze(next)
    const those = Array.from(listeners)
    for (const listener of those) if (listeners.has(listener)) told(listener)
  }

  return {
    snapshot: () => current,
    missingScope: (wanted) => missingScope(current.grantedScope, wanted),
    refresh,
    async duringSignIn(run) {
      signIns += 1
      refresh()
      try {
        return await run()
      } finally {
        signIns -= 1
        refresh()
      }
    },
    subscribe(changed) {
      const listener = () => changed()
      if (listeners.size === 0) detach = attach(known)
      listeners.add(listener)
      return () => {
        listeners.delete(listener)
        if (listeners.size > 0) return
        detach?.()
        detach = undefined
      }
    },
  }
}

/** A listener's mistake is its own: it is thrown where nobody waits for a token. */
function told(listener: () => void): void {
  try {
    listener()
  } catch (error) {
    queueMicrotask(() => {
      throw error
    })
  }
}

function snapshotOf(engine: TokenEngine, known: boolean, signingIn: boolean): SessionSnapshot {
  const record = engine.shown()
  const judged = engine.judge(record)
  if (record !== undefined && judged.kind !== 'sign_in') return signedIn(record)
  const ended = judged.kind === 'sign_in' ? judged.ended : undefined
  const status = signingIn ? 'signing_in' : known ? 'signed_out' : 'unknown'
  return present<SessionSnapshot>({ status, grantedScope: [], ended })
}

function signedIn(record: TokenRecord): SessionSnapshot {
  const end = endOfSession(record)
  return present<SessionSnapshot>({
    status: 'signed_in',
    grantedScope: record.grantedScope,
    idTokenClaims: record.idTokenClaims,
    authorizationDetails: record.authorizationDetails,
    sessionExpiresAt: end === Infinity ? undefined : end,
  })
}
