import { pendingKey } from '../core/pending-request.js'
import type { Lock, Store } from '../core/ports.js'
import type { Session } from '../core/session-contract.js'
import { laterRenewals } from '../engine/later-renewals.js'
import { tokenEngine } from '../engine/token-engine.js'
import { type SessionParts, sessionOver } from '../session/session-over.js'
import { indexedDBStore } from './indexeddb-store.js'
import { later } from './later.js'
import { isOffline, page } from './page.js'
import { handOverIfBrought } from './popups.js'
import { redirect } from './redirect.js'
import { storageFallback } from './storage-fallback.js'
import { pageLock } from './web-locks.js'

/** What a page's session was asked to be made of. What is absent is the page's own. */
export interface PageSessionParts extends Pick<
  SessionParts,
  'client' | 'account' | 'userAgent' | 'redirectUri' | 'authorizationParameters' | 'renewElsewhere' | 'makeReady'
> {
  readonly store: Store | undefined
  readonly lock: Lock | undefined
  readonly go: SessionParts['go'] | undefined
}

/**
 * A session in a page, with all that a page which has one needs to call with it. What begins and ends a session is loaded when the page has nothing else
 * to do, or is asked for it: at once where a user agent of the program's own may open a window, for which a click must be fresh.
 */
export function pageSession(parts: PageSessionParts): Session {
  const flows = later(async () => (await import('../session/flows.js')).flows)
  const renewals = later(async () => {
    // The renewal will need it next.
    void import('../grants/refresh-token.js').catch(() => {})
    return (await import('../engine/renewal.js')).renewal
  })
  if (parts.userAgent !== undefined) flows.preload()
  else flows.preloadWhenIdle()
  return sessionOver(
    {
      ...parts,
      store: parts.store ?? storageFallback(indexedDBStore(), { pendingKey, emit: parts.client.emit }),
      lock: parts.lock ?? pageLock(),
      oneMachine: true,
      userAgent: parts.userAgent ?? redirect(),
      place: page,
      handOver: handOverIfBrought,
      isOffline,
      go: parts.go ?? page.replaceAddress,
    },
    { engineOf: (of) => tokenEngine(of, laterRenewals(renewals.now)), load: flows.now },
  )
}
