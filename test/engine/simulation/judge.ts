import { covers } from '../../../src/core/scope.js'
import type { AuthorizationServer, ServedToken } from './authorization-server.js'
import { type Context, epoch } from './context.js'
import type { Call, Invariant, Violation } from './invariants.js'
import type { Held } from './store.js'
import type { Timeline } from './timeline.js'
import { type Sent, isProcessed } from './wire.js'

export interface Judge {
  readonly violations: readonly Violation[]
  broken(invariant: Invariant, what: string): void
  sending(sent: Sent): void
  arrived(sent: Sent): void
  wrote(context: Context, source: string, before: Held | undefined, after: Held | undefined): void
  forgot(after: Held | undefined): void
  reused(first: Sent, again: Sent): void
  served(call: Call, token: ServedToken): void
  refusedTwice(first: ServedToken, second: ServedToken, firstServedAt: number): void
  /** The engine takes an answer back. */
  revokes(refreshToken: string): void
  sessionOf(token: ServedToken): string | undefined
  /** When the last back-off that was written ends. */
  waitEnd(): number
  /** The span of the longest. */
  longestWait(): number
  atEnd(): void
}

export interface JudgeParts {
  readonly time: Timeline
  readonly server: () => AuthorizationServer
  readonly held: () => Held | undefined
  readonly deadline: number
  readonly lifetime: number
  readonly patience: number
  /** Clocks differ: then what is fresh is not the same for all. */
  readonly skewed: boolean
  /** A mark that is found under the lock is a dead sender's. */
  readonly deadMarksOnly: boolean
}

/** By so much a mark may be older than its request; the store may forget it in between. */
const markToRequest = 2_000
/** A token is fresh for so much of its life. */
const renewedAfter = 0.75
/** So old a mark needs no watch. */
const oldMark = 60 * 60_000

