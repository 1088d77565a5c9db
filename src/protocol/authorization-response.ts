import * as oauth from 'oauth4webapi'
import type { Client } from '../core/client.js'
import { OAuthError } from '../core/errors.js'
import type { PendingRequest } from '../core/pending-request.js'
import { Secret } from '../core/secret.js'
import { type ServerMetadata, libraryClient } from './library.js'
import { interactionErrors, registeredError } from './registered-errors.js'

/** Characters. Codes of some kilobytes exist; an address that is longer than any server takes is an attack on who parses it. */
const longestResponse = 64 * 1024

/**
 * The code of an authorization response (RFC 6749 section 4.1.2), after `iss` (RFC 9207) and `state` have been found to be those of
 * the pending request: first of these, so that an error is nobody's until it is known to come from this server.
 * Of a signed response (JARM) that is so once its signature, `iss`, `aud` and `exp` have been found right.
 * Rejects with `authorization_response_invalid`, with `server_unavailable` and its kin where keys cannot be had; for an error with `access_denied`,
 * `interaction_required` or `authorization_failed`.
 * What the address says is repeated in none of them.
 */
export async function authorizationCode(client: Client, server: ServerMetadata, pending: PendingRequest, response: URL): Promise<Secret> {
  if (response.href.length > longestResponse) throw invalid('is too long')
  const address = response.searchParams
  for (const name of ['response', 'iss', 'state', 'code', 'error', 'error_description', 'error_uri']) {
    if (address.getAll(name).length > 1) throw invalid(`has more than one ${name}`)
  }
  const signing = pending.signedResponse === true ? await import('./message-signing.js') : undefined
  const parameters = (await signing?.signedResponse(client, server, address))?.parameters ?? address
  // RFC 10017 section 7.2: nothing is accepted that comes this way but a code.
  if (['access_token', 'id_token', 'token'].some((name) => parameters.has(name) || address.has(name))) throw invalid('carries a token')
  const code = checked(client, server, pending, parameters).get('code') ?? ''
  if (!/^[\x20-\x7E]+$/.test(code)) throw invalid('has no code')
  return Secret.of(code)
}

function checked(client: Client, server: ServerMetadata, pending: PendingRequest, parameters: URLSearchParams): URLSearchParams {
  try {
    return oauth.validateAuthResponse(server, libraryClient(client), parameters, pending.state.reveal())
  } catch (error) {
    // Only this one comes after `iss` and `state` were found right. It holds the whole response, so it goes no further.
    if (error instanceof oauth.AuthorizationResponseError) throw refusal(error.error)
    throw invalid('is not the answer to this request: its state or issuer is another')
  }
}

function refusal(error: string): OAuthError {
  const serverError = registeredError(error)
  if (serverError === 'access_denied')
    return new OAuthError('access_denied', 'Access was denied, by the user or by the server.', { serverError })
  if (serverError !== undefined && interactionErrors.has(serverError)) {
    return new OAuthError('interaction_required', 'The authorization server must ask the user first. Sign in again without prompt: none.', {
      serverError,
    })
  }
  return new OAuthError(
    'authorization_failed',
    `The authorization server refused the request: ${serverError ?? 'an error that is not registered'}. Check the client against what is registered there, or try again.`,
    { serverError },
  )
}

function invalid(what: string): OAuthError {
  return new OAuthError('authorization_response_invalid', `The authorization response ${what}. Nothing was sent; sign in again.`)
}
