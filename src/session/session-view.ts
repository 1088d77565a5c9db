import { missingScope } from '../core/scope.js'
import { present } from '../core/secret.js'
import type { SessionSnapshot } from '../core/session-contract.js'
import type { TokenRecord } from '../core/token-record.js'
import type { TokenEngine } from '../token-source.js'

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

export function sessionView(engine: TokenEngine, attach: () => () => void): SessionView {
  const listeners = new Set<() => void>()
  let signIns = 0
  let current: SessionSnapshot = Object.freeze({ status: 'unknown', grantedScope: Object.freeze([]) as readonly string[] })
  let detach: (() => void) | undefined
  let known = false

  engine.subscribe(() => {
    known = true
    refresh()
  })

  function refresh(): void {
    const next = snapshotOf(engine, known, signIns > 0)
    if (JSON.stringify(next) === JSON.stringify(current)) return
    current = Object.freeze(next)
    for (const listener of listeners) listener()
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
      if (listeners.size === 0) detach = attach()
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

function snapshotOf(engine: TokenEngine, known: boolean, signingIn: boolean): SessionSnapshot {
  const record = engine.shown()
  const judged = engine.judge(record)
  if (record !== undefined && judged.kind !== 'sign_in') return signedIn(record)
  const ended = judged.kind === 'sign_in' ? judged.ended : undefined
  const status = signingIn ? 'signing_in' : known ? 'signed_out' : 'unknown'
  return present<SessionSnapshot>({ status, grantedScope: [], ended })
}

function signedIn(record: TokenRecord): SessionSnapshot {
  return present<SessionSnapshot>({
    status: 'signed_in',
    grantedScope: record.grantedScope,
    idTokenClaims: record.idTokenClaims,
    authorizationDetails: record.authorizationDetails,
    sessionExpiresAt: record.sessionExpiresAt,
  })
}
