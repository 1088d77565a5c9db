import type { Client } from '../core/client.js'
import type { DevicePrompt } from '../core/device-prompt.js'
import { OAuthError } from '../core/errors.js'
import { isObject } from '../core/option.js'
import type { Instant } from '../core/lifetime.js'
import type { DecoupledSignIn } from '../core/ports.js'
import { unlessAborted } from '../core/unless-aborted.js'
import type { TokenEngine } from '../token-source.js'
import { adoptAnswer } from './adopt-answer.js'

/** A sign-in that comes with its user agent, so that who never signs in in this way carries nothing of it. */
type Flow = (of: {
  readonly client: Client
  readonly engine: TokenEngine
  readonly scope: readonly string[]
  readonly signal: AbortSignal | undefined
}) => Promise<void>

const flows = new WeakMap<DecoupledSignIn, Flow>()

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
  flows.set(made, async ({ client, engine, scope, signal }) => {
    const { pollDevice, startDevice } = await import('../grants/device-code.js')
    const device = await unlessAborted(startDevice(client, { scope }), signal)
    show(device.prompt)
    const now = (): Instant => ({ monotonic: client.clock.monotonic(), wall: client.clock.now() })
    let started = now()
    const answer = await pollDevice(client, device, signal, () => {
      started = now()
    })
    await adoptAnswer(client, engine, answer, { scope, started })
  })
  return made
}

/** The flow of a user agent that is one; `undefined` for every other. */
export function flowOf(userAgent: unknown): Flow | undefined {
  return isObject(userAgent) ? flows.get(userAgent as unknown as DecoupledSignIn) : undefined
}

export function isDecoupled(userAgent: unknown): userAgent is DecoupledSignIn {
  return flowOf(userAgent) !== undefined
}
