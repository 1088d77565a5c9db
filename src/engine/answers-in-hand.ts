import type { Emit } from '../core/events.js'
import type { TokenOutcome } from '../core/exchange.js'
import { type Instant, tokenName } from '../core/lifetime.js'
import type { Wanted } from '../core/decide.js'
import type { TokenAnswer, TokenRecord } from '../core/token-record.js'
import { type Renewal, narrowedBy, renewed } from '../core/transitions.js'
import type { RecordKeeper, Seen } from './record-keeper.js'

/** A token request that was sent: for which record, under which mark. */
export interface Sent {
  readonly own: Omit<Renewal, 'startedAt'>
  readonly wanted: Wanted
  /** The record as it was stored with the mark. */
  readonly marked: TokenRecord
  readonly version: string
  readonly sending: Promise<TokenOutcome>
  readonly started: Instant
}

export interface AnswersInHand {
  /** Whether an answer is not stored yet: nothing else may be sent meanwhile. */
  isInHand(): boolean
  /** Resolves when no answer is in hand. */
  stored(): Promise<void>
  /** Stores an answer, whatever it takes and as long as the process lives; `undefined` when it has no place any more. */
  keep(sent: Sent, answer: TokenAnswer): Promise<TokenRecord | undefined>
}

/** The answers that were received and are not yet stored. The refresh token in such an answer may be the only living one. */
export function answersInHand(parts: {
  readonly records: RecordKeeper
  /** Then what is missing cannot be told. */
  readonly scopeNamedDifferently: boolean
  readonly revoke: (answer: TokenAnswer) => void
  readonly emit: Emit
}): AnswersInHand {
  const { records } = parts
  let last: Promise<unknown> | undefined

  async function keep(sent: Sent, answer: TokenAnswer): Promise<TokenRecord | undefined> {
    const storing = (last ?? Promise.resolve()).then(() => commit(sent, answer))
    last = storing
    try {
      return await storing
    } finally {
      if (last === storing) last = undefined
    }
  }

  async function commit(sent: Sent, answer: TokenAnswer): Promise<TokenRecord | undefined> {
    const { own, marked } = sent
    const tried = new Set<string>()
    let seen: { readonly version: string | undefined; readonly record: TokenRecord } = { version: sent.version, record: marked }
    for (;;) {
      const next = renewed(seen.record, { ...own, startedAt: sent.started.wall + records.offset() }, answer)
      // A store that refuses to be written, as a full disk does, is given time.
      const written = await records.replace(seen.version, next, tried).catch(() => records.pause())
      if (written !== undefined) return committed(sent, next)
      const { version, record, unreadable } = await lookUntilItAnswers()
      // A write that threw may have happened.
      if (version !== undefined && tried.has(version)) return committed(sent, next)
      // What cannot be read may be this very session, as another version of the application writes it.
      if (record === undefined && unreadable) return undefined
      if (record === undefined || record.session !== marked.session || record.ended?.reason === 'signed_out') {
        parts.revoke(answer)
        return undefined
      }
      // Another renewed this very session, or it has ended: its tokens live or died with that, and revoking ours could take theirs along.
      if (record.ended !== undefined || record.generation !== own.generation) return undefined
      seen = { version, record }
    }
  }

  function committed(sent: Sent, next: TokenRecord): TokenRecord {
    const [token] = next.accessTokens
    if (token === undefined) return next
    records.know(tokenName(next.session, token), sent.started)
    const missingScope = narrowedBy(sent.marked, sent.own, token)
    if (missingScope.length > 0 && !parts.scopeNamedDifferently) parts.emit({ type: 'scope_narrowed', missingScope })
    return next
  }

  async function lookUntilItAnswers(): Promise<Seen> {
    for (;;) {
      try {
        return await records.look()
      } catch {
        await records.pause()
      }
    }
  }

  return {
    isInHand: () => last !== undefined,
    stored: async () => void (await last),
    keep,
  }
}