export function judge(parts: JudgeParts): Judge {
  const { time, deadline } = parts
  const violations: Violation[] = []
  const sends: Sent[] = []
  /** Answers that arrived and are not stored. */
  const inHand = new Set<Sent>()
  const storedTokens = new Set<string>()
  /** The refresh tokens whose answer was stored, with the request that brought it. */
  const answered = new Map<string, Sent | undefined>()
  const over = new Map<string, { readonly how: 'ended' | 'replaced'; readonly at: number }>()
  const sessionOf = new Map<string, string>()
  /** The record that a source's last mark was written over. */
  const marked = new Map<string, Held>()
  /** When a mark was written. */
  const markedAt = new Map<string, number>()
  /** The latest generation of a session that a source wrote itself. */
  const written = new Map<string, number>()
  const signedOutBy = new Map<string, { readonly by: Context; readonly at: number }>()
  /** Families that died of a request whose mark the store forgot. */
  const killedUnmarked = new Set<string>()
  let forgotAt = -1
  let waitEnd = 0
  let longestWait = 0

  function broken(invariant: Invariant, what: string): void {
    violations.push({ invariant, at: time.now(), what })
  }

  /** Something outside the rules came between this request and the storing of its answer. */
  function wentWrong(sent: Sent): boolean {
    const { context, fate } = sent
    if (!isProcessed(fate) || fate === 'answer_lost' || fate === 'failed_after' || fate === 'unreadable') return true
    // Nobody sends for two deadlines after the first, unless its clock is wrong and it has not been there long.
    if (sent.arrivesAt - sent.at > (parts.skewed ? deadline : 3 * deadline) || !context.isAlive()) return true
    return Math.max(context.stoodStillAt(), context.cutAt, forgotAt + markToRequest) >= sent.at
  }

  function sending(sent: Sent): void {
    const { refreshToken } = sent
    const first = answered.get(refreshToken)
    if (answered.has(refreshToken) && (first === undefined ? forgotAt < 0 : !wentWrong(first)))
      broken('I1', `${sent.source} sends ${refreshToken}`)
    for (const earlier of sends) {
      if (earlier.refreshToken !== refreshToken || earlier.arrivedAt !== undefined || !earlier.context.isAlive()) continue
      const stopped = Math.max(earlier.context.stoodStillAt(), forgotAt + markToRequest) >= earlier.at
      if (!stopped && time.now() - earlier.at < deadline)
        broken('I2', `${sent.source} sends ${refreshToken} as ${earlier.source} still waits`)
    }
    for (const held of inHand) {
      if (held.source === sent.source && held.session === sent.session && held.generation === sent.generation)
        broken('I14', `${sent.source} sends ${refreshToken}`)
    }
    if ((written.get(`${sent.source} ${sent.session}`) ?? 0) > sent.generation)
      broken('I1', `${sent.source} sends ${refreshToken}, and wrote a later one`)
    const over = marked.get(sent.source)
    if (over !== undefined) watched(sent, over)
    if (!parts.skewed && over !== undefined) needless(sent, over)
    sends.push(sent)
  }

  /** Whoever takes another's mark over has been awake for a whole patience since it was written. */
  function watched(sent: Sent, record: Held): void {
    const since = markedAt.get(record.sending?.by ?? '')
    if (since === undefined || parts.deadMarksOnly || time.now() - since > oldMark) return
    if (sent.context.awakeSince(since) < parts.patience)
      broken('I2', `${sent.source} sends ${sent.refreshToken} and has not watched the mark`)
  }

  /** Lives are counted from before the mark, and messages take their time. */
  const slack = markToRequest + 1_000

  function needless(sent: Sent, record: Held): void {
    if (record.wait !== undefined && record.wait.until - epoch - time.now() > slack) broken('I8', `${sent.source} sends during a back-off`)
    for (const { text } of record.accessTokens) {
      const token = parts.server().accessToken(text)
      if (token === undefined || token.revokedBy !== undefined || !token.family.living || token.resource !== sent.target.resource) continue
      if (!covers(token.scope, sent.target.scope)) continue
      if (token.startedAt + renewedAfter * parts.lifetime - time.now() > slack)
        broken('I8', `${sent.source} renews ${text}, which is fresh`)
    }
  }

  function arrived(sent: Sent): void {
    if (sent.issued !== undefined && (sent.fate === 'answered' || sent.fate.startsWith('late')) && sent.context.isAlive()) inHand.add(sent)
  }

  function wrote(context: Context, source: string, before: Held | undefined, after: Held | undefined): void {
    if (after === undefined) return broken('I6', `${source} deletes the record`)
    const past = over.get(after.session)
    if (past !== undefined && after.ended === undefined)
      broken(past.how === 'ended' ? 'I6' : 'I6b', `${source} writes ${after.session} again`)
    if (before !== undefined && before.session !== after.session) over.set(before.session, { how: 'replaced', at: time.now() })
    if (before !== undefined && before.ended === undefined && after.ended !== undefined) endWritten(source, before, after.ended.reason)
    if (after.ended?.reason === 'signed_out' && past === undefined) signedOutBy.set(after.session, { by: context, at: time.now() })
    if (after.ended !== undefined) over.set(after.session, { how: 'ended', at: time.now() })
    if (after.sending !== undefined && after.sending.by !== before?.sending?.by && before !== undefined) {
      marked.set(source, before)
      markedAt.set(after.sending.by, time.now())
    }
    const own = `${source} ${after.session}`
    if (after.ended === undefined) written.set(own, Math.max(written.get(own) ?? 0, after.generation))
    if (after.wait === undefined) waitEnd = Math.min(waitEnd, time.now())
    else if (after.wait.id !== before?.wait?.id) {
      waitEnd = time.now() + after.wait.span
      longestWait = Math.max(longestWait, after.wait.span)
    }
    if (after.refreshToken !== undefined) tokenWritten(before, after, after.refreshToken)
  }

  function endWritten(source: string, before: Held, reason: string): void {
    if (reason === 'signed_out') return
    const token = parts.server().refreshToken(before.refreshToken ?? '')
    if (parts.server().accepts(before.refreshToken ?? '')) broken('I4', `${source} ends ${before.session} (${reason})`)
    const own = token?.family.endedBy === 'reuse' || (token?.family.living === true && token.used !== undefined)
    // Where the mark was forgotten nobody can know.
    const unknowable = forgotAt >= (token?.used?.by.at ?? Infinity) || (token !== undefined && killedUnmarked.has(token.family.id))
    if (own && reason !== 'ambiguous_rotation' && !unknowable) broken('I5', `${source} ends ${before.session} as ${reason}`)
  }

  function reused(first: Sent, again: Sent): void {
    // What was sent first may be there last.
    const earlier = first.at <= again.at ? first : again
    const held = parts.held()
    // A doubt is kept for one generation; a request that is on its way for longer than that ends the session unsuspected. Of a dead sender, whose
    // mark is gone with the doubt, what the server has answered counts, stored or not: the end is met in the generation of that answer.
    const answered = sends.some((one) => one.session === again.session && one.issued !== undefined && one.generation > again.generation)
    const outlived = (held?.session === again.session && held.generation > again.generation + 1) || (answered && !again.context.isAlive())
    if (outlived || forgotAt + markToRequest >= earlier.at)
      killedUnmarked.add(parts.server().refreshToken(first.refreshToken)?.family.id ?? '')
    if (!wentWrong(earlier)) broken('I3', `${first.refreshToken}, of ${first.source}, is used again by ${again.source}`)
  }

  function tokenWritten(before: Held | undefined, after: Held, refreshToken: string): void {
    storedTokens.add(refreshToken)
    const family = parts.server().refreshToken(refreshToken)?.family
    if (family !== undefined) sessionOf.set(family.id, after.session)
    for (const { text } of after.accessTokens) {
      const token = parts.server().accessToken(text)
      if (token !== undefined) token.storedAt ??= time.now()
    }
    const bringer = sends.find((sent) => sent.issued?.refreshToken === refreshToken && inHand.has(sent))
    if (bringer !== undefined) inHand.delete(bringer)
    if (before?.session !== after.session || before.refreshToken === undefined || before.refreshToken === refreshToken) return
    answered.set(before.refreshToken, bringer)
  }

  function forgot(after: Held | undefined): void {
    forgotAt = time.now()
    if (after !== undefined) over.delete(after.session)
    if (after?.refreshToken !== undefined) answered.delete(after.refreshToken)
  }

  function served(call: Call, token: ServedToken): void {
    if (token.resource !== call.resource || !covers(token.scope, call.scope))
      broken('I13', `${token.text} for ${call.resource} ${call.scope.join()}`)
    const session = sessionOf.get(token.family.id)
    if (session === undefined) return
    // Where the store forgot, a first look may have healed it first.
    if (call.session !== undefined && session !== call.session && !call.unsure && forgotAt < 0)
      broken('I7', `a call of ${call.session} in ${call.context.name} gets ${token.text} of ${session}`)
    const past = over.get(session)
    if (past !== undefined && past.at < call.startedAt && call.context.blindAt < call.startedAt)
      broken(past.how === 'ended' ? 'I6' : 'I6b', `${call.context.name} serves ${token.text} of ${session}`)
  }

  function refusedTwice(first: ServedToken, second: ServedToken, firstServedAt: number): void {
    if (second.revokedBy === undefined || second.revokedBy !== first.revokedBy) return
    if (second.storedAt !== undefined && second.storedAt <= firstServedAt && forgotAt < second.storedAt)
      broken('I10', `${first.text}, then ${second.text}`)
  }

  function revokes(refreshToken: string): void {
    for (const sent of inHand) if (sent.issued?.refreshToken === refreshToken) inHand.delete(sent)
    const family = parts.server().refreshToken(refreshToken)?.family
    const session = family === undefined ? undefined : sessionOf.get(family.id)
    const held = parts.held()
    if (session !== undefined && held?.session === session && held.ended === undefined && forgotAt < 0) broken('I12', refreshToken)
  }

  function atEnd(): void {
    for (const sent of sends) dropped(sent)
    for (const [session, { by, at }] of signedOutBy) {
      const id = [...sessionOf].find(([, of]) => of === session)?.[0]
      const tainted =
        !by.isAlive() ||
        Math.max(by.stoodStillAt(), by.cutAt, forgotAt) >= at ||
        sends.some((sent) => sent.session === session && wentWrong(sent))
      if (tainted || id === undefined) continue
      const living = [...parts.server().accessTokens()].some((token) => token.family.id === id && token.family.living)
      if (living) broken('I11', `${session} lives on at the server`)
    }
  }

  /** An answer that arrived, and was neither stored nor out of place. */
  function dropped(sent: Sent): void {
    const text = sent.issued?.refreshToken
    if (text === undefined || storedTokens.has(text) || sent.arrivedAt === undefined || over.has(sent.session) || wentWrong(sent)) return
    const rival = sends.some(
      (other) => other !== sent && other.session === sent.session && other.generation === sent.generation && wentWrong(other),
    )
    if (!rival) broken('I8', `${text} arrived in ${sent.source} and was never stored`)
  }

  return {
    violations,
    broken,
    sending,
    arrived,
    wrote,
    forgot,
    reused,
    served,
    refusedTwice,
    revokes,
    sessionOf: (token) => sessionOf.get(token.family.id),
    waitEnd: () => waitEnd,
    longestWait: () => longestWait,
    atEnd,
  }
}
