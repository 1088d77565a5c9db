import { OAuthError, type OAuthErrorCode } from '../core/errors.js'
import type { TokenOutcome } from '../core/exchange.js'
import { bare } from '../core/secret.js'
import type { Answer } from './exchange.js'
import { interactionErrors, registeredError } from './registered-errors.js'

type Refusal = Extract<TokenOutcome, { ok: false }>

/**
 * What an answer of the token endpoint means that is not a success (RFC 6749 section 5.2). The status decides before the body
 * does: a gateway's 503 may carry any text.
 *
 * @param invalidGrant what `invalid_grant` means for this grant
 * @param who answered
 */
export function refusalOf(answer: Answer, invalidGrant: OAuthErrorCode, who = 'The token endpoint'): Refusal {
  const { status } = answer
  if (status === 0) return refusal(answer, 'server_unavailable', `${who} redirects, which is not followed. Check the metadata.`)
  if (status === 408 || status === 429 || status >= 500) {
    return refusal(answer, 'server_unavailable', `${who} answered with status ${status}. Try again later.`, {
      surelyNotDone: status === 429,
    })
  }
  if (status < 400) return refusal(answer, 'token_response_invalid', `${who} answered with status ${status} where 200 is due.`)
  const error = readableError(answer)
  if (error === undefined) {
    return refusal(
      answer,
      'request_refused',
      `${who} refused with status ${status} and said nothing readable. Ask who runs it, or sign in again.`,
    )
  }
  const serverError = registeredError(error)
  const code = codeOf(serverError, invalidGrant)
  const said = serverError === undefined ? 'an error that is not registered' : serverError
  // `server_error` may have struck after the work was done.
  return refusal(answer, code, `${who} refused: ${said}. ${advice[code] ?? ''}`.trim(), {
    serverError,
    surelyNotDone: serverError !== 'server_error',
  })
}

/** A failure that no answer explains: nobody can say what the server did. */
export function failureOf(error: OAuthError): Refusal {
  return bare({ ok: false, error, surelyNotDone: false })
}

/** RFC 6749 section 5.2: `error` is a member of a JSON object, of visible characters without quote and backslash. */
function readableError(answer: Answer): string | undefined {
  const error = answer.mediaType === 'application/json' ? answer.body?.['error'] : undefined
  return typeof error === 'string' && /^[\x20\x21\x23-\x5B\x5D-\x7E]+$/.test(error) ? error : undefined
}

function codeOf(serverError: string | undefined, invalidGrant: OAuthErrorCode): OAuthErrorCode {
  if (serverError !== undefined && interactionErrors.has(serverError)) return 'interaction_required'
  switch (serverError) {
    case 'invalid_grant':
      return invalidGrant
    case 'invalid_client':
    case 'unauthorized_client':
      return 'client_refused'
    case 'invalid_scope':
      return 'scope_refused'
    case 'invalid_target':
      return 'resource_refused'
    case 'access_denied':
      return 'access_denied'
    case 'server_error':
    case 'temporarily_unavailable':
      return 'server_unavailable'
    default:
      return 'request_refused'
  }
}

const advice: Partial<Record<OAuthErrorCode, string>> = bare({
  authorization_failed: "The code is spent, expired or another client's. Sign in again.",
  sign_in_required: 'The refresh token is spent, expired or revoked. Sign in again.',
  access_denied: 'The user said no. Offer the sign-in again, if they change their mind.',
  client_refused: 'Check clientId and clientAuthentication against what is registered.',
  scope_refused: 'Ask for scope values that this client may have.',
  resource_refused: 'Ask for a resource that this server has tokens for.',
  interaction_required: 'Sign in again, so that the server can ask the user.',
  server_unavailable: 'Try again later.',
  request_refused: "Check the client's options against what the server supports.",
})

function refusal(
  answer: Answer,
  code: OAuthErrorCode,
  message: string,
  more: { readonly serverError?: string | undefined; readonly surelyNotDone?: boolean } = {},
): Refusal {
  return bare({
    ok: false,
    error: new OAuthError(code, message, { serverError: more.serverError, status: answer.status === 0 ? undefined : answer.status }),
    surelyNotDone: more.surelyNotDone ?? false,
    ...(answer.retryAfter === undefined ? {} : { retryAfter: answer.retryAfter }),
  })
}
