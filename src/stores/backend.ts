import { OAuthError } from '../core/errors.js'
import type { Clock } from '../core/ports.js'

/** The server that a store's data lies in, behind a client of the program. */
export interface Backend {
  /** What it is called in a message. */
  readonly name: string
  /**
   * Why its client failed, in words that can carry no value of a row: another library's error stays inside.
   * `undefined` where nothing can be said.
   */
  readonly reason: (error: unknown) => string | undefined
}

/** Its answer takes milliseconds. A client that has lost its connection may wait for it for ever; its callers may not. */
const deadline = 5_000

/**
 * One operation. It rejects with `store_unavailable` where it fails or takes longer than 5 seconds: then it may have happened, or happen later.
 * Neither opens the client nor closes it nor asks a second time.
 */
export async function answerOf<T>(backend: Backend, clock: Clock, ask: () => PromiseLike<T>): Promise<T> {
  const finished = new AbortController()
  const late = clock.wait(deadline, finished.signal).then(() => {
    throw unavailable(backend, 'it did not answer in time')
  })
  late.catch(() => {})
  try {
    return await Promise.race([late, ask()])
  } catch (error) {
    throw error instanceof OAuthError ? error : unavailable(backend, backend.reason(error) ?? 'its client failed')
  } finally {
    finished.abort()
  }
}

/** What its client answered is nothing that the command answers. */
export function unexpectedAnswer(backend: Backend): OAuthError {
  return unavailable(
    backend,
    'its client did not answer as that of a plain connection does (in a pipeline or transaction nothing can be read)',
  )
}

function unavailable({ name }: Backend, what: string): OAuthError {
  return new OAuthError(
    'store_unavailable',
    `${name} could not be used: ${what}. What was to be written may have been written. Look whether it runs and the client is connected, and try again.`,
  )
}

/** The code of an error, such as ECONNREFUSED or 42P01: one word out of a closed list of the system's or the server's, never a value. */
export function codeOf(error: unknown): string | undefined {
  const code: unknown = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
  return typeof code === 'string' && /^[A-Z\d_]{2,40}$/.test(code) ? code : undefined
}

/** Whether these are methods of it: clients are told apart by what they have, and what postgres() returns is a function. */
export function hasMethods(client: unknown, ...names: readonly string[]): boolean {
  if ((typeof client !== 'object' && typeof client !== 'function') || client === null) return false
  return names.every((name) => typeof (client as Readonly<Record<string, unknown>>)[name] === 'function')
}
