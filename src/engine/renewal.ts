import { asOAuthError } from '../core/as-oauth-error.js'
import { decide, isDue, type Policy, type Rejected, type Wanted } from '../core/decide.js'
import { OAuthError } from '../core/errors.js'
import type { Emit } from '../core/events.js'
import type { PrepareRenewal, PreparedRequest, TokenOutcome } from '../core/exchange.js'
import { isPassing, whatFailureMeans } from '../core/failure.js'
import { endOfSession, remainingWait } from '../core/lifetime.js'
import type { Clock, Lock } from '../core/ports.js'
import { present } from '../core/secret.js'
import type { Asked, Sending, TokenAnswer, TokenRecord } from '../core/token-record.js'
import { changed, ended } from '../core/transitions.js'
import { type Sent, answersInHand } from './answers-in-hand.js'
import { type RecordKeeper, type Seen, mostFailedWrites } from './record-keeper.js'

export interface RenewalParts {
  readonly records: RecordKeeper
  readonly policy: Policy
  readonly scopeNamedDifferently: boolean
  readonly prepare: PrepareRenewal
  /** Takes back what was issued to a session that is no more. */
  readonly revoke: (answer: TokenAnswer) => void
  readonly lock: Lock | undefined
  readonly lockName: string
  readonly clock: Clock
  /** How long an exchange may take, in milliseconds. */
  readonly deadline: number
  /** How long another's mark is watched before its sender counts as dead, in milliseconds. */
  readonly patience: number
  readonly fresh: () => string
  /** In [0, 1). */
  readonly draw: () => number
  /** Whether this machine is known to have no network. */
  readonly isOffline?: (() => boolean) | undefined
  readonly emit: Emit
  /** Whether a call for this asks for all that the session has. */
  readonly isWhole: (wanted: Wanted) => boolean
}

/** How a round ended: with nothing to say, or with why it renewed nothing. */
export interface Round {
  readonly error?: OAuthError
  /** The error is about this wish alone. */
  readonly concerns?: Wanted
}

/** How long may pass between the mark's beginning and the request: a sender that slept in between must not send any more. */
const markToRequest = 2_000
/** A mark that looks older than this is of a process long gone, and its watching would outlast many a short job. */
const oldMark = 60 * 60_000

/** One renewal: read, decide, mark, send, store. Never rejects. */
export type Renew = (wanted: Wanted, rejected: Rejected | undefined, session: string | undefined) => Promise<Round>

/** The renewals of one record. */
export interface Renewals {
  readonly renew: Renew
  /** Resolves when no answer is awaited any more, a late one neither, and none is in hand. */
  atRest(): Promise<void>
}

