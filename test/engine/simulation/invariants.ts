import type { Context } from './context.js'

export const invariants = {
  I1: 'no refresh token is sent after its answer was stored',
  I2: 'no second request for a refresh token leaves while the first sender lives, was not stopped and is within its deadline',
  I3: 'no family is revoked for reuse unless an answer was lost, its holder dead, stopped or cut from the store, or the store forgot',
  I4: 'nobody is ended while the server knows the session',
  I5: 'an end that the client may have caused says ambiguous_rotation',
  I6: 'a signed-out session is never written or served again',
  I6b: 'a replaced session is never written or served again',
  I7: 'a call ends with a token of the session it began in',
  I8: 'every successful request is a generation, nothing is renewed that is fresh, and nobody asks during a back-off',
  I9: 'after the faults a call succeeds within patience and deadline, or the session has really ended',
  I10: 'no caller gets 401 twice in a row for one revocation',
  I11: 'after a sign-out the server holds no living token of that session',
  I12: 'the client revokes nothing of a living session',
  I13: 'a token answers only what it covers',
  I14: 'nothing is sent while an answer for it is in hand',
} as const
export type Invariant = keyof typeof invariants

export interface Violation {
  readonly invariant: Invariant
  readonly at: number
  readonly what: string
}

/** One call for a token. */
export interface Call {
  readonly context: Context
  readonly startedAt: number
  readonly resource: string | undefined
  readonly scope: readonly string[]
  /** The session that its own first look found, or that of the refused token. */
  session?: string | undefined
  /** A sign-in in this very context, or a look that was repeated, may have given it another. */
  unsure: boolean
}
