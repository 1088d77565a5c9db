import type { Client } from '../core/client.js'
import type { Secret } from '../core/secret.js'
import { metadataOf } from './authorization-server.js'
import { withParameters } from './with-parameters.js'

/**
 * Where the user's session at the authorization server is ended (OpenID Connect RP-Initiated Logout 1.0 section 2); `undefined` when
 * the server has no such place. The ID token is a hint there; no other token is ever in it. Rejects with what `metadataOf` does.
 */
export async function endSessionUrl(
  client: Client,
  options: { readonly idToken?: Secret | undefined; readonly returnTo?: string | undefined; readonly state?: string | undefined },
): Promise<URL | undefined> {
  const server = await metadataOf(client)
  if (server.end_session_endpoint === undefined) return undefined
  const parameters = new URLSearchParams()
  if (options.idToken !== undefined) parameters.set('id_token_hint', options.idToken.reveal())
  parameters.set('client_id', client.clientId)
  if (options.returnTo !== undefined) parameters.set('post_logout_redirect_uri', options.returnTo)
  if (options.state !== undefined) parameters.set('state', options.state)
  return withParameters(server.end_session_endpoint, parameters)
}
