import type { Client } from '../core/client.js'
import type { Lock, Store } from '../core/ports.js'
import { present } from '../core/secret.js'
import type { TokenTarget } from '../core/tokens.js'
import { type TokenEngine, tokenSource } from '../token-source.js'
import { draw, fresh } from './randomness.js'
import { revokeAnswer } from './sign-out.js'

export interface SessionEngineParts {
  readonly client: Client
  /** Which of several sessions of one client this is. */
  readonly account: string | undefined
  readonly store: Store
  readonly lock: Lock | undefined
  /** The store is of this machine alone, as a page's is. */
  readonly oneMachine?: boolean | undefined
}

/** The engine of a user's session, and the key of its record. */
export function sessionEngine({ client, account, store, lock, oneMachine }: SessionEngineParts): {
  readonly key: string
  readonly engine: TokenEngine
} {
  const key = sessionKey(client, account)
  const engine = tokenSource({
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
    deadline: client.deadline,
    // The protocol is loaded when it is first needed: a page that has a living token needs none of it.
    prepare: async (record, target) => (await import('../grants/refresh-token.js')).prepareRenewal(client)(record, target),
    revoke: (answer) => void revokeAnswer(client, answer),
    emit: client.emit,
    fresh,
    draw,
  })
  return { key, engine }
}

/** One record per issuer, client and account. Nothing secret is in it: it is also the name of a lock. */
function sessionKey(client: Client, account = ''): string {
  return ['valetkey', 'session', client.server.issuer, client.clientId, account].map(encodeURIComponent).join(':')
}
