import type { Decision } from './decide.js'
import { dpopKeyLost } from './dpop.js'
import { OAuthError, type OAuthErrorCode } from './errors.js'
import type { SessionEnd } from './token-record.js'

/**
 * The error of a call that gets no token, in words that say what to do.
 * @param failed why the renewal that this very call waited for renewed nothing: it says more than the wait that came of it
 */
export function refusal(
  decision: Exclude<Decision, { kind: 'use' | 'use_and_renew_behind' | 'renew_first' }>,
  unreadable: boolean,
  now: number,
  failed?: OAuthError,
): OAuthError {
  switch (decision.kind) {
    case 'scope_not_granted':
      return new OAuthError(
        'scope_not_granted',
        `The user has not granted ${decision.missing.join(' ')}. Ask for it with signIn({ scope }).`,
        { missingScope: decision.missing },
      )
    case 'another_session':
      return new OAuthError(
        'session_changed',
        'The session in which this call began is over: someone signed in anew. Repeat what you do, if it is still wanted.',
      )
    case 'wait': {
      const { code } = decision.wait
      const retryAt = now + decision.remaining
      if (failed?.code !== code) return new OAuthError(code, waiting(code), { retryAt })
      return new OAuthError(code, failed.message, { serverError: failed.serverError, status: failed.status, retryAt })
    }
    case 'sign_in':
      if (unreadable)
        return new OAuthError(
          'record_invalid',
          'The stored session cannot be read: it is damaged, sealed with another key, or written by a later version of the application. Load the application anew, and sign in where that does not help.',
        )
      if (decision.ended === 'key_lost') return dpopKeyLost()
      return new OAuthError(
        decision.ended === 'ambiguous_rotation' ? 'ambiguous_rotation' : 'sign_in_required',
        signInReason(decision.ended),
      )
  }
}

function signInReason(reason: Exclude<SessionEnd, 'key_lost'> | undefined): string {
  switch (reason) {
    case undefined:
      return 'Nobody is signed in. Call signIn().'
    case 'signed_out':
      return 'The user has signed out. Call signIn().'
    case 'ambiguous_rotation':
      return "The session ended: an answer of the authorization server was lost, and with it the token that would have renewed the session. Call signIn(), or signIn({ prompt: 'none' }) to try without asking the user."
    case 'user_changed':
      return 'The session ended: the authorization server answered for another user. Call signIn().'
    case 'expired':
      return 'The session has expired and nothing can renew it. Call signIn(); ask for offline_access where the server wants it.'
    case 'invalid_grant':
      return 'The authorization server has ended the session. Call signIn().'
  }
}

function waiting(code: OAuthErrorCode): string {
  switch (code) {
    case 'request_refused':
      return 'The authorization server refuses token requests without saying why. Try again after retryAt, or offer the user to sign in anew.'
    case 'client_refused':
      return 'The authorization server does not accept this client. Check clientId and its registration; the session is kept.'
    case 'dpop_nonce_unreadable':
      return 'The authorization server must send Access-Control-Expose-Headers: DPoP-Nonce. The session is kept.'
    default:
      return 'The token could not be renewed just now, and will not be tried before retryAt. The session is kept.'
  }
}
