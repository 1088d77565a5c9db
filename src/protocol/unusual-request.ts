import type { Client } from '../core/client.js'
import { OAuthError } from '../core/errors.js'
import type { ServerMetadata } from './library.js'
import { signerOf } from './message-signing.js'
import { pushed } from './pushed-request.js'
import { withParameters } from './with-parameters.js'

// Loaded by those alone whose requests are pushed or signed, or whose responses are.

export { responseModeOf } from './message-signing.js'

/**
 * Where the user is sent with an authorization request: its parameters in the address as they are, in a JWT (RFC 9101), or pushed to the server
 * before, so that the address only names them (RFC 9126).
 * Rejects with `not_supported` and `invalid_configuration` where client and server do not agree on that, and with what `pushed` rejects with.
 *
 * @param boundTo the key that the code is to be bound to
 */
export async function requestUrl(
  client: Client,
  server: ServerMetadata,
  endpoint: string,
  parameters: URLSearchParams,
  boundTo: string | undefined,
): Promise<URL> {
  const isPushed = pushes(client, server)
  const sign = signerOf(client, server)
  const inPlaceOfThem = (name: string, value: string) => new URLSearchParams([['client_id', client.clientId], [name, value]]) // prettier-ignore
  const request = sign === undefined ? parameters : inPlaceOfThem('request', await sign(client, server, parameters))
  if (!isPushed) return withParameters(endpoint, request)
  return withParameters(endpoint, inPlaceOfThem('request_uri', await pushed(client, server, request, boundTo)))
}

/** RFC 9126 section 5: where the server takes no others, a request that is not pushed would only be refused there, in front of the user. */
function pushes({ pushedAuthorizationRequests: asked }: Client, server: ServerMetadata): boolean {
  const isRequired = server.require_pushed_authorization_requests === true
  if (isRequired && asked === false) {
    throw new OAuthError(
      'invalid_configuration',
      `pushedAuthorizationRequests is false, and ${server.issuer} takes no other authorization requests. Leave it out.`,
    )
  }
  return asked ?? isRequired
}
