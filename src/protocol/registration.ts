import { parseUrl } from '../core/address.js'
import type { AuthorizationServer, Client, ClientAuthentication } from '../core/client.js'
import { clientIdMetadata } from '../core/client-id-metadata.js'
import { clientOptions, readClient } from '../core/client-options.js'
import { OAuthError } from '../core/errors.js'
import { type Members, isObject, isText, ownMembers, wrongOption } from '../core/option.js'
import { bare, present } from '../core/secret.js'
import { systemClock } from '../system-clock.js'
import { metadataOf } from './authorization-server.js'
import { mutualTls, none } from './client-authentication.js'
import { clientSecretBasic, clientSecretJwt, clientSecretPost } from './client-secret.js'
import { type Answer, exchange, withinDeadline } from './exchange.js'
import type { JsonObject } from './json.js'
import { refusalOf } from './token-error.js'

/** A client as the server knows it from now on. */
export interface RegisteredClient {
  readonly clientId: string
  readonly clientAuthentication: ClientAuthentication
  /** Present where the server takes no other authorization requests of this client. */
  readonly pushedAuthorizationRequests?: true
}

const server = ['issuer', 'discoveryUrl', 'additionalMetadata', 'authorizationServer'] as const

/**
 * Registers a client at the authorization server (RFC 7591) and resolves with what the server calls it and how it authenticates. What `metadata` leaves
 * out is completed for a public client that uses the authorization code grant: `token_endpoint_auth_method` `none`, `grant_types`, `response_types`, and
 * `application_type` by its redirect URIs (loopback or a scheme of its own: `native`; else `web`). Keep the result: each call is another client.
 *
 * What the server says of pushed authorization requests for this client (RFC 9126 section 6) is in the result too, as the option of a session.
 *
 * A client that registered for `private_key_jwt` authenticates with its own key: make `privateKeyJwt(key)` yourself.
 *
 * Where the client has a document of its own, at the https URL that is its `clientId` (`clientIdMetadata` makes it), a server that says
 * `client_id_metadata_document_supported` is told nothing: the URL is the client there. Registration is for the others.
 *
 * Rejects with `not_supported` where the server registers nobody, `client_refused`, `scope_refused` or `request_refused` where it does not want this one,
 * and as discovery does. Throws `invalid_configuration`, which names the option.
 *
 * @param options `metadata`: in the words of the RFC, such as `redirect_uris` and `client_name`; `clientId`: where a document of the same is
 *
 * @example
 * const { clientId, clientAuthentication } = await registerClient({ issuer, metadata: { client_name: 'Notes', redirect_uris: ['https://notes.example/callback'] } })
 */
export async function registerClient(
  options: AuthorizationServer & {
    readonly metadata: Readonly<Record<string, unknown>>
    readonly clientId?: string
    readonly fetch?: typeof fetch
  },
): Promise<RegisteredClient> {
  const members = ownMembers(options, [...server, 'metadata', 'clientId', 'fetch'], 'registerClient')
  const body = completed(members)
  const client = readClient(
    bare({ ...Object.fromEntries([...server, 'fetch'].map((name) => [name, members[name]])), clientId: 'not registered' }),
    clientOptions,
    { clock: systemClock },
    'registerClient',
  )
  const { clientId } = members
  if (clientId !== undefined) {
    const { token_endpoint_auth_method: method } = clientIdMetadata(clientId as string, body)
    if ((await metadataOf(client))['client_id_metadata_document_supported'] === true)
      return bare({ clientId: clientId as string, clientAuthentication: authenticationOf(String(method), undefined) })
  }
  const answer = await ask(client, JSON.stringify(body))
  if (answer.status !== 201 && answer.status !== 200) throw refusalOf(answer, 'request_refused').error
  return registered(answer, String(body['token_endpoint_auth_method']))
}

async function ask(client: Client, body: string): Promise<Answer> {
  const { registration_endpoint: url } = await metadataOf(client)
  if (url === undefined)
    throw new OAuthError('not_supported', `${client.server.issuer} has no registration endpoint. Register the client with who runs it.`)
  const headers = bare({ accept: 'application/json', 'content-type': 'application/json' })
  return withinDeadline(client, (signal) => exchange(client, bare({ url, method: 'POST', headers, body }), signal))
}

function completed(members: Members): Readonly<Record<string, unknown>> {
  const { metadata } = members
  if (!isObject(metadata) || Array.isArray(metadata))
    throw wrongOption('metadata', 'must be an object with the metadata of the client (RFC 7591 section 2).')
  const own = bare({ ...metadata })
  for (const name of ['client_secret', 'client_id'])
    if (own[name] !== undefined) throw wrongOption(`metadata.${name}`, 'is what the server answers with. Leave it out.')
  const redirectUris = own['redirect_uris'] ?? []
  if (!Array.isArray(redirectUris) || !redirectUris.every((uri) => isText(uri) && parseUrl(uri) !== undefined && !uri.includes('#')))
    throw wrongOption('metadata.redirect_uris', 'must be a list of absolute URIs without fragments.')
  const forUsers = bare({
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    application_type: typeOf(redirectUris as string[]),
  })
  return bare({ token_endpoint_auth_method: 'none', ...(redirectUris.length > 0 ? forUsers : {}), ...own })
}

/** OpenID Connect Dynamic Client Registration section 2. */
function typeOf(redirectUris: readonly string[]): 'native' | 'web' {
  return redirectUris.every((uri) => new URL(uri).protocol === 'https:') ? 'web' : 'native'
}

function registered({ body, mediaType }: Answer, asked: string): RegisteredClient {
  const {
    client_id: clientId,
    client_secret: secret,
    token_endpoint_auth_method: method = asked,
    require_pushed_authorization_requests: pushes,
  } = body ?? bare<JsonObject>({})
  if (mediaType !== 'application/json' || !isText(clientId) || !isText(method))
    throw new OAuthError(
      'request_refused',
      'The authorization server answered the registration with no client identifier. Ask who runs it.',
    )
  return present<RegisteredClient>({
    clientId,
    clientAuthentication: authenticationOf(method, isText(secret) ? secret : undefined),
    pushedAuthorizationRequests: pushes === true ? true : undefined,
  })
}

function authenticationOf(method: string, secret: string | undefined): ClientAuthentication {
  if (method === 'none') return none()
  if (method === 'tls_client_auth' || method === 'self_signed_tls_client_auth') return mutualTls()
  const withSecret = bare<Record<string, (secret: string) => ClientAuthentication>>({
    client_secret_basic: clientSecretBasic,
    client_secret_post: clientSecretPost,
    client_secret_jwt: clientSecretJwt,
  })[method]
  // A key of its own is not the server's to give: whoever uses this one is told to make it.
  if (withSecret === undefined) return Object.freeze(bare({ method }))
  if (secret === undefined)
    throw new OAuthError('request_refused', `The authorization server registered ${method}, and gave no secret. Ask who runs it.`)
  return withSecret(secret)
}
