import type { Client } from '../core/client.js'
import { factsOf, introduce } from '../core/events.js'
import { missingScope } from '../core/scope.js'
import type { Session } from '../core/session-contract.js'
import { unknownSession } from '../core/unknown-session.js'
import { later } from './later.js'
import { pageAddress } from './page-address.js'

/** Somebody who subscribed before the session was here. */
interface Early {
  readonly changed: () => void
  stop: (() => void) | undefined
}

/**
 * A session that is made when it is first asked for anything, of code that is loaded then. Until then it shows what every session shows that has not
 * looked at its store.
 *
 * @param soon load it as soon as it is made, where there is a page: its user agent may open a window, for which a click must be fresh
 */
export function laterSession({ emit, clock }: Client, load: () => Promise<Session>, soon: boolean): Session {
  let made: Session | undefined
  const early = new Set<Early>()
  const { now, preload } = later(async () => {
    const session = await load()
    made = session
    for (const one of early) one.stop = session.subscribe(one.changed)
    early.clear()
    return session
  })
  if (soon && pageAddress() !== undefined) preload()

  /** In this very turn where it is here. */
  async function ask<T>(what: (session: Session) => Promise<T>): Promise<T> {
    return what(made ?? (await now()))
  }

  function subscribe(changed: () => void): () => void {
    if (made !== undefined) return made.subscribe(changed)
    const one: Early = { changed, stop: undefined }
    early.add(one)
    preload()
    return () => {
      early.delete(one)
      one.stop?.()
    }
  }

  return introduce<Session>(
    Object.freeze({
      token: (options) => ask((session) => session.token(options)),
      resume: (response) => ask((session) => session.resume(response)),
      signIn: (options) => ask((session) => session.signIn(options)),
      signOut: (options) => ask((session) => session.signOut(options)),
      missingScope: (wanted) => made?.missingScope(wanted) ?? missingScope([], wanted),
      subscribe,
      snapshot: () => made?.snapshot() ?? unknownSession,
    } satisfies Session),
    { emit, clock, ready: (target) => made && factsOf(made)?.ready?.(target) },
  )
}
