import type { Client } from '../core/client.js'
import type { PrepareRenewal } from '../core/exchange.js'
import type { Lock, Store } from '../core/ports.js'
import { present } from '../core/secret.js'
import type { TokenAnswer } from '../core/token-record.js'
import type { TokenTarget } from '../core/tokens.js'
import type { TokenEngine, TokenSourceParts } from '../engine/token-engine.js'
import { draw, fresh } from './randomness.js'

export interface SessionEngineParts {
  readonly client: Client
  /** Which of several sessions of one client this is. */
  readonly account: string | undefined
  readonly store: Store
  readonly lock: Lock | undefined
  /** The store is of this machine alone, as a page's is. */
  readonly oneMachine?: boolean | undefined
  /** Whether this machine is known to have no network. */
  readonly isOffline?: (() => boolean) | undefined
  /** A place that outlives this one and renews the same session. */
  readonly renewElsewhere?: TokenSourceParts['renewElsewhere']
}

/** How a session reaches its authorization server. */
export interface Wire {
  readonly prepare: PrepareRenewal
  /** Where tokens are bound to a key (RFC 9449). */
  readonly proofs?: TokenSourceParts['proofs']
  /** Takes back what was issued to a session that is no more. Never rejects. */
  readonly revoke: (answer: TokenAnswer) => void
}

/** `tokenSource`, or one whose renewals are loaded when one is due. */
export type EngineOf = (parts: TokenSourceParts) => TokenEngine

export interface SessionEngine {
  readonly key: string
  readonly engine: TokenEngine
}

/** The engine of a user's session over this wire, and the key of its record. */
export function engineOver(
  { client, account, store, lock, oneMachine, isOffline, renewElsewhere }: SessionEngineParts,
  wire: Wire,
  engineOf: EngineOf,
): SessionEngine {
  const key = sessionKey(client, account)
  const engine = engineOf({
    issuer: client.server.issuer,
    clientId: client.clientId,
    target: present<TokenTarget>({ resource: client.resource[0], audience: client.audience }),
    severalResources: client.resource.length > 1,
    scopeNamedDifferently: client.quirks.has('scope_named_differently'),
    store,
    key,
    lock,
    clock: client.clock,
    oneMachine,
    isOffline,
    deadline: client.deadline,
    ...wire,
    renewElsewhere,
    emit: client.emit,
    fresh: () => fresh(client.webCrypto),
    draw,
  })
  return { key, engine }
}

/** One record per issuer, client and account. Nothing secret is in it: it is also the name of a lock. */
function sessionKey(client: Client, account = ''): string {
  return ['valetkey', 'session', client.server.issuer, client.clientId, account].map(encodeURIComponent).join(':')
}
