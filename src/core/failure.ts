import type { OAuthError, OAuthErrorCode } from './errors.js'
import type { SessionEnd } from './token-record.js'

/** What is known of a renewal that failed. */
export interface Failure {
  readonly code: OAuthErrorCode
  /** The `error` of the server (RFC 6749 section 5.2), where it could be read. */
  readonly serverError?: string | undefined
  /** Milliseconds. */
  readonly retryAfter?: number | undefined
}

/** What a failed renewal means: the end of the session, a wait for all who share it, or a word to the caller alone. */
export type FailureMeaning =
  | { readonly kind: 'end'; readonly reason: SessionEnd }
  | { readonly kind: 'wait'; readonly milliseconds: number }
  | { readonly kind: 'tell' }

/** The first wait, and the longest that doubling comes to. A service that blinks is back within seconds, and five minutes is not yet an outage of ours. */
const firstWait = 1_000
const longestWait = 5 * 60_000
/** A refusal that nobody can read is rarely over in seconds: a gateway, a firewall, a moved service. */
const firstUnreadableWait = 30_000
/** No server may send its clients away for longer: a typing mistake in `Retry-After` must not cost a day. */
const longestRetryAfter = 60 * 60_000

/**
 * Only a readable `invalid_grant` ends a session (RFC 6749 section 5.2), and one whose earlier request had no readable
 * answer ends as `ambiguous_rotation`: the client may itself have caused it.
 *
 * @param previousSpan the wait before this one, in milliseconds, 0 where there was none
 * @param draw a random number in [0, 1)
 * @param doubtful whether an earlier request of this generation, or of the one before, is unclear
 */
export function whatFailureMeans(failure: Failure, previousSpan: number, draw: number, doubtful: boolean): FailureMeaning {
  if (failure.code === 'different_user') return { kind: 'end', reason: 'user_changed' }
  if (failure.serverError === 'invalid_grant') return { kind: 'end', reason: doubtful ? 'ambiguous_rotation' : 'invalid_grant' }
  // These say what is wrong with this one call; another call of the same record may well succeed.
  if (failure.code === 'scope_refused' || failure.code === 'resource_refused') return { kind: 'tell' }
  if (failure.retryAfter !== undefined && failure.retryAfter > 0) {
    return { kind: 'wait', milliseconds: Math.min(failure.retryAfter, longestRetryAfter) }
  }
  return { kind: 'wait', milliseconds: backOff(failure, previousSpan, draw) }
}

/** Twice to three times the wait before, by the draw, so that those who failed together do not come back together. */
function backOff(failure: Failure, previousSpan: number, draw: number): number {
  const first = failure.code === 'request_refused' ? firstUnreadableWait : firstWait
  const doubled = Math.max(first, previousSpan * 2)
  return Math.round(Math.min(doubled * (1 + draw / 2), longestWait))
}

/** What time may cure: then all who share the record wait, instead of each asking again. */
export function isPassing(error: OAuthError): boolean {
  return ['discovery_failed', 'network', 'timed_out', 'server_unavailable'].includes(error.code)
}