export function renewal(parts: RenewalParts): Renewals {
  const { records, policy, clock, deadline, patience, emit } = parts
  const answers = answersInHand(parts)
  const underWay = new Set<Promise<unknown>>()

  const renew: Renew = async (wanted, rejected, session) => {
    try {
      return await underLock((deadMarksOnly) => round(wanted, rejected, session, deadMarksOnly))
    } catch (error) {
      return { error: asOAuthError(error) }
    }
  }

  async function atRest(): Promise<void> {
    while (underWay.size > 0) await Promise.all(underWay)
  }

  /** Until it is over, this place is not at rest. */
  function noteUnderWay(work: Promise<unknown>): void {
    underWay.add(work)
    void work.finally(() => underWay.delete(work))
  }

  async function underLock(run: (deadMarksOnly: boolean) => Promise<Round>): Promise<Round> {
    if (parts.lock === undefined) return run(false)
    if (parts.lock.releasedOnlyByDeath === true) return parts.lock(parts.lockName, () => run(true))
    // This lock may be lost while its holder lives, so marks are watched, and from now on: not first wait, then watch.
    let waiting = true
    const watching = (async () => {
      while (waiting) {
        await records.look().catch(() => {})
        await records.pause()
      }
    })()
    try {
      return await parts.lock(parts.lockName, () => {
        waiting = false
        return run(false)
      })
    } finally {
      waiting = false
      void watching
    }
  }

  async function round(
    wanted: Wanted,
    rejected: Rejected | undefined,
    session: string | undefined,
    deadMarksOnly: boolean,
  ): Promise<Round> {
    const until = clock.monotonic() + 2 * (patience + deadline)
    let failedWrites = 0
    while (clock.monotonic() < until) {
      await answers.stored()
      const seen = await records.look()
      const decision = decide(seen.record, records.times(), policy, wanted, rejected, session)
      if (seen.record === undefined || !isDue(decision)) {
        if (decision.kind === 'use') emit({ type: 'renewal_adopted' })
        return {}
      }
      const mark = seen.record.sending
      if (mark !== undefined && !deadMarksOnly && !isDead(mark)) {
        await records.pause()
        continue
      }
      const done = await attempt(seen, seen.record, wanted)
      if (done instanceof OAuthError) {
        failedWrites += 1
        if (failedWrites === mostFailedWrites) return { error: done }
      } else if (done !== undefined) return done
    }
    return {
      error: new OAuthError('timed_out', 'The token could not be renewed in time: others who share the session kept it busy. Try again.'),
    }
  }

  function isDead(mark: Sending): boolean {
    // A wall clock that was set forward makes every mark old: not one that came while this process looked.
    const looksOld = records.times().now - mark.startedAt > oldMark && records.ageAtMost(mark.by) > oldMark
    return records.watched(mark.by) >= patience || looksOld
  }

  /** Makes ready, marks, sends, stores; `undefined`: another was faster, look again; an error: the mark could not be written. */
  async function attempt(seen: Seen, record: TokenRecord, wanted: Wanted): Promise<Round | OAuthError | undefined> {
    let prepared: PreparedRequest
    try {
      prepared = await parts.prepare(record, wanted)
    } catch (error) {
      return couldNotPrepare(record, wanted, asOAuthError(error))
    }
    const own = { generation: record.generation, by: parts.fresh(), asked: askedBy(wanted), whole: parts.isWhole(wanted) }
    const started = { monotonic: clock.monotonic(), wall: clock.now() }
    const marked = changed(record, {
      sending: { by: own.by, startedAt: started.wall + records.offset() },
      unclear: record.sending === undefined ? record.unclear : record.generation,
    })
    const version = await records.replace(seen.version, marked).catch(asOAuthError)
    if (typeof version !== 'string') {
      prepared.discard()
      await records.pause()
      return version
    }
    const late = Math.max(clock.monotonic() - started.monotonic, clock.now() - started.wall) > markToRequest
    if (late || answers.isInHand() || isOvertaken(record, records.newest())) {
      prepared.discard()
      await records.change(record, (current) => withoutMark(current, own.by), own.by)
      return undefined
    }
    // From here to the request nothing is awaited.
    const sending = prepared.send()
    emit({ type: 'renewal_started' })
    return answered({ own, wanted, marked, version, sending, started })
  }

  async function couldNotPrepare(record: TokenRecord, wanted: Wanted, error: OAuthError): Promise<Round> {
    emit({ type: 'renewal_failed', code: error.code })
    if (!isPassing(error)) return { error, concerns: wanted }
    if (isForWantOfNetwork(error)) return { error }
    await backOff(record, error, waitAfter(error, record), (current) => current)
    return { error }
  }

  /** The usual back-off, in milliseconds. */
  function waitAfter(error: OAuthError, record: TokenRecord): number {
    const meaning = whatFailureMeans({ code: error.code }, record.wait?.span ?? 0, parts.draw(), false)
    return meaning.kind === 'wait' ? meaning.milliseconds : 0
  }

  async function answered(sent: Sent): Promise<Round> {
    const stopWaiting = new AbortController()
    const timedOut = clock.wait(deadline, stopWaiting.signal).then(
      () => 'timed_out' as const,
      () => 'timed_out' as const,
    )
    const outcome = await Promise.race([sent.sending, timedOut])
    stopWaiting.abort()
    if (outcome === 'timed_out') {
      // What was sent cannot be unsent: a late success is stored while it has a place, a late refusal changes nothing.
      noteUnderWay(sent.sending.then((late) => (late.ok ? answers.keep(sent, late.answer) : undefined)))
      return settleTimeout(sent)
    }
    return outcome.ok ? settleAnswer(sent, outcome.answer) : settleFailure(sent, outcome)
  }

  async function settleAnswer(sent: Sent, answer: TokenAnswer): Promise<Round> {
    if (answer.serverTime !== undefined) records.learnServerTime(answer.serverTime)
    const after = await answers.keep(sent, answer)
    if (after !== undefined) emit({ type: 'renewal_finished', tookMilliseconds: clock.monotonic() - sent.started.monotonic })
    return {}
  }

  async function settleTimeout(sent: Sent): Promise<Round> {
    const error = new OAuthError('timed_out', 'The authorization server did not answer the token request in time. Try again later.')
    // Nobody sends for two more deadlines: the answer may still be on its way. (A second token in the application's own right harms nobody.)
    const span = policy.inOwnRight ? waitAfter(error, sent.marked) : 2 * deadline + 3_000
    await backOff(
      sent.marked,
      error,
      span,
      (current) => changed(withoutMark(current, sent.own.by), { unclear: sent.own.generation }),
      sent.own.by,
    )
    emit({ type: 'renewal_failed', code: error.code, ...retryAt() })
    return { error }
  }

  async function settleFailure(sent: Sent, failed: Extract<TokenOutcome, { ok: false }>): Promise<Round> {
    const { error } = failed
    const isDoubtful = ({ unclear = -Infinity }: TokenRecord) => unclear >= sent.own.generation - 1
    const meaning = whatFailureMeans(
      // In the application's own right there is no session that could end: the next token may well be granted.
      { code: error.code, serverError: policy.inOwnRight ? undefined : error.serverError, retryAfter: failed.retryAfter },
      sent.marked.wait?.span ?? 0,
      parts.draw(),
      isDoubtful(sent.marked),
    )
    const settled = (current: TokenRecord) =>
      changed(withoutMark(current, sent.own.by), { unclear: failed.surelyNotDone ? current.unclear : sent.own.generation })
    if (meaning.kind === 'end') {
      // What others wrote meanwhile may be the doubt, and so may a mark of theirs: a store that forgot ours let two of us send.
      const isShared = (current: TokenRecord) => isDoubtful(current) || (current.sending?.by ?? sent.own.by) !== sent.own.by
      const reason = (current: TokenRecord) => {
        if (meaning.reason !== 'invalid_grant') return meaning.reason
        if (isShared(current)) return 'ambiguous_rotation'
        // Only the server ends a session; but why, it has said before.
        return records.times().now >= endOfSession(current) ? 'expired' : 'invalid_grant'
      }
      await records.change(sent.marked, (current) => ended(current, reason(current), records.times().now))
      emit({ type: 'renewal_failed', code: error.code })
      return {}
    }
    const waits = meaning.kind === 'wait' && !isForWantOfNetwork(error)
    if (waits) await backOff(sent.marked, error, meaning.milliseconds, settled, sent.own.by)
    else await records.change(sent.marked, settled, sent.own.by)
    emit({ type: 'renewal_failed', code: error.code, ...(waits ? retryAt() : {}) })
    return meaning.kind === 'tell' ? { error, concerns: sent.wanted } : { error }
  }

  /** Without a network no server is spared by a wait, which would only outlast the outage: the first call after it is to be answered. */
  function isForWantOfNetwork({ code }: OAuthError): boolean {
    return (code === 'network' || code === 'discovery_failed') && parts.isOffline?.() === true
  }

  /** Writes the wait to the record, so that all who share it wait together. */
  async function backOff(
    of: TokenRecord,
    error: OAuthError,
    milliseconds: number,
    how: (current: TokenRecord) => TokenRecord,
    by?: string,
  ): Promise<void> {
    const id = parts.fresh()
    const began = { monotonic: clock.monotonic(), wall: clock.now() }
    const until = records.times().now + milliseconds
    const wait = { id, until, span: milliseconds, code: error.code }
    const next = await records.change(of, (current) => changed(how(current), { wait }), by)
    if (next !== undefined) records.know(id, began)
  }

  function retryAt(): { readonly retryAt?: number } {
    const wait = records.newest()?.wait
    return wait === undefined ? {} : { retryAt: clock.now() + Math.max(0, remainingWait(wait, records.times())) }
  }

  return { renew, atRest }
}

/** A late answer was stored while the mark was on its way: the refresh token of this record is spent. */
function isOvertaken(record: TokenRecord, newest: TokenRecord | undefined): boolean {
  return newest?.session === record.session && newest.generation > record.generation
}

function withoutMark(record: TokenRecord, by: string): TokenRecord {
  return record.sending?.by === by ? changed(record, { sending: undefined }) : record
}

function askedBy({ scope, resource, audience }: Wanted): Asked {
  return present<Asked>({ scope, resource, audience })
}
