import * as oauth from 'oauth4webapi'
import type { ClientAuthentication } from '../core/client.js'
import { OAuthError } from '../core/errors.js'
import { bare } from '../core/secret.js'

/**
 * A public client: it says its `client_id` and proves nothing (RFC 6749 section 2.1).
 *
 * @example
 * const settings = { issuer, clientId, clientAuthentication: none() } satisfies ClientOptions
 */
export function none(): ClientAuthentication {
  return Object.freeze(bare<ClientAuthentication>({ method: 'none' }))
}

/** How the library authenticates such a client. Throws `invalid_configuration` for an object that was not made here. */
export function libraryAuthentication(authentication: ClientAuthentication): oauth.ClientAuth {
  // By its name, for it carries nothing: a session has its default without loading this room.
  if (Object.hasOwn(authentication, 'method') && authentication.method === 'none') return oauth.None()
  throw new OAuthError('invalid_configuration', 'clientAuthentication must be made by a function of valetkey, such as none().')
}
