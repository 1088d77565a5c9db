import type { Client } from '../core/client.js'
import { OAuthError } from '../core/errors.js'
import type { TokenOutcome } from '../core/exchange.js'
import { bare } from '../core/secret.js'
import type { TokenAnswer } from '../core/token-record.js'
import { unlessAborted } from '../core/unless-aborted.js'
import type { Polling } from '../protocol/decoupled-authorization.js'
import { withinDeadline } from '../protocol/exchange.js'
import type { IdTokenExpectation } from '../protocol/id-token.js'
import { type TokenRequest, prepareTokenRequest } from '../protocol/token-request.js'

/** A clock that runs fast would come before its time, and be told to slow down for ever (some virtual machines' do, by a fifth). */
const driftMargin = 1.2
/** RFC 8628 section 3.5 and CIBA Core section 11, in milliseconds. */
const slowDown = 5_000
/** How much slower polling becomes, at most, while there is no answer. */
const mostBackOff = 8

/**
 * Polls until the user has decided (RFC 8628 section 3.4, 3.5, and CIBA Core section 10.1, 11): never faster than the server wants, slower while
 * there is no answer, and not beyond the life of the request. Rejects with `access_denied`, `timed_out` when that ended, the code of any other
 * refusal, what `prepareTokenRequest` rejects with, `id_token_invalid` and `token_response_invalid`; and with the signal's reason.
 *
 * @param grant its type, and the parameters that are its own
 * @param sending called in the turn in which each poll is sent
 */
export async function pollToken(
  client: Client,
  polling: Polling,
  grant: Pick<TokenRequest, 'grantType' | 'parameters'>,
  signal: AbortSignal | undefined,
  sending: () => void,
): Promise<TokenAnswer> {
  const { clock } = client
  let { interval } = polling
  let backOff = 1
  let atLeast = 0
  for (;;) {
    const left = polling.endsAt - clock.monotonic()
    await clock.wait(Math.min(Math.max(interval * driftMargin * backOff, atLeast), left), signal)
    if (clock.monotonic() >= polling.endsAt) throw expired()
    const outcome = await unlessAborted(poll(client, polling, grant, sending), signal)
    if (outcome.ok) return outcome.answer
    const { code, serverError } = outcome.error
    if (serverError === 'expired_token') throw expired(outcome.error)
    const answered = serverError !== undefined
    if (answered && serverError !== 'authorization_pending' && serverError !== 'slow_down') throw outcome.error
    if (!answered && !unanswered.has(code)) throw outcome.error
    if (serverError === 'slow_down') interval += slowDown
    backOff = answered ? 1 : Math.min(backOff * 2, mostBackOff)
    atLeast = outcome.retryAfter ?? 0
  }
}

/** Nobody can say what the server thinks: it is asked again, later. */
const unanswered: ReadonlySet<string> = new Set(['network', 'timed_out', 'server_unavailable'])

/** One poll, with a proof of the client of its own. */
async function poll(
  client: Client,
  polling: Polling,
  { grantType, parameters }: Pick<TokenRequest, 'grantType' | 'parameters'>,
  sending: () => void,
): Promise<TokenOutcome> {
  try {
    const prepared = await prepareTokenRequest(
      client,
      bare({
        grantType,
        // Of several resources the first: a token is for one (RFC 8707 section 2.2), and the others get theirs when they are called.
        parameters: bare({ ...parameters, resource: polling.resource.slice(0, 1) }),
        invalidGrant: 'authorization_failed',
        idToken: polling.scope.includes('openid') ? bare<IdTokenExpectation>({ after: 'sign_in' }) : undefined,
      }),
    )
    return await withinDeadline(client, (signal) => {
      sending()
      return prepared.send(signal)
    })
  } catch (error) {
    if (error instanceof OAuthError) return bare({ ok: false, error, surelyNotDone: false })
    throw error
  }
}

function expired(said?: OAuthError): OAuthError {
  return new OAuthError('timed_out', 'The user did not answer in time, and the request has expired. Sign in again, for a new one.', {
    serverError: said?.serverError,
    status: said?.status,
  })
}
