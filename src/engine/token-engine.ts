import type { AccessToken } from '../core/access-token.js'
import { type Decision, type Policy, type Rejected, type Wanted, decide } from '../core/decide.js'
import type { Proofs } from '../core/dpop.js'
import { OAuthError } from '../core/errors.js'
import type { Emit } from '../core/events.js'
import type { PrepareRenewal } from '../core/exchange.js'
import { type Instant, tokenName } from '../core/lifetime.js'
import type { Clock, Lock, Store } from '../core/ports.js'
import { refusal } from '../core/refusal.js'
import { sameScope } from '../core/scope.js'
import { bare, present } from '../core/secret.js'
import { type Asked, type TokenAnswer, type TokenRecord, tokenRecord } from '../core/token-record.js'
import type { TokenOptions, TokenSource, TokenTarget } from '../core/tokens.js'
import { type SignIn, signedIn } from '../core/transitions.js'
import { type RenewElsewhere, orElsewhere } from './elsewhere.js'
import { type Ending, ending } from './ending.js'
import { handedOut } from './handed-out.js'
import { type ReadyToken, readyToken } from './ready-token.js'
import { type Seen, mostFailedWrites, recordKeeper } from './record-keeper.js'
import type { RenewalsOf } from './later-renewals.js'
import type { Renew, Round } from './renewal.js'
import { lookOrRemember } from './store-in-trouble.js'

export interface TokenSourceParts {
  readonly issuer: string
  readonly clientId: string
  /** What a call gets that names nothing. */
  readonly target: TokenTarget
  /** Several resources were asked for: the scope of one token says nothing about the others'. */
  readonly severalResources: boolean
  readonly scopeNamedDifferently: boolean
  /** The tokens are the application's own: the scope that it asks for. Then nobody signs in, and nothing ends. */
  readonly inOwnRight?: { readonly scope: readonly string[] } | undefined
  readonly store: Store
  /** The key of the record in the store; also the name of the lock. Nothing secret is in it. */
  readonly key: string
  readonly lock: Lock | undefined
  readonly clock: Clock
  /** The store is of this machine alone: its clock, right or wrong, is that of all who share it. */
  readonly oneMachine?: boolean | undefined
  /** How long an exchange may take, in milliseconds. */
  readonly deadline: number
  readonly prepare: PrepareRenewal
  /** A place that outlives this one and renews the same record; asked first. */
  readonly renewElsewhere?: RenewElsewhere | undefined
  /** Where tokens are bound to a key (RFC 9449). */
  readonly proofs?: (() => Promise<Proofs>) | undefined
  /** Takes back what was issued to a session that is no more. Never rejects. */
  readonly revoke: (answer: TokenAnswer) => void
  readonly emit: Emit
  /** Fresh, unguessable text. */
  readonly fresh: () => string
  /** A random number in [0, 1). */
  readonly draw: () => number
  /** Whether this machine is known to have no network. */
  readonly isOffline?: (() => boolean) | undefined
}

/** The engine: one record of tokens, and all that may happen to it. */
export interface TokenEngine extends TokenSource {
  /** What `token` would resolve with, without waiting for it. */
  readonly ready: ReadyToken
  /** Reads the store. Rejects with `store_unavailable`. */
  look(): Promise<Seen>
  /** What a call that names nothing would get at this instant, from a record. */
  judge(record: TokenRecord | undefined): Decision
  /** The record as the last look found it. */
  shown(): TokenRecord | undefined
  /** Writes a new session. Rejects with `different_user` where a living session of another subject is in its place, and with `store_unavailable`. */
  signIn(answer: TokenAnswer, asked: { readonly scope: readonly string[]; readonly started: Instant }): Promise<TokenRecord>
  readonly signOut: Ending
  /** Renews what is due, once for all who ask meanwhile. */
  readonly renew: Renew
  /** Resolves when nothing that was sent is still to be answered and stored. */
  atRest(): Promise<void>
  /** Calls back when another record is seen. */
  subscribe(changed: () => void): () => void
}

/** A token is renewed behind the call in the last quarter of its life, and never sooner than a minute before its end. */
const margin = { milliseconds: 60_000, share: 0.25 }
/** Beyond the deadline: what a sender may need to notice it, and to write down what came of it. */
const grace = 3_000

