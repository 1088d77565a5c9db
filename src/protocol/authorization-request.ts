import type { Client } from '../core/client.js'
import { OAuthError } from '../core/errors.js'
import { resourceIndicator } from '../core/option.js'
import { readSignInOptions } from '../core/options.js'
import { readRedirectUri } from '../core/redirect-uri.js'
import type { PendingRequest } from '../core/pending-request.js'
import { randomBytes } from '../core/random-bytes.js'
import { withState } from '../core/request-state.js'
import { formatScope } from '../core/scope.js'
import { Secret, bare, present } from '../core/secret.js'
import type { SignInOptions } from '../core/session-contract.js'
import { base64url } from './base64url.js'
import type { ServerMetadata } from './library.js'
import { withParameters } from './with-parameters.js'

export interface AuthorizationRequest extends Omit<SignInOptions, 'scope' | 'signal'> {
  /** Which session asks: its key. */
  readonly owner: string
  /** Sent as it is written here, byte for byte. */
  readonly redirectUri: string
  readonly scope: readonly string[]
  /** Default: the client's. */
  readonly resource?: readonly string[] | undefined
}

/**
 * The authorization request (RFC 6749 section 4.1.1), always with PKCE S256 (RFC 7636) and `state`, with `nonce` where `openid`
 * is asked for, and what its response will be held against.
 * Rejects with `invalid_configuration`, `not_supported` where there is no randomness, or the server has no authorization endpoint, knows PKCE without S256
 * or takes no DPoP proof that can be made here, `store_unavailable` where the key of the proofs cannot be kept, and with what `requestUrl` rejects with.
 */
export async function authorizationRequest(
  client: Client,
  server: ServerMetadata,
  request: AuthorizationRequest,
): Promise<{ readonly url: URL; readonly pending: PendingRequest }> {
  // Own members only: what a polluted `Object.prototype` says was not asked for.
  const { owner, redirectUri, resource = client.resource, ...options } = bare({ ...request })
  const how = readSignInOptions(options, 'startAuthorization')
  const scope = how.scope ?? []
  for (const one of resource) resourceIndicator(one, 'resource')
  readRedirectUri(redirectUri)
  const endpoint = endpointOf(server)
  const unusual = isUnusual(client, server) ? await import('./unusual-request.js') : undefined
  const responseMode = unusual?.responseModeOf(client, server)
  // Own code and not the library's, which would ask for randomness and digest whatever a script of the page has put there by now.
  const { webCrypto = crypto } = client
  const random = () => base64url(randomBytes(32, webCrypto))
  const [state, codeVerifier] = [random(), random()]
  const boundTo = await (await client.proofs?.())?.key(server['dpop_signing_alg_values_supported'])
  const isOpenid = scope.includes('openid')
  const nonce = isOpenid ? random() : undefined
  // OpenID Connect Core section 11: a server ignores `offline_access` without consent, unless it has other conditions for it.
  const isForConsent = isOpenid && scope.includes('offline_access') && !client.quirks.has('offline_access_without_consent')
  const parameters = parametersOf({
    ...how.authorizationParameters,
    response_type: 'code',
    response_mode: responseMode,
    client_id: client.clientId,
    redirect_uri: redirectUri,
    scope: formatScope(scope),
    state,
    nonce,
    code_challenge: base64url(new Uint8Array(await webCrypto.subtle.digest('SHA-256', new TextEncoder().encode(codeVerifier)))),
    code_challenge_method: 'S256',
    // RFC 9449 section 10: a code that is stolen is of no use without the key.
    dpop_jkt: boundTo,
    resource,
    audience: client.audience,
    prompt: how.prompt ?? (isForConsent ? 'consent' : undefined),
    login_hint: how.loginHint,
    acr_values: how.acrValues?.join(' '),
    max_age: how.maxAgeSeconds?.toString(),
    ui_locales: how.uiLocales?.join(' '),
    authorization_details: how.authorizationDetails?.length ? JSON.stringify(how.authorizationDetails) : undefined,
  })
  const pending = present<PendingRequest>({
    state: Secret.of(state),
    codeVerifier: Secret.of(codeVerifier),
    nonce: nonce === undefined ? undefined : Secret.of(nonce),
    issuer: client.server.issuer,
    clientId: client.clientId,
    owner,
    redirectUri,
    scope,
    resource,
    maxAgeSeconds: how.maxAgeSeconds,
    returnTo: how.returnTo,
    boundTo,
    signedResponse: responseMode === undefined ? undefined : true,
    createdAt: client.clock.now(),
  })
  const url = (await unusual?.requestUrl(client, server, endpoint, parameters, boundTo)) ?? withParameters(endpoint, parameters)
  return bare({ url: withState(url, state), pending })
}

/** What most clients do without, and load nothing of: requests that are pushed or signed, and signed responses. */
function isUnusual({ signedRequests, signedResponses, pushedAuthorizationRequests }: Client, server: ServerMetadata): boolean {
  const { require_pushed_authorization_requests: pushed, require_signed_request_object: signed } = server
  return [signedRequests, signedResponses, pushedAuthorizationRequests, pushed, signed].some(Boolean)
}

/** RFC 6749 section 3.1: a parameter without a value counts as left out, so it is. Of a list each member is sent. */
function parametersOf(members: Readonly<Record<string, string | readonly string[] | undefined>>): URLSearchParams {
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(members)) {
    for (const one of typeof value === 'string' ? [value] : (value ?? [])) if (one !== '') parameters.append(name, one)
  }
  return parameters
}

function endpointOf(server: ServerMetadata): string {
  const methods: unknown = server.code_challenge_methods_supported
  // Silence proves nothing (`state` is sent anyway); a list without S256 does. `plain` would be a downgrade (RFC 7636 section 7.2).
  if (methods !== undefined && !(Array.isArray(methods) && methods.includes('S256'))) {
    throw new OAuthError('not_supported', `${server.issuer} does not support PKCE with S256, without which valetkey signs nobody in.`)
  }
  if (server.authorization_endpoint === undefined) {
    throw new OAuthError(
      'not_supported',
      `${server.issuer} has no authorization endpoint. Give it as authorizationServer or additionalMetadata.`,
    )
  }
  return server.authorization_endpoint
}
