import type { Client } from '../../src/core/client.js'
import type { PendingRequest } from '../../src/core/pending-request.js'
import type { TokenAnswer } from '../../src/core/token-record.js'
import { type AuthorizationRequest, finishAuthorization, startAuthorization } from '../../src/grants/authorization-code.js'
import { marker } from './marker.js'

export const code = `code-${marker}`
export const redirectUri = 'https://app.example/cb'

export async function started(client: Client, more: Partial<AuthorizationRequest> = {}): Promise<PendingRequest> {
  return (await startAuthorization(client, { owner: 'key', redirectUri, scope: ['notes:read'], ...more })).pending
}

/** The response that a server gives to this request; `undefined` leaves a parameter out. */
export function responseTo(pending: PendingRequest, change: Readonly<Record<string, string | undefined>> = {}): URL {
  const url = new URL(pending.redirectUri)
  for (const [name, value] of Object.entries({ code, state: pending.state.reveal(), ...change })) {
    if (value !== undefined) url.searchParams.set(name, value)
  }
  return url
}

/** A whole sign-in, from the request to the tokens. */
export async function signIn(client: Client, more: Partial<AuthorizationRequest> = {}): Promise<TokenAnswer> {
  const pending = await started(client, more)
  return finishAuthorization(client, pending, responseTo(pending))
}

export async function failure(promise: Promise<unknown>): Promise<Error & Record<string, unknown>> {
  return promise.then(
    () => {
      throw new Error('it was accepted')
    },
    (error: unknown) => error as Error & Record<string, unknown>,
  )
}
