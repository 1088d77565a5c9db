import * as oauth from 'oauth4webapi'
import type { Client } from '../core/client.js'
import { OAuthError } from '../core/errors.js'
import { formatScope } from '../core/scope.js'
import { bare } from '../core/secret.js'
import type { AuthorizationDetail } from '../core/token-record.js'
import { metadataOf } from './authorization-server.js'
import { libraryAuthentication } from './client-authentication.js'
import { type Answer, exchange, withinDeadline } from './exchange.js'
import type { JsonObject } from './json.js'
import { type ServerMetadata, captured, endpointOf, libraryClient } from './library.js'
import { repaired } from './server-quirks.js'
import { refusalOf } from './token-error.js'

// What the two requests have in common that a user answers on another device: RFC 8628 and OpenID Connect CIBA.

/** What the user is asked for. */
export interface DecoupledRequest {
  readonly scope: readonly string[]
  readonly resource: readonly string[]
  readonly authorizationDetails?: readonly AuthorizationDetail[] | undefined
  /** Further parameters. Those of the protocol are its own, whatever they say. */
  readonly parameters?: Readonly<Record<string, string>> | undefined
}

/** What polling goes by. */
export interface Polling extends Pick<DecoupledRequest, 'scope' | 'resource'> {
  /** When the request ends, in milliseconds of the client's monotonic clock. */
  readonly endsAt: number
  /** The least time between two polls, in milliseconds. */
  readonly interval: number
}

/** One of the two. */
export interface DecoupledEndpoint {
  readonly name: 'device_authorization_endpoint' | 'backchannel_authentication_endpoint'
  readonly request: typeof oauth.deviceAuthorizationRequest
  /** What it is, for a message. */
  readonly what: string
  /** Throws where the server says that it cannot do this. */
  readonly check?: (server: ServerMetadata) => void
  /** Values of `error` that are registered for it, and of no other use. */
  readonly errors?: readonly string[]
}

/** What came, not checked but for its times. Made with `bare`, for it carries a code. */
export interface DecoupledAuthorization {
  readonly body: JsonObject
  readonly polling: Polling
  /** By this machine's clock, in milliseconds since the epoch. */
  readonly expiresAt: number
}

/** RFC 8628 section 3.2 and CIBA section 7.3: what holds where the server says nothing, in seconds. */
const usualInterval = 5
/** Seconds. No user takes longer, and no code is believed to live longer. */
const longestLife = 24 * 60 * 60

/**
 * Asks for it. Rejects with what `prepareTokenRequest` does, with `not_supported` where the server has no such endpoint, with the code of a
 * refusal, and with `authorization_response_invalid` where the answer is none, or does not say how long it holds.
 *
 * @param more the parameters of this one; what is `undefined` or empty is not sent
 */
export async function decoupledAuthorization(
  client: Client,
  endpoint: DecoupledEndpoint,
  asked: DecoupledRequest,
  more: Readonly<Record<string, string | undefined>> = {},
): Promise<DecoupledAuthorization> {
  const authentication = libraryAuthentication(client)
  const server = await metadataOf(client)
  const found = endpointOf(client, server, endpoint.name)
  if (found === undefined) {
    throw new OAuthError(
      'not_supported',
      `${server.issuer} has no ${endpoint.what} endpoint. Give it as authorizationServer or additionalMetadata, or sign in another way.`,
    )
  }
  endpoint.check?.(server)
  const wire = await captured(found.endpoint, (options) =>
    endpoint.request(found.server, libraryClient(client), authentication, form(client, asked, more), options),
  )
  const startedAt = client.clock.monotonic()
  const answer = repaired(await withinDeadline(client, (signal) => exchange(client, wire, signal)), client.quirks)
  if (answer.status !== 200) throw refused(answer, endpoint)
  const body = bodyOf(answer, endpoint)
  // RFC 8628 section 3.2, CIBA section 7.3: how long it holds must be said.
  const life = Math.min(secondsIn(body, 'expires_in', endpoint) ?? 0, longestLife) * 1_000
  if (life === 0) throw unusable(endpoint, 'does not say how long it holds (expires_in)')
  // 0 would be a flood of requests, and is taken as not said.
  const interval = (secondsIn(body, 'interval', endpoint) || usualInterval) * 1_000
  return bare({
    body,
    polling: bare({ endsAt: startedAt + life, interval, scope: asked.scope, resource: asked.resource }),
    expiresAt: client.clock.now() - (client.clock.monotonic() - startedAt) + life,
  })
}

function refused(answer: Answer, { errors = [], what }: DecoupledEndpoint): OAuthError {
  const { error } = refusalOf(answer, 'request_refused')
  const own = errors.find((one) => one === answer.body?.['error'])
  if (error.code !== 'request_refused' || own === undefined) return error
  return new OAuthError('request_refused', `The ${what} endpoint refused: ${own}.`, { serverError: own, status: answer.status })
}

function form(client: Client, asked: DecoupledRequest, more: Readonly<Record<string, string | undefined>>): URLSearchParams {
  const form = new URLSearchParams()
  const parameters = {
    ...asked.parameters,
    scope: formatScope(asked.scope),
    audience: client.audience,
    // RFC 9396 section 5.
    authorization_details: asked.authorizationDetails?.length ? JSON.stringify(asked.authorizationDetails) : undefined,
    ...more,
  }
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined && value !== '') form.set(name, value)
  form.delete('resource')
  for (const one of asked.resource) form.append('resource', one)
  return form
}

function bodyOf(answer: Answer, endpoint: DecoupledEndpoint): JsonObject {
  if (answer.mediaType !== 'application/json' || answer.body === undefined) throw unusable(endpoint, 'is not a JSON object')
  return answer.body
}

/** Of visible characters: it may be shown, or be sent. */
export function visible(body: JsonObject, name: string, endpoint: DecoupledEndpoint): string {
  const value = body[name]
  if (typeof value !== 'string' || !/^[\x20-\x7E]+$/.test(value)) throw unusable(endpoint, `has no ${name} of visible characters`)
  return value
}

function secondsIn(body: JsonObject, name: string, endpoint: DecoupledEndpoint): number | undefined {
  const said = body[name]
  if (said === undefined || said === null) return undefined
  const seconds = typeof said === 'string' && /^\d+(\.\d+)?$/.test(said) ? Number(said) : said
  if (typeof seconds !== 'number' || !(seconds >= 0)) throw unusable(endpoint, `has an ${name} that is no number of seconds`)
  return seconds
}

export function unusable(endpoint: DecoupledEndpoint, what: string): OAuthError {
  return new OAuthError(
    'authorization_response_invalid',
    `The ${endpoint.what} response ${what}. Nothing of it is used. Ask who runs the authorization server.`,
  )
}
