import type { Client } from '../core/client.js'
import { OAuthError } from '../core/errors.js'
import type { TokenOutcome } from '../core/exchange.js'
import { bare } from '../core/secret.js'
import type { TokenAnswer } from '../core/token-record.js'
import { unlessAborted } from '../core/unless-aborted.js'
import { type DeviceAuthorization, deviceAuthorization } from '../protocol/device-authorization.js'
import { withinDeadline } from '../protocol/exchange.js'
import type { IdTokenExpectation } from '../protocol/id-token.js'
import { prepareTokenRequest } from '../protocol/token-request.js'

export type { DeviceAuthorization }

/** A clock that runs fast would come before its time, and be told to slow down for ever (some virtual machines' do, by a fifth). */
const driftMargin = 1.2
/** RFC 8628 section 3.5, in milliseconds. */
const slowDown = 5_000
/** How much slower polling becomes, at most, while there is no answer. */
const mostBackOff = 8

/**
 * Begins a sign-in on another device (RFC 8628): what the user is to be shown, and the code to poll with.
 * Rejects with what `metadataOf` does, `invalid_configuration`, `not_supported`, the code of a refusal (`client_refused`, `scope_refused`, …),
 * and `authorization_response_invalid` where what came cannot be used or shown.
 */
export async function startDevice(
  client: Client,
  request: { readonly scope: readonly string[]; readonly resource?: readonly string[] },
): Promise<DeviceAuthorization> {
  // Own members only: what a polluted `Object.prototype` says was not asked for.
  const { scope, resource = client.resource } = bare({ ...request })
  return deviceAuthorization(client, bare({ scope, resource }))
}

/**
 * Polls until the user has decided (RFC 8628 section 3.4, 3.5): never faster than the server wants, slower while there is no answer, and
 * not beyond the life of the code. Rejects with `access_denied`, `timed_out` when the code ended, the code of any other refusal, what
 * `prepareTokenRequest` rejects with, `id_token_invalid` and `token_response_invalid`; and with the signal's reason.
 *
 * @param sending called in the turn in which each poll is sent: an answer's lifetime counts from the last one
 */
export async function pollDevice(
  client: Client,
  device: DeviceAuthorization,
  signal?: AbortSignal,
  sending: () => void = () => {},
): Promise<TokenAnswer> {
  const { clock } = client
  let { interval } = device
  let backOff = 1
  let atLeast = 0
  for (;;) {
    const left = device.endsAt - clock.monotonic()
    await clock.wait(Math.min(Math.max(interval * driftMargin * backOff, atLeast), left), signal)
    if (clock.monotonic() >= device.endsAt) throw expired()
    const outcome = await unlessAborted(poll(client, device, sending), signal)
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
async function poll(client: Client, device: DeviceAuthorization, sending: () => void): Promise<TokenOutcome> {
  try {
    const prepared = await prepareTokenRequest(
      client,
      bare({
        grantType: 'urn:ietf:params:oauth:grant-type:device_code',
        // Of several resources the first: a token is for one (RFC 8707 section 2.2), and the others get theirs when they are called.
        parameters: bare({ device_code: device.deviceCode, resource: device.resource.slice(0, 1) }),
        invalidGrant: 'authorization_failed',
        idToken: device.scope.includes('openid') ? bare<IdTokenExpectation>({ after: 'sign_in' }) : undefined,
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
  return new OAuthError('timed_out', 'The user did not answer before the code expired. Sign in again, for a new code.', {
    serverError: said?.serverError,
    status: said?.status,
  })
}
