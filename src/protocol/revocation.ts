import * as oauth from 'oauth4webapi'
import type { Client } from '../core/client.js'
import type { Secret } from '../core/secret.js'
import { metadataOf } from './authorization-server.js'
import { libraryAuthentication } from './client-authentication.js'
import { exchange, withinDeadline } from './exchange.js'
import { captured, endpointOf, libraryClient } from './library.js'

/**
 * Revokes a token (RFC 7009). `revoked` is what the server confirmed, also of a token it does not know; `not_supported`, that it has
 * no revocation endpoint or revokes no such token; `failed`, that the token may live on. Never rejects.
 */
export async function revoke(
  client: Client,
  token: Secret,
  hint: 'refresh_token' | 'access_token',
): Promise<'revoked' | 'not_supported' | 'failed'> {
  try {
    const server = await metadataOf(client)
    const found = endpointOf(client, server, 'revocation_endpoint')
    if (found === undefined) return 'not_supported'
    const authentication = libraryAuthentication(client)
    const wire = await captured(found.endpoint, (options) => {
      const additionalParameters = new URLSearchParams([['token_type_hint', hint]])
      return oauth.revocationRequest(
        found.server,
        libraryClient(client),
        authentication,
        token.reveal(),
        Object.assign(options, { additionalParameters }),
      )
    })
    const answer = await withinDeadline(client, (signal) => exchange(client, wire, signal))
    if (answer.status === 200) return 'revoked'
    return answer.body?.['error'] === 'unsupported_token_type' ? 'not_supported' : 'failed'
  } catch {
    return 'failed'
  }
}
