import * as oauth from 'oauth4webapi'
import { isSecure, parseAddress } from '../core/address.js'
import type { Client } from '../core/client.js'
import type { DevicePrompt } from '../core/device-prompt.js'
import { OAuthError } from '../core/errors.js'
import { formatScope } from '../core/scope.js'
import { Secret, bare, present } from '../core/secret.js'
import { metadataOf } from './authorization-server.js'
import { libraryAuthentication } from './client-authentication.js'
import { type Answer, exchange, withinDeadline } from './exchange.js'
import type { JsonObject } from './json.js'
import { captured, endpointOf, libraryClient } from './library.js'
import { repaired } from './server-quirks.js'
import { refusalOf } from './token-error.js'

/** A device authorization that is under way (RFC 8628 section 3.2). Made with `bare`, for it carries a Secret. */
export interface DeviceAuthorization {
  readonly deviceCode: Secret
  readonly prompt: DevicePrompt
  /** When the codes end, in milliseconds of the client's monotonic clock. */
  readonly endsAt: number
  /** The least time between two polls, in milliseconds. */
  readonly interval: number
  /** What was asked for. */
  readonly scope: readonly string[]
  readonly resource: readonly string[]
}

/** RFC 8628 section 3.2: what holds where the server says nothing, in seconds. */
const usualInterval = 5
/** Seconds. No user takes longer, and no code is believed to live longer. */
const longestLife = 24 * 60 * 60

/**
 * Asks for a device code (RFC 8628 section 3.1). Rejects with what `prepareTokenRequest` does, with `not_supported` where the server has no
 * device authorization, with the code of a refusal, and with `authorization_response_invalid` where the answer cannot be used.
 */
export async function deviceAuthorization(
  client: Client,
  asked: { readonly scope: readonly string[]; readonly resource: readonly string[] },
): Promise<DeviceAuthorization> {
  const authentication = libraryAuthentication(client)
  const found = endpointOf(client, await metadataOf(client), 'device_authorization_endpoint')
  if (found === undefined) {
    throw new OAuthError(
      'not_supported',
      `${client.server.issuer} has no device authorization endpoint. Give it as authorizationServer or additionalMetadata, or sign in another way.`,
    )
  }
  const wire = await captured(found.endpoint, (options) =>
    oauth.deviceAuthorizationRequest(found.server, libraryClient(client), authentication, form(client, asked), options),
  )
  const startedAt = client.clock.monotonic()
  const answer = repaired(await withinDeadline(client, (signal) => exchange(client, wire, signal)), client.quirks)
  if (answer.status !== 200) throw refusalOf(answer, 'request_refused').error
  return bare({ ...authorizationIn(bodyOf(answer), client, startedAt), ...asked })
}

function form(client: Client, asked: { readonly scope: readonly string[]; readonly resource: readonly string[] }): URLSearchParams {
  const form = new URLSearchParams()
  const scope = formatScope(asked.scope)
  if (scope !== undefined) form.set('scope', scope)
  for (const one of asked.resource) form.append('resource', one)
  if (client.audience !== undefined) form.set('audience', client.audience)
  return form
}

function bodyOf(answer: Answer): JsonObject {
  if (answer.mediaType !== 'application/json' || answer.body === undefined) throw invalid('is not a JSON object')
  return answer.body
}

function authorizationIn(body: JsonObject, client: Client, startedAt: number): Omit<DeviceAuthorization, 'scope' | 'resource'> {
  // RFC 8628 section 3.2: how long the codes live must be said.
  const life = Math.min(secondsIn(body, 'expires_in') ?? 0, longestLife) * 1_000
  if (life === 0) throw invalid('does not say how long its codes live (expires_in)')
  const complete = body['verification_uri_complete']
  return bare({
    deviceCode: Secret.of(visible(body, 'device_code')),
    prompt: Object.freeze(
      present<DevicePrompt>({
        userCode: visible(body, 'user_code'),
        verificationUri: address(body, 'verification_uri'),
        verificationUriComplete: complete === undefined ? undefined : address(body, 'verification_uri_complete'),
        expiresAt: client.clock.now() - (client.clock.monotonic() - startedAt) + life,
      }),
    ),
    endsAt: startedAt + life,
    // 0 would be a flood of requests, and is taken as not said.
    interval: (secondsIn(body, 'interval') || usualInterval) * 1_000,
  })
}

/** Shown in a terminal or a page: no character in it may do anything there. */
function visible(body: JsonObject, name: string): string {
  const value = body[name]
  if (typeof value !== 'string' || !/^[\x20-\x7E]+$/.test(value)) throw invalid(`has no ${name} of visible characters`)
  return value
}

/** Users are sent there, so it is an address that can do no more than be visited. */
function address(body: JsonObject, name: string): string {
  const url = parseAddress(body[name])
  if (url === undefined || !isSecure(url)) throw invalid(`has a ${name} that is not an https URL`)
  return body[name] as string
}

function secondsIn(body: JsonObject, name: string): number | undefined {
  const said = body[name]
  if (said === undefined || said === null) return undefined
  const seconds = typeof said === 'string' && /^\d+(\.\d+)?$/.test(said) ? Number(said) : said
  if (typeof seconds !== 'number' || !(seconds >= 0)) throw invalid(`has an ${name} that is no number of seconds`)
  return seconds
}

function invalid(what: string): OAuthError {
  return new OAuthError(
    'authorization_response_invalid',
    `The device authorization response ${what}. Nothing of it is used. Ask who runs the authorization server.`,
  )
}
