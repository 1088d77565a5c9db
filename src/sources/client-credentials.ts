import type { ClientOptions } from '../core/client.js'
import { clientOptions, readClient, readLock, readStore } from '../core/client-options.js'
import { ownMembers, wrongOption } from '../core/option.js'
import type { TokenSource } from '../core/tokens.js'
import { memoryStore } from '../stores/memory.js'
import { systemClock } from '../system-clock.js'
import { ownRightSource } from './own-right.js'

/**
 * Client credentials (RFC 6749 section 4.4): tokens of the application itself. It needs a client authentication, for a public client has
 * nothing to show. One token per issuer, client, scope, resource, audience and further parameters, shared by all who share the store, and
 * renewed once for all of them. No refresh token is kept, even if one comes.
 *
 * `token()` rejects with `client_refused`, `scope_refused`, `resource_refused`, `request_refused`, `scope_not_granted`, or, until `retryAt`, with what made it
 * wait (`server_unavailable`, `network`, `timed_out`, …). While the store cannot be reached each process has a token of its own, and an event says so.
 *
 * @throws OAuthError `invalid_configuration`, which names the option that is wrong, before any request
 *
 * @example
 * const source = clientCredentials({
 *   issuer: 'https://auth.example.com',
 *   clientId: 'nightly',
 *   clientAuthentication: clientSecretBasic(() => process.env['CLIENT_SECRET']!),
 *   scope: ['reports:write'],
 * })
 * const api = oauthFetch(source, { resources: ['https://api.example.com/'] })
 */
export function clientCredentials(options: ClientOptions): TokenSource {
  const client = readClient(options, clientOptions, { clock: systemClock }, 'clientCredentials')
  if (client.clientAuthentication.method === 'none') {
    throw wrongOption(
      'clientAuthentication',
      'is missing: client credentials are for clients that can show who they are (RFC 6749 section 4.4).',
    )
  }
  const members = ownMembers(options, clientOptions, 'clientCredentials')
  return ownRightSource({
    client,
    grantType: 'client_credentials',
    about: async () => [],
    store: readStore(members) ?? memoryStore(),
    lock: readLock(members),
    prepare: async (bound) => (await import('../grants/client-credentials.js')).prepareClientCredentials(bound),
  })
}
