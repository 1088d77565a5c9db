import type { DevicePrompt } from '../core/device-prompt.js'
import { OAuthError } from '../core/errors.js'
import type { DecoupledSignIn } from '../core/ports.js'
import { unlessAborted } from '../core/unless-aborted.js'
import { decoupled } from './decoupled.js'
import { askedBesides, polled } from './polled.js'

/**
 * The device authorization grant (RFC 8628) as the way to sign in: `show` presents the code and the address, and the user does the rest on
 * another device. `signIn` then resolves when the user has allowed it, and rejects with `access_denied`, or with `timed_out` when the code expires.
 * In a page nothing is left for it, and a page that is closed meanwhile has asked in vain.
 *
 * @throws OAuthError `invalid_configuration` where `show` is no function
 *
 * @example
 * const userAgent = deviceAuthorization(({ userCode, verificationUri }) => process.stderr.write(`Open ${verificationUri} and type ${userCode}\n`))
 */
export function deviceAuthorization(show: (prompt: DevicePrompt) => void): DecoupledSignIn {
  if (typeof show !== 'function')
    throw new OAuthError('invalid_configuration', '`show` must be a function that shows the user code and the address.')
  return decoupled('device_code', async (parts) => {
    const { client, scope } = parts
    const { signal } = parts.how
    const { pollDevice, startDevice } = await import('../grants/device-code.js')
    const device = await unlessAborted(startDevice(client, { ...askedBesides(parts), scope }), signal)
    show(device.prompt)
    await polled(parts, scope, (sending) => pollDevice(client, device, signal, sending))
  })
}
