import type { Session } from './core/session-contract.js'
import { flows } from './session/flows.js'
import { type SessionParts, sessionOver } from './session/session-over.js'
import { tokenSource } from './token-source.js'

export type { SessionParts } from './session/session-over.js'

/** Sign in, resume, sign out, over any user agent; and the tokens in between, by the engine. */
export function session(parts: SessionParts): Session {
  return sessionOver(parts, { engineOf: tokenSource, load: () => flows })
}
