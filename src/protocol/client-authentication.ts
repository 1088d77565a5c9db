import * as oauth from 'oauth4webapi'
import type { Client, ClientAuthentication } from '../core/client.js'
import { OAuthError } from '../core/errors.js'
import { bare } from '../core/secret.js'

/** Adds to a request what proves the client; called anew for each. Rejects with an OAuthError only. */
export type Authenticate = (client: Client) => oauth.ClientAuth

/** What proves each client: here, so that nothing of it is in the object that a program holds and may print. */
const authentications = new WeakMap<ClientAuthentication, Authenticate>()

/** A ClientAuthentication that shows its method and nothing else. */
export function authenticatedBy(method: string, authenticate: Authenticate): ClientAuthentication {
  const authentication = Object.freeze(bare<ClientAuthentication>({ method }))
  authentications.set(authentication, authenticate)
  return authentication
}

/**
 * A public client: it says its `client_id` and proves nothing (RFC 6749 section 2.1).
 *
 * @example
 * const settings = { issuer, clientId, clientAuthentication: none() } satisfies ClientOptions
 */
export function none(): ClientAuthentication {
  return authenticatedBy('none', () => oauth.None())
}

/**
 * Mutual TLS (RFC 8705): the certificate proves the client. `fetch` presents it; valetkey says the `client_id` and uses the server's
 * `mtls_endpoint_aliases` where it has them.
 *
 * @example
 * declare const fetchWithCertificate: typeof fetch // such as undici's, with Agent({ connect: { cert, key } })
 * const settings = { issuer, clientId, clientAuthentication: mutualTls(), fetch: fetchWithCertificate } satisfies ClientOptions
 */
export function mutualTls(): ClientAuthentication {
  return authenticatedBy(certificate, () => oauth.TlsClientAuth())
}

const certificate = 'tls_client_auth'

/** How the library authenticates this client. Throws `invalid_configuration` for an object that was not made here. */
export function libraryAuthentication(client: Client): oauth.ClientAuth {
  const authenticate = authentications.get(client.clientAuthentication)
  if (authenticate !== undefined) return authenticate(client)
  if (isPublic(client)) return oauth.None()
  throw new OAuthError('invalid_configuration', 'clientAuthentication must be made by a function of valetkey, such as none().')
}

/** By its name, for `none` carries nothing: a session has its default without loading this room. */
export function isPublic({ clientAuthentication }: Client): boolean {
  return Object.hasOwn(clientAuthentication, 'method') && clientAuthentication.method === 'none'
}

export function usesMutualTls({ clientAuthentication }: Client): boolean {
  return clientAuthentication.method === certificate
}
