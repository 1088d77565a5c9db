import type { Client } from '../core/client.js'
import { OAuthError } from '../core/errors.js'
import { isText } from '../core/option.js'
import { Secret } from '../core/secret.js'
import { withinDeadline } from './exchange.js'

/** Asks for what the program gave. Rejects with an OAuthError in which nothing of it is. */
export type Ask<T> = (client: Pick<Client, 'clock' | 'deadline'>) => Promise<T>

/**
 * A secret, a key or an assertion as a program gives it: a value is checked now; a function is called at each asking, under the client's
 * deadline, and its value is checked then. An asking rejects with what `check` throws, `timed_out`, and `client_refused` where the function
 * throws; an OAuthError of the function's own is passed on.
 *
 * @param name what it is, for the message: `the client secret`
 */
export function given<T>(value: unknown, name: string, check: (value: unknown, name: string) => T): Ask<T> {
  if (typeof value === 'function') return async (client) => check(await called(client, value as () => unknown, name), name)
  const checked = check(value, name)
  return async () => checked
}

async function called(client: Pick<Client, 'clock' | 'deadline'>, ask: () => unknown, name: string): Promise<unknown> {
  try {
    return await withinDeadline(client, async () => ask(), `The function that gives ${name}`)
  } catch (error) {
    if (error instanceof OAuthError) throw error
    throw new OAuthError(
      'client_refused',
      `The function that gives ${name} failed, and nothing was sent. What it threw is not repeated, for it may hold a secret: catch and log it there.`,
    )
  }
}

/** A client secret: any text but an empty one. RFC 6749 appendix A.2 allows no control characters. */
export function secretText(value: unknown, name: string): Secret {
  if (!isText(value))
    throw wrong(name, 'must be a string that is not empty. Check where it comes from: an environment variable may not be set.')
  // Under `u` this finds control characters, and surrogates that are half of nothing.
  if (/[\p{Cc}\p{Cs}]/u.test(value)) throw wrong(name, 'has a line break or another control character. Trim what was read from a file.')
  return Secret.of(value)
}

/** An assertion or a token: visible characters (a JWT, or what else a header can carry). */
export function assertionText(value: unknown, name: string): Secret {
  if (!isText(value)) throw wrong(name, 'must be a string that is not empty. Check where it is read from.')
  if (!/^[\x21-\x7E]+$/.test(value)) throw wrong(name, 'must be of visible ASCII characters. Trim what was read from a file.')
  return Secret.of(value)
}

function wrong(name: string, problem: string): OAuthError {
  return new OAuthError('invalid_configuration', `${name.charAt(0).toUpperCase()}${name.slice(1)} ${problem}`)
}
