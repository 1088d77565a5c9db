import type { DevicePrompt } from '../core/device-prompt.js'
import { OAuthError } from '../core/errors.js'
import { isObject } from '../core/option.js'
import type { DecoupledSignIn } from '../core/ports.js'

const shows = new WeakMap<DecoupledSignIn, (prompt: DevicePrompt) => void>()

/**
 * The device authorization grant (RFC 8628) as the way to sign in: `show` presents the code and the address, and the user does the rest on
 * another device. `signIn` then resolves when the user has allowed it, and rejects with `access_denied`, or with `timed_out` when the code expires.
 *
 * @throws OAuthError `invalid_configuration` where `show` is no function
 *
 * @example
 * const userAgent = deviceAuthorization(({ userCode, verificationUri }) => process.stderr.write(`Open ${verificationUri} and type ${userCode}\n`))
 */
export function deviceAuthorization(show: (prompt: DevicePrompt) => void): DecoupledSignIn {
  if (typeof show !== 'function')
    throw new OAuthError('invalid_configuration', '`show` must be a function that shows the user code and the address.')
  const made: DecoupledSignIn = Object.freeze({ grant: 'device_code' })
  shows.set(made, show)
  return made
}

export function isDecoupled(userAgent: unknown): userAgent is DecoupledSignIn {
  return isObject(userAgent) && shows.has(userAgent as unknown as DecoupledSignIn)
}

export function showOf(userAgent: DecoupledSignIn): (prompt: DevicePrompt) => void {
  return shows.get(userAgent) ?? (() => {})
}
