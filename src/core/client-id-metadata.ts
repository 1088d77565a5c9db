import { parseAddress, parseUrl } from './address.js'
import { isObject, isText, wrongOption } from './option.js'
import { bare } from './secret.js'

/**
 * Checks and completes the document that a client id URL serves (OAuth Client ID Metadata Document, draft-ietf-oauth-client-id-metadata-document): the
 * client identifier is the https URL at which the document is, so that no registration is needed where the server says
 * `client_id_metadata_document_supported`. Serve the result there as JSON, and give the same URL as `clientId`.
 *
 * @throws OAuthError `invalid_configuration`, which names what is wrong
 *
 * @param metadata in the words of RFC 7591: `redirect_uris` must be there; there are no secrets, so `token_endpoint_auth_method` is `none` or `private_key_jwt`
 *
 * @example
 * const document = clientIdMetadata('https://notes.example/client.json', { client_name: 'Notes', redirect_uris: ['https://notes.example/callback'] })
 */
export function clientIdMetadata(clientId: string, metadata: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  checkClientId(clientId)
  if (!isObject(metadata) || Array.isArray(metadata))
    throw wrongOption('metadata', 'must be an object with the metadata of the client (RFC 7591 section 2).')
  const own = bare({ ...metadata })
  // Whoever reads it compares the two as they are written.
  if (own['client_id'] !== undefined && own['client_id'] !== clientId)
    throw wrongOption('metadata.client_id', 'must be the URL of the document itself, or be left out.')
  for (const name of Object.keys(own))
    if (name.startsWith('client_secret')) throw wrongOption(`metadata.${name}`, 'has no place in a document that everybody can read.')
  const { redirect_uris: redirectUris, token_endpoint_auth_method: method = 'none' } = own
  if (
    !Array.isArray(redirectUris) ||
    redirectUris.length === 0 ||
    !redirectUris.every((uri) => isText(uri) && parseUrl(uri) !== undefined && !uri.includes('#'))
  )
    throw wrongOption('metadata.redirect_uris', 'must be a list of absolute URIs without fragments, one at least.')
  if (!isText(method) || method.startsWith('client_secret'))
    throw wrongOption(
      'metadata.token_endpoint_auth_method',
      'must not be one with a secret: there is nobody who could have given it. Use none or private_key_jwt.',
    )
  if (method === 'private_key_jwt' && own['jwks'] === undefined && own['jwks_uri'] === undefined)
    throw wrongOption('metadata.jwks_uri', 'is missing: whoever checks private_key_jwt needs the public key, in `jwks` or at `jwks_uri`.')
  return Object.freeze(
    bare({
      client_id: clientId,
      grant_types: Object.freeze(['authorization_code', 'refresh_token']),
      response_types: Object.freeze(['code']),
      ...own,
      token_endpoint_auth_method: method,
    }),
  )
}

/** Section 3 of the draft. Dot segments are looked for as they are written, for a URL parser takes them away. */
function checkClientId(clientId: unknown): void {
  const url = parseAddress(clientId)
  if (url === undefined || url.protocol !== 'https:')
    throw wrongOption('clientId', 'must be an https URL, plainly written, without user and password.')
  if (url.pathname === '/') throw wrongOption('clientId', 'must have a path, such as /client.json.')
  const written = clientId as string
  if (/[?#]/.test(written)) throw wrongOption('clientId', 'must have no query and no fragment.')
  if (/\/(?:\.|%2e){1,2}(?:\/|$)/i.test(written)) throw wrongOption('clientId', 'must have no dot segments in its path.')
}
