import type { Client } from '../core/client.js'
import { isObject } from '../core/option.js'
import type { DecoupledSignIn } from '../core/ports.js'
import type { SignInOptions } from '../core/session-contract.js'
import type { TokenEngine } from '../engine/token-engine.js'

/** A sign-in that comes with its user agent, so that who never signs in in this way carries nothing of it. */
export type Flow = (of: FlowParts) => Promise<void>

export interface FlowParts {
  readonly client: Client
  readonly engine: TokenEngine
  readonly scope: readonly string[]
  /** Sent with every authorization request of the session. */
  readonly authorizationParameters: Readonly<Record<string, string>>
  readonly how: SignInOptions
}

const flows = new WeakMap<DecoupledSignIn, Flow>()

/** A user agent that is this flow. */
export function decoupled(grant: DecoupledSignIn['grant'], flow: Flow): DecoupledSignIn {
  const made: DecoupledSignIn = Object.freeze({ grant })
  flows.set(made, flow)
  return made
}

/** The flow of a user agent that is one; `undefined` for every other. */
export function flowOf(userAgent: unknown): Flow | undefined {
  return isObject(userAgent) ? flows.get(userAgent as unknown as DecoupledSignIn) : undefined
}

export function isDecoupled(userAgent: unknown): userAgent is DecoupledSignIn {
  return flowOf(userAgent) !== undefined
}
