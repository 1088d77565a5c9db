import { OAuthError, type OAuthErrorCode } from '../../../src/core/errors.js'
import type { PrepareRenewal, TokenOutcome } from '../../../src/core/exchange.js'
import { Secret, present } from '../../../src/core/secret.js'
import type { TokenAnswer } from '../../../src/core/token-record.js'
import type { AuthorizationServer, Issued } from './authorization-server.js'
import { type Context, epoch } from './context.js'
import type { Random, Timeline } from './timeline.js'

/** What becomes of a token request. `late_3` and `late_5`: its answer takes up to so many deadlines. */
export type Fate =
  | 'answered'
  | 'request_lost'
  | 'answer_lost'
  | 'late_3'
  | 'late_5'
  | 'failed_before'
  | 'failed_after'
  | 'unreadable'
  | 'too_many'
  | 'empty_400'

export type RequestFaults = Readonly<Partial<Record<Fate, number>>>

/** A token request that left its context. */
export interface Sent {
  readonly context: Context
  readonly source: string
  readonly refreshToken: string
  readonly session: string
  readonly generation: number
  readonly target: { readonly resource: string | undefined; readonly scope: readonly string[] }
  readonly at: number
  fate: Fate
  /** When its outcome is to arrive. */
  arrivesAt: number
  /** When its outcome arrived in its context. */
  arrivedAt?: number
  /** What the server gave for it, arrived or not. */
  issued?: Issued
}

export interface WireParts {
  readonly time: Timeline
  readonly random: Random
  readonly server: AuthorizationServer
  readonly faults: () => RequestFaults
  /** How likely a request cannot be made ready. */
  readonly unprepared: () => number
  readonly isDown: () => boolean
  readonly deadline: number
  readonly lifetime: number
  /** Whether the server's `Date` can be read. */
  readonly date: boolean
  readonly fullScope: readonly string[]
  readonly sending: (sent: Sent) => void
  readonly arrived: (sent: Sent) => void
}

export interface Wire {
  prepare(context: Context, source: string): PrepareRenewal
  answer(issued: Issued): TokenAnswer
}

export function wire(parts: WireParts): Wire {
  const { time, random, server, deadline } = parts

  function answer(issued: Issued): TokenAnswer {
    return present<TokenAnswer>({
      accessToken: Secret.of(issued.accessToken.text),
      tokenType: 'Bearer',
      scope: issued.accessToken.scope,
      lifetime: parts.lifetime,
      refreshToken: Secret.of(issued.refreshToken),
      idToken: undefined,
      idTokenClaims: undefined,
      authorizationDetails: undefined,
      serverTime: parts.date ? Math.floor((epoch + time.now()) / 1_000) * 1_000 : undefined,
    })
  }

  function prepare(context: Context, source: string): PrepareRenewal {
    return (record, target) =>
      context.call(
        random.between(1, 30),
        random.between(1, 30),
        () => {
          if (random.chance(parts.unprepared())) throw new OAuthError('discovery_failed', 'simulated')
          const send = (): Promise<TokenOutcome> => {
            const sent: Sent = {
              context,
              source,
              refreshToken: record.refreshToken?.reveal() ?? '',
              session: record.session,
              generation: record.generation,
              target: { resource: target.resource, scope: target.scope ?? parts.fullScope },
              at: time.now(),
              fate: parts.isDown() ? random.pick(['failed_before', 'request_lost']) : random.weighted(parts.faults(), 'answered'),
              arrivesAt: 0,
            }
            return carry(sent)
          }
          return { send, discard: () => {} }
        },
        3,
      )
  }

  /** The way there, what happens there, and the way back. */
  function carry(sent: Sent): Promise<TokenOutcome> {
    const there = random.chance(0.1) ? random.between(200, 0.6 * deadline) : random.between(5, 150)
    const total = there + travel(sent.fate)
    sent.arrivesAt = sent.at + total
    parts.sending(sent)
    return new Promise((resolve) => {
      let outcome: TokenOutcome
      if (isProcessed(sent.fate)) time.at(sent.at + there, () => (outcome = outcomeOf(sent)))
      else outcome = failed(sent.fate)
      time.at(sent.arrivesAt, () =>
        sent.context.enter(() => {
          sent.arrivedAt = time.now()
          parts.arrived(sent)
          resolve(outcome)
        }, 6),
      )
    })
  }

  function travel(fate: Fate): number {
    if (fate === 'late_3') return random.between(0, 2.3 * deadline)
    if (fate === 'late_5') return random.between(0, 4.3 * deadline)
    if (fate === 'request_lost' || fate === 'answer_lost') return random.pick([random.between(5, 500), random.between(500, 1.5 * deadline)])
    return random.chance(0.05) ? random.between(100, 0.3 * deadline) : random.between(5, 150)
  }

  function outcomeOf(sent: Sent): TokenOutcome {
    const result = server.refresh(sent)
    if (result !== 'invalid_grant') sent.issued = result
    if (sent.fate !== 'answered' && sent.fate !== 'late_3' && sent.fate !== 'late_5') return failed(sent.fate)
    if (result !== 'invalid_grant') return { ok: true, answer: answer(result) }
    const error = new OAuthError('sign_in_required', 'simulated', { serverError: 'invalid_grant', status: 400 })
    return { ok: false, error, surelyNotDone: true }
  }

  function failed(fate: Fate): TokenOutcome {
    const error = new OAuthError(codes[fate] ?? 'network', 'simulated')
    const retryAfter = fate === 'too_many' || (fate === 'failed_before' && random.chance(0.3)) ? random.between(500, 15_000) : undefined
    return { ok: false, error, surelyNotDone: fate === 'too_many', ...(retryAfter === undefined ? {} : { retryAfter }) }
  }

  return { prepare, answer }
}

const codes: Partial<Record<Fate, OAuthErrorCode>> = {
  failed_before: 'server_unavailable',
  failed_after: 'server_unavailable',
  too_many: 'server_unavailable',
  empty_400: 'request_refused',
  unreadable: 'token_response_invalid',
}

/** Whether the request reaches the server and is carried out there. */
export function isProcessed(fate: Fate): boolean {
  return fate !== 'request_lost' && fate !== 'failed_before' && fate !== 'too_many' && fate !== 'empty_400'
}
