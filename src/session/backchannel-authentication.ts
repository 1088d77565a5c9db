import { ownMembers, text, wrongOption } from '../core/option.js'
import type { DecoupledSignIn } from '../core/ports.js'
import { unionScope } from '../core/scope.js'
import { unlessAborted } from '../core/unless-aborted.js'
import { decoupled } from './decoupled.js'
import { askedBesides, polled } from './polled.js'

/**
 * Sign-in on the user's own device (OpenID Connect Client-Initiated Backchannel Authentication Core 1.0, with polling): the server asks there, and
 * `signIn({ loginHint })` says whom. `bindingMessage` is shown on that device and by the program, so that the user sees which request they allow.
 * `openid` is asked for by itself (section 7.1); `acrValues` and `authorizationDetails` go with it, and so do `authorizationParameters`, such as
 * `requested_expiry`. A server that lets polls wait for the user (section 7.4) needs a `deadlineSeconds` that is longer than it does.
 *
 * `signIn` resolves when the user has allowed it. It rejects with `invalid_configuration` without a `loginHint`, before any request; with
 * `not_supported` where the server has no such endpoint or no polling; with `access_denied`; with `timed_out` when the request expires; and with
 * `request_refused` where the server knows no such user (`unknown_user_id`).
 *
 * @throws OAuthError `invalid_configuration`, which names the option that is wrong
 *
 * @example
 * const session = userSession({
 *   issuer,
 *   clientId,
 *   clientAuthentication: clientSecretBasic(() => process.env['CLIENT_SECRET']!),
 *   userAgent: backchannelAuthentication({ bindingMessage: 'W4' }),
 * })
 * await session.signIn({ loginHint: 'ann@example.com' })
 */
export function backchannelAuthentication(options: { readonly bindingMessage?: string } = {}): DecoupledSignIn {
  const bindingMessage = text(ownMembers(options, ['bindingMessage'], 'backchannelAuthentication'), 'bindingMessage')
  return decoupled('ciba', async (parts) => {
    const { client } = parts
    const { loginHint, acrValues, signal } = parts.how
    if (loginHint === undefined) throw wrongOption('loginHint', 'is missing: say whom the server is to ask, as signIn({ loginHint }).')
    const scope = unionScope(['openid'], parts.scope)
    const { pollBackchannel, startBackchannel } = await import('../grants/ciba.js')
    const asked = { ...askedBesides(parts), scope, loginHint, acrValues, bindingMessage }
    const request = await unlessAborted(startBackchannel(client, asked), signal)
    await polled(parts, scope, (sending) => pollBackchannel(client, request, signal, sending))
  })
}
