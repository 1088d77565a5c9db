import type { Client } from '../core/client.js'
import type { Assertion } from '../core/credentials.js'
import { OAuthError } from '../core/errors.js'
import { type Members, isObject, isText, wrongOption } from '../core/option.js'

const known = new WeakMap<() => unknown, () => Promise<readonly string[]>>()

/** Says for whom the assertions of this function speak, where that is known without one. */
export function speaking<F extends () => Promise<string>>(assertion: F, whom: () => Promise<readonly string[]>): F {
  known.set(assertion, whom)
  return assertion
}

/**
 * For whom an assertion speaks, so that the tokens of one are never found by another: `iss` and `sub` of a JWT, else its whole text. It goes into a
 * digest. The function is asked once; a program that is to speak for several has a source for each.
 */
export async function speaksFor(assertion: Assertion, client: Pick<Client, 'clock' | 'deadline'>): Promise<readonly string[]> {
  const whom = typeof assertion === 'function' ? known.get(assertion) : undefined
  if (whom !== undefined) return whom()
  const text = typeof assertion === 'function' ? await asked(assertion, client) : assertion
  if (!isText(text)) {
    throw new OAuthError(
      'invalid_configuration',
      'The function that gives the assertion must answer with a string that is not empty. Check where it is read from.',
    )
  }
  const [, payload = ''] = text.split('.')
  const claims = decoded(payload)
  const says = isObject(claims) && isText(claims['iss']) && isText(claims['sub'])
  return says ? ['jwt', String(claims['iss']), String(claims['sub'])] : ['text', text]
}

/** The option with an assertion, by its shape. */
export function readAssertion(members: Members, name: string): Assertion {
  const value = members[name]
  if (isText(value) || typeof value === 'function') return value as Assertion
  throw wrongOption(name, 'must be a string that is not empty, or a function that reads one.')
}

/** Whatever it answers: nobody has looked at it yet. */
async function asked(assertion: () => unknown, { clock, deadline }: Pick<Client, 'clock' | 'deadline'>): Promise<unknown> {
  const answered = new AbortController()
  const tooLate = clock.wait(deadline, answered.signal).then(() => {
    throw new OAuthError('timed_out', 'The function that gives the assertion did not answer in time, and nothing was sent.')
  })
  try {
    return await Promise.race([(async () => assertion())(), tooLate])
  } catch (error) {
    if (error instanceof OAuthError) throw error
    throw new OAuthError(
      'client_refused',
      'The function that gives the assertion failed, and nothing was sent. Catch and log what it threw there.',
    )
  } finally {
    answered.abort()
  }
}

function decoded(payload: string): unknown {
  try {
    const bytes = Uint8Array.from(atob(payload.replaceAll('-', '+').replaceAll('_', '/')), (character) => character.charCodeAt(0))
    return JSON.parse(new TextDecoder().decode(bytes))
  } catch {
    return undefined
  }
}
