import type { SessionSnapshot } from './session-contract.js'

/** What a session shows before its store has been read once. One object for all, so that a page sees no change where there is none. */
export const unknownSession: SessionSnapshot = /* @__PURE__ */ Object.freeze({
  status: 'unknown',
  grantedScope: /* @__PURE__ */ Object.freeze([]) as readonly string[],
})
