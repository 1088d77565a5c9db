import * as oauth from 'oauth4webapi'
import type { Client } from '../core/client.js'
import { OAuthError } from '../core/errors.js'
import { libraryAuthentication } from './client-authentication.js'
import { type Answer, type WireRequest, withinDeadline } from './exchange.js'
import { type ServerMetadata, captured, endpointOf, libraryClient } from './library.js'
import { refusalOf } from './token-error.js'
import { readyRequest } from './token-request.js'

/**
 * Pushes an authorization request (RFC 9126 section 2.1), authenticated as a token request is, and proven where the client's tokens are bound (RFC 9449
 * section 10.1). Resolves with the `request_uri`, which serves once.
 * Rejects with what `prepareTokenRequest` does, with `not_supported` where the server has no such endpoint, with the code of a refusal
 * (`client_refused`, `scope_refused`, `request_refused`, …), and with `authorization_response_invalid` where the answer cannot be used.
 */
export async function pushed(
  client: Client,
  server: ServerMetadata,
  request: URLSearchParams,
  boundTo: string | undefined,
): Promise<string> {
  const authentication = libraryAuthentication(client)
  const found = endpointOf(client, server, 'pushed_authorization_request_endpoint')
  if (found === undefined) {
    throw new OAuthError(
      'not_supported',
      `${server.issuer} has no endpoint for pushed authorization requests. Give it as authorizationServer or additionalMetadata, or leave pushedAuthorizationRequests out.`,
    )
  }
  const make = (): Promise<WireRequest> =>
    captured(found.endpoint, (options) =>
      oauth.pushedAuthorizationRequest(found.server, libraryClient(client), authentication, request, options),
    )
  const ready = await readyRequest(client, server, make, boundTo)
  const { answer, unprovable } = await withinDeadline(client, (signal) => ready.send(signal))
  if (unprovable !== undefined) throw unprovable
  if (answer.status >= 400 || answer.status === 0)
    throw refusalOf(answer, 'authorization_failed', 'The pushed authorization request endpoint').error
  return requestUriIn(answer)
}

/** RFC 9126 section 2.2: 201, with the URI and how long it lives. */
function requestUriIn({ status, mediaType, body }: Answer): string {
  const uri = body?.['request_uri']
  if (status !== 201 || mediaType !== 'application/json') throw invalid('is no 201 with a JSON object')
  if (typeof uri !== 'string' || !/^[\x21-\x7E]+$/.test(uri)) throw invalid('has no request_uri')
  if (!(Number(body?.['expires_in']) > 0)) throw invalid('does not say how long its request_uri lives (expires_in)')
  return uri
}

function invalid(what: string): OAuthError {
  return new OAuthError(
    'authorization_response_invalid',
    `The answer to the pushed authorization request ${what}. Nobody was sent anywhere. Ask who runs the authorization server.`,
  )
}