/** A repeated request in the application's own right harms nobody, so nobody waits long for a sender that may be dead. */
const ownPatience = 2_000
/** How long a store keeps a record that nobody renews, beyond the life of its tokens. */
const keptLonger = 60 * 60_000

/** The engine over a store: read, decide, and hand over to the renewals, which mark, send and store. */
export function tokenEngine(parts: TokenSourceParts, renewalsOf: RenewalsOf): TokenEngine {
  const { clock, deadline } = parts
  const { inOwnRight, proofs } = parts
  const patience = inOwnRight === undefined ? deadline + grace : ownPatience
  /** Between two looks at something that is waited for, in milliseconds. */
  const poll = patience / 25
  const policy: Policy = {
    issuer: parts.issuer,
    clientId: parts.clientId,
    margin: margin.milliseconds,
    share: margin.share,
    spread: parts.draw(),
    scopeNamedDifferently: parts.scopeNamedDifferently,
    inOwnRight: inOwnRight !== undefined,
    tokenType: proofs === undefined ? 'Bearer' : 'DPoP',
  }
  const records = recordKeeper({
    ...parts,
    holds: proofs && (async (key) => (await proofs()).holds(key)),
    poll,
    ...(inOwnRight === undefined
      ? {}
      : { atFirst: nothingYet(parts, inOwnRight.scope), expiryOf: (record) => forgettableAt(record, clock.now()) }),
  })
  const { handOut, originOf } = handedOut(records, clock)
  /** The proofs, once a call has waited for them. */
  let loaded: Proofs | undefined
  const lookOrElse = lookOrRemember(records, (record) =>
    isServed(decide(record, records.times(), policy, wantedBy({}), undefined, undefined)),
  )
  const { renew: renewHere, atRest } = renewalsOf({ ...parts, records, policy, patience, lockName: parts.key, isWhole })
  const renew = orElsewhere(renewHere, parts.renewElsewhere, records, policy)
  /** The one renewal of this process: those who meet it wait for it and then decide again, for it may have been for another resource. */
  let sharing: Promise<Round> | undefined

  function share(wanted: Wanted, rejected: Rejected | undefined, session: string | undefined): Promise<Round> {
    sharing ??= renew(wanted, rejected, session).finally(() => {
      sharing = undefined
    })
    return sharing
  }

  async function token(options: TokenOptions = bare({})): Promise<AccessToken> {
    const { signal } = options
    const rejected = options.rejected === undefined ? undefined : originOf(options.rejected)
    let patient: number | undefined
    let wanted = wantedBy(options)
    let session = rejected?.session
    let failed: OAuthError | undefined
    for (;;) {
      const { record, unreadable } = await lookOrElse()
      signal?.throwIfAborted()
      session ??= record?.session
      const decision = decide(record, records.times(), policy, wanted, rejected, session)
      if (decision.kind === 'use_and_renew_behind') void share(wanted, rejected, session)
      if (decision.kind === 'use' || decision.kind === 'use_and_renew_behind')
        return handOut(decision.token, record as TokenRecord, (loaded = proofs && (await proofs())))
      if (decision.kind !== 'renew_first') throw refusal(decision, unreadable, clock.now(), failed)
      if (failed !== undefined) throw failed
      const generation = record?.generation ?? 0
      // From the first look on: a store that took long, and is passed over, leaves its caller time for the renewal.
      patient ??= clock.monotonic() + patience + 2 * deadline
      const round = await waitFor(share(wanted, rejected, session), patient, signal)
      // A refusal of another call's scope or resource says nothing about this one.
      failed = round.concerns === undefined || isSameWish(round.concerns, wanted) ? round.error : undefined
      wanted = bare({ ...wanted, after: Math.min(wanted.after, generation) })
    }
  }

  function wantedBy(options: TokenOptions): Wanted {
    // Own members only: what a polluted `Object.prototype` says is not wanted.
    const { scope, resource = parts.target.resource, audience = parts.target.audience, minimumValiditySeconds = 0 } = bare({ ...options })
    return present<Wanted>({ scope, resource, audience, minimumValidity: minimumValiditySeconds * 1_000, after: Infinity })
  }

  function isWhole(wanted: Wanted): boolean {
    const { target, severalResources, scopeNamedDifferently } = parts
    const isUsual = wanted.scope === undefined && wanted.resource === target.resource && wanted.audience === target.audience
    return isUsual && !severalResources && !scopeNamedDifferently
  }

  /** Waits for a renewal as long as this caller is patient; the renewal goes on without it. */
  async function waitFor(round: Promise<Round>, until: number, signal: AbortSignal | undefined): Promise<Round> {
    const leave = new AbortController()
    const abort = () => leave.abort(signal?.reason)
    signal?.addEventListener('abort', abort, { once: true })
    const timedOut = clock.wait(Math.max(0, until - clock.monotonic()), leave.signal).then(() => {
      throw new OAuthError('timed_out', 'The token could not be renewed in time. Try again.')
    })
    try {
      return await Promise.race([round, timedOut])
    } finally {
      signal?.removeEventListener('abort', abort)
      leave.abort()
    }
  }

  async function signIn(
    answer: TokenAnswer,
    { scope, started }: { readonly scope: readonly string[]; readonly started: Instant },
  ): Promise<TokenRecord> {
    if (answer.serverTime !== undefined) records.learnServerTime(answer.serverTime)
    const { issuer, clientId, target, severalResources, scopeNamedDifferently } = parts
    const how: SignIn = {
      issuer,
      clientId,
      session: parts.fresh(),
      scope,
      asked: present<Asked>({ resource: target.resource, audience: target.audience }),
      severalResources,
      scopeNamedDifferently,
      startedAt: started.wall + records.offset(),
    }
    let tried: TokenRecord | undefined
    const failed: unknown[] = []
    for (;;) {
      const { version, record } = await records.look()
      if (record?.session === how.session) return record
      if (failed.length >= mostFailedWrites) throw failed[0]
      // A write that threw may have happened, and another sign-in may have come over it: then that one stays.
      if (tried !== undefined && record !== undefined && record.generation > tried.generation) {
        parts.revoke(answer)
        throw refusal({ kind: 'another_session' }, false, clock.now())
      }
      if (isAnotherSubject(record, answer)) throw differentUser()
      const next = signedIn(how, answer, (record?.generation ?? 0) + 1)
      try {
        if ((await records.replace(version, next)) === undefined) continue
        for (const token of next.accessTokens) records.know(tokenName(next.session, token), started)
        return next
      } catch (error) {
        // It may have happened: the next round looks, and rejects where the store stays out of reach, or full.
        tried = next
        failed.push(error)
        await records.pause()
      }
    }
  }

  return {
    token,
    ready: readyToken(records, policy, wantedBy, (token, record) =>
      proofs !== undefined && loaded === undefined ? undefined : handOut(token, record, loaded),
    ),
    look: records.look,
    judge: (record) => decide(record, records.times(), policy, wantedBy({}), undefined, undefined),
    shown: records.shown,
    signIn,
    signOut: ending({ ...parts, records }),
    renew: share,
    atRest,
    subscribe: records.subscribe,
  }
}

