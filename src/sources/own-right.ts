import type { AccessToken } from '../core/access-token.js'
import type { Client } from '../core/client.js'
import { OAuthError } from '../core/errors.js'
import { introduce } from '../core/events.js'
import type { PrepareRenewal } from '../core/exchange.js'
import { readTokenOptions } from '../core/options.js'
import type { Lock, Store } from '../core/ports.js'
import { missingScope } from '../core/scope.js'
import { bare, present } from '../core/secret.js'
import type { TokenOptions, TokenSource, TokenTarget } from '../core/tokens.js'
import { withProofs } from '../session/proofs.js'
import { draw, fresh } from '../session/randomness.js'
import { type TokenEngine, tokenSource } from '../token-source.js'
import { passedOver } from '../stores/passed-over.js'
import { recordKey } from './record-key.js'

export interface OwnRightParts {
  readonly client: Client
  /** The grant type, as it is on the wire. */
  readonly grantType: string
  /** What else tells this source's tokens from another's, such as who the assertion speaks for. */
  readonly about: () => Promise<readonly string[]>
  /** Where processes share the tokens. It is passed over while it cannot be reached. */
  readonly store: Store
  readonly lock: Lock | undefined
  readonly prepare: (client: Client) => Promise<PrepareRenewal>
}

/** What is wanted of an engine beyond its target. */
const nothingBesides: TokenTarget = Object.freeze(bare({}))

/** How many different targets one source keeps tokens for. */
const mostTargets = 100

/**
 * Tokens in the application's own right: a record for each target, the same engine as a user's session has. The mark keeps fifty machines to
 * one request; a repeated one harms nobody, so nothing ends, and a store that cannot be reached is passed over.
 */
export function ownRightSource(parts: OwnRightParts): TokenSource {
  const { clock, emit } = parts.client
  const store = passedOver(parts.store, { clock, emit })
  const client = withProofs(parts.client, store)
  const engines = new Map<string, Promise<TokenEngine>>()

  function engineFor(target: TokenTarget): Promise<TokenEngine> {
    const name = JSON.stringify([target.scope, target.resource, target.audience])
    const known = engines.get(name)
    if (known !== undefined) return known
    const made = engineOf(target)
    // What could not be made is made anew by the next call.
    made.catch(() => engines.delete(name))
    engines.set(name, made)
    for (const oldest of [...engines.keys()].slice(0, -mostTargets)) engines.delete(oldest)
    return made
  }

  async function engineOf(target: TokenTarget): Promise<TokenEngine> {
    const key = await recordKey(client, parts.grantType, target, await parts.about())
    return tokenSource({
      issuer: client.server.issuer,
      clientId: client.clientId,
      target: present<TokenTarget>({ resource: target.resource, audience: target.audience }),
      severalResources: false,
      scopeNamedDifferently: client.quirks.has('scope_named_differently'),
      inOwnRight: { scope: target.scope ?? [] },
      store,
      key,
      lock: parts.lock,
      clock,
      deadline: client.deadline,
      prepare: async (record) => (await parts.prepare(client))(record, target),
      proofs: client.proofs,
      // There is no session that such an answer could have outlived.
      revoke: () => {},
      emit,
      fresh,
      draw,
    })
  }

  function withDefaults({ scope = client.scope, resource, audience = client.audience }: TokenTarget): TokenTarget {
    return present<TokenTarget>({ scope, resource, audience })
  }

  function notGranted(found: AccessToken, scope: readonly string[] = []): readonly string[] {
    return client.quirks.has('scope_named_differently') ? [] : missingScope(found.scope, scope)
  }

  async function token(options?: TokenOptions): Promise<AccessToken> {
    const { scope, resource, audience, ...rest } = readTokenOptions(options)
    const engine = await engineFor(withDefaults({ scope, resource, audience }))
    const found = await engine.token(rest)
    const missing = notGranted(found, scope)
    if (missing.length === 0) return found
    throw new OAuthError(
      'scope_not_granted',
      `The authorization server did not grant ${missing.join(' ')} to this client. Check its registration.`,
      {
        missingScope: missing,
      },
    )
  }

  const known = new WeakMap<TokenTarget, TokenEngine>()

  /** The engine of a target is made in its own time; a call that comes before waits for it. */
  function ready(target: TokenTarget): AccessToken | undefined {
    const engine = known.get(target)
    if (engine === undefined) {
      void engineFor(withDefaults(target)).then(
        (made) => known.set(target, made),
        () => {},
      )
      return undefined
    }
    const found = engine.ready(nothingBesides)
    if (found === undefined || target.scope === undefined) return found
    return notGranted(found, target.scope).length === 0 ? found : undefined
  }

  return introduce<TokenSource>(Object.freeze({ token }), { emit, clock, ready })
}
