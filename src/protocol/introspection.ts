import * as oauth from 'oauth4webapi'
import type { Client } from '../core/client.js'
import { OAuthError } from '../core/errors.js'
import { metadataOf } from './authorization-server.js'
import { libraryAuthentication } from './client-authentication.js'
import { exchange, withinDeadline } from './exchange.js'
import type { JsonObject } from './json.js'
import { captured, endpointOf, libraryClient } from './library.js'

/**
 * What the authorization server says of an access token (RFC 7662); `undefined` for one that is not active.
 * Rejects with `not_supported` where it has no introspection endpoint, `client_refused` where it does not let this client ask, and
 * `server_unavailable`, `network`, `timed_out` or `discovery_failed` where it cannot be asked.
 */
export async function introspect(client: Client, token: string): Promise<JsonObject | undefined> {
  const server = await metadataOf(client)
  const found = endpointOf(client, server, 'introspection_endpoint')
  if (found === undefined)
    throw new OAuthError(
      'not_supported',
      `${client.server.issuer} has no introspection endpoint. Have it issue JWT access tokens (RFC 9068).`,
    )
  const authentication = libraryAuthentication(client)
  const wire = await captured(found.endpoint, (options) => {
    const additionalParameters = new URLSearchParams([['token_type_hint', 'access_token']])
    return oauth.introspectionRequest(
      found.server,
      libraryClient(client),
      authentication,
      token,
      Object.assign(options, { additionalParameters }),
    )
  })
  const answer = await withinDeadline(client, (signal) => exchange(client, wire, signal))
  const { status, mediaType, body } = answer
  if (status === 200 && mediaType === 'application/json' && typeof body?.['active'] === 'boolean') return body['active'] ? body : undefined
  // What is no token that this endpoint knows of is not active either.
  if (status === 400 && body?.['error'] !== 'invalid_client') return undefined
  if (status === 400 || status === 401 || status === 403) {
    throw new OAuthError(
      'client_refused',
      `${client.server.issuer} does not let this resource server ask about tokens. Check the client identifier and the client authentication of \`introspection\`.`,
      { status },
    )
  }
  throw new OAuthError('server_unavailable', `${client.server.issuer} did not say whether the token is active. Try again later.`, {
    status: status === 0 ? undefined : status,
  })
}