/** The record of tokens in the application's own right before the first of them. */
function nothingYet({ issuer, clientId, key }: TokenSourceParts, scope: readonly string[]): TokenRecord {
  return tokenRecord({ issuer, clientId, session: key, generation: 0, grantedScope: scope, accessTokens: [] })
}

function forgettableAt(record: TokenRecord, now: number): number {
  const ends = record.accessTokens.map(({ issuedAt, lifetime }) => issuedAt + (lifetime ?? 24 * 60 * 60_000))
  return Math.max(now, record.wait?.until ?? 0, ...ends) + keptLonger
}

function isServed({ kind }: Decision): boolean {
  return kind === 'use' || kind === 'use_and_renew_behind'
}

function isSameWish(one: Wanted, other: Wanted): boolean {
  return one.resource === other.resource && one.audience === other.audience && sameScope(one.scope, other.scope)
}

function differentUser(): OAuthError {
  return new OAuthError(
    'different_user',
    'Another user signed in than the one whose session this is. The session is as it was; sign out first to change the user.',
  )
}

function isAnotherSubject(record: TokenRecord | undefined, answer: TokenAnswer): boolean {
  const before = record?.ended === undefined ? record?.idTokenClaims?.sub : undefined
  const after = answer.idTokenClaims?.sub
  return before !== undefined && after !== undefined && before !== after
}
