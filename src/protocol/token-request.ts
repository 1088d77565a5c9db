import * as oauth from 'oauth4webapi'
import type { Client } from '../core/client.js'
import { OAuthError, type OAuthErrorCode } from '../core/errors.js'
import type { PreparedRequest, TokenOutcome } from '../core/exchange.js'
import { type Secret, bare } from '../core/secret.js'
import { metadataOf } from './authorization-server.js'
import { libraryAuthentication } from './client-authentication.js'
import { type Answer, type WireRequest, exchange } from './exchange.js'
import type { IdTokenExpectation } from './id-token.js'
import { type ServerMetadata, captured, endpointOf, libraryClient } from './library.js'
import { repaired } from './server-quirks.js'
import { tokenAnswer } from './token-answer.js'
import { failureOf, refusalOf } from './token-error.js'

/** One grant, as it is asked for at the token endpoint. Made with `bare`, for it carries Secrets. */
export interface TokenRequest {
  readonly grantType: string
  /** What the grant says. Of a list each member is sent; what is `undefined` is not. */
  readonly parameters: Readonly<Record<string, string | Secret | readonly string[] | undefined>>
  /** What `invalid_grant` means for this grant. */
  readonly invalidGrant: OAuthErrorCode
  /** Absent where no ID token was asked for: then one that comes is ignored. */
  readonly idToken?: IdTokenExpectation | undefined
  /** The answer must say what kind of token it has (RFC 8693 section 2.2.1). */
  readonly issuedTokenType?: 'required'
  /** The key that is to prove it, where the client's tokens are bound (RFC 9449). Default: the one that new tokens are bound to. */
  readonly boundTo?: string | undefined
}

export interface PreparedTokenRequest extends PreparedRequest {
  /** Starts it in this very turn, awaiting nothing first. Only this signal ends it. Never rejects. */
  send(signal?: AbortSignal): Promise<TokenOutcome>
}

/**
 * Makes a token request wholly ready: metadata, client authentication, body. Rejects with what `metadataOf` does, with
 * `invalid_configuration` and `not_supported`, with `client_refused` and `timed_out` where a secret or a key cannot be read, and with
 * `dpop_key_lost` and `store_unavailable` where that of a proof is not there; nothing has been sent to the token endpoint then.
 */
export async function prepareTokenRequest(client: Client, request: TokenRequest): Promise<PreparedTokenRequest> {
  const { server, ready } = await readyTokenRequest(client, request)
  return bare({
    send: (signal?: AbortSignal) => send(client, server, request, ready, signal),
    // Nothing was begun: what is not sent is forgotten.
    discard: () => {},
  })
}

/** The same, for who reads the answer otherwise. */
export async function readyTokenRequest(
  client: Client,
  request: Pick<TokenRequest, 'grantType' | 'parameters' | 'boundTo'>,
): Promise<{ readonly server: ServerMetadata; readonly ready: ReadyRequest }> {
  const authentication = libraryAuthentication(client)
  const server = await metadataOf(client)
  const found = endpointOf(client, server, 'token_endpoint')
  if (found === undefined)
    throw new OAuthError('not_supported', `${server.issuer} has no token endpoint. Give it as authorizationServer or additionalMetadata.`)
  const make = (): Promise<WireRequest> =>
    captured(found.endpoint, (options) =>
      oauth.genericTokenEndpointRequest(
        found.server,
        libraryClient(client),
        authentication,
        request.grantType,
        form(client, request),
        options,
      ),
    )
  return bare({ server, ready: await readyRequest(client, server, make, request.boundTo) })
}

function form(client: Client, request: Pick<TokenRequest, 'parameters'>): URLSearchParams {
  const form = new URLSearchParams()
  for (const [name, value] of Object.entries(client.tokenParameters)) form.set(name, value)
  for (const [name, value] of Object.entries(request.parameters)) {
    if (value === undefined) continue
    // Whatever the client's own parameters say, the protocol's are its own.
    form.delete(name)
    for (const one of listOf(value)) form.append(name, one)
  }
  return form
}

function listOf(value: string | Secret | readonly string[]): readonly string[] {
  if (typeof value === 'string') return [value]
  return 'reveal' in value ? [value.reveal()] : value
}

/** A request on the wire, made ready. */
export interface ReadyRequest {
  /** The thumbprint of the key that proves it (RFC 9449). */
  readonly boundTo?: string
  /** Starts it in this very turn, awaiting nothing first. `unprovable` says why the server's refusal of its proof could not be met. */
  send(signal?: AbortSignal): Promise<{ readonly answer: Answer; readonly unprovable?: OAuthError }>
}

/** Makes a request ready, with its proof where the client's tokens are bound. `key` proves it; default: the one that new tokens are bound to. */
export async function readyRequest(
  client: Client,
  server: ServerMetadata,
  make: () => Promise<WireRequest>,
  key: string | undefined,
): Promise<ReadyRequest> {
  if (client.proofs !== undefined)
    return (await import('./proven-request.js')).provenRequest(client, await client.proofs(), server, make, key)
  const wire = await make()
  return bare({ send: async (signal?: AbortSignal) => bare({ answer: repaired(await exchange(client, wire, signal), client.quirks) }) })
}

async function send(
  client: Client,
  server: ServerMetadata,
  request: TokenRequest,
  ready: ReadyRequest,
  signal?: AbortSignal,
): Promise<TokenOutcome> {
  try {
    const { answer, unprovable } = await ready.send(signal)
    if (answer.status === 200) return bare({ ok: true, answer: await tokenAnswer(client, server, answer, request, ready.boundTo) })
    const refused = refusalOf(answer, request.invalidGrant)
    return unprovable === undefined ? refused : bare({ ...refused, error: unprovable })
  } catch (error) {
    if (error instanceof OAuthError) return failureOf(error)
    return failureOf(new OAuthError('token_response_invalid', 'The token response could not be read. Nothing of it is kept.'))
  }
}
