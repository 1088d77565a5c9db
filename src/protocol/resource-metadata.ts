import { isSecure, parseAddress } from '../core/address.js'
import { challengeOf } from '../core/challenge.js'
import type { DiscoveredResource } from '../core/discovered-resource.js'
import { OAuthError } from '../core/errors.js'
import { callable, isText, ownMembers, wrongOption } from '../core/option.js'
import type { Clock } from '../core/ports.js'
import { bare, present } from '../core/secret.js'
import { systemClock } from '../system-clock.js'
import { exchange, fetchOf, withinDeadline } from './exchange.js'
import type { JsonObject } from './json.js'

/** In milliseconds, for all that is asked. */
const deadline = 10_000

type Asker = { readonly fetch?: typeof fetch; readonly clock: Clock; readonly deadline: number }

/**
 * From a bare URL to its resource's authorization servers and scope (RFC 9728). The resource is asked without a token first: where its challenge names
 * a metadata document (`resource_metadata`), that one counts and no other; else the document is looked for at the well-known place of the URL, and then
 * of its origin. What it says it is must be what was asked for, code point by code point (section 3.3).
 *
 * Rejects with `invalid_configuration` for what is no https URL, `discovery_failed` where there is no document or it cannot be used, `issuer_mismatch`
 * where it is another resource's, `network` and `timed_out`. `valetkey/node` has one that goes to public addresses only.
 *
 * Give the result to a client as its `resource`: then the indicator is asked for, and tokens are bound to a key where the resource takes no others.
 *
 * @example
 * const found = await discoverResource('https://api.example.com/notes')
 * const session = userSession({ issuer: found.authorizationServers[0]!, clientId, resource: found, scope: ['notes:read'], userAgent: loopback() })
 */
export async function discoverResource(url: string | URL, options: { readonly fetch?: typeof fetch } = {}): Promise<DiscoveredResource> {
  const address = parseAddress(String(url))
  if (address === undefined || !isSecure(address) || address.hash !== '')
    throw wrongOption('url', 'must be an https URL without a fragment; http is for this machine only.')
  const asker = present<Asker>({
    clock: systemClock,
    deadline,
    fetch: callable<NonNullable<Asker['fetch']>>(ownMembers(options, ['fetch'], 'discoverResource'), 'fetch'),
  })
  return withinDeadline(
    asker,
    async (signal) => {
      const named = await namedByChallenge(asker, address, signal)
      if (named !== undefined) return read(await documentAt(asker, named, signal), [String(url), address.href])
      const document = await documentAt(asker, wellKnown(address, address.pathname.replace(/\/$/, '')), signal)
      if (document !== undefined || address.pathname === '/') return read(document, [String(url), address.href])
      // The whole origin may be one resource, by the name with or without the slash.
      return read(await documentAt(asker, wellKnown(address, ''), signal), [address.origin, `${address.origin}/`])
    },
    'The resource',
  )
}

/** The document that the resource's own challenge names. A resource that cannot be asked, or asks for nothing, names none. */
async function namedByChallenge(asker: Asker, address: URL, signal: AbortSignal): Promise<URL | undefined> {
  const init = bare<RequestInit>({ redirect: 'manual', credentials: 'omit', referrerPolicy: 'no-referrer', cache: 'no-store', signal })
  const response = await fetchOf(asker)(address.href, init).catch(() => undefined)
  void response?.body?.cancel().catch(() => {})
  const named = response === undefined ? undefined : challengeOf(response)?.resourceMetadata
  return named === undefined ? undefined : parseAddress(named)
}

/** RFC 9728 section 3.1: between the host and the path. */
function wellKnown(address: URL, path: string): URL {
  const place = new URL(address)
  place.pathname = `/.well-known/oauth-protected-resource${path}`
  if (path === '') place.search = ''
  return place
}

async function documentAt(asker: Asker, place: URL, signal: AbortSignal): Promise<JsonObject | undefined> {
  const answer = await exchange(asker, bare({ url: place.href, method: 'GET', headers: bare({ accept: 'application/json' }) }), signal)
  if (answer.status >= 500 || answer.status === 429 || answer.tooLarge)
    throw failed(`${place.origin} could not give its document (status ${answer.status}).`)
  return answer.status === 200 && answer.mediaType === 'application/json' ? answer.body : undefined
}

function read(document: JsonObject | undefined, names: readonly string[]): DiscoveredResource {
  if (document === undefined) throw failed('there is none where RFC 9728 has it.')
  const {
    resource,
    authorization_servers: servers = [],
    scopes_supported: scopes = [],
    dpop_bound_access_tokens_required: bound,
  } = document
  if (!isText(resource)) throw failed('it names no resource.')
  // A document that another resource serves could send its tokens to another authorization server.
  if (!names.includes(resource))
    throw new OAuthError(
      'issuer_mismatch',
      'The metadata document is that of another resource than the one that was asked for, so it is not used.',
    )
  if (!isListOf(servers, (one) => secureIssuer(one)) || !isListOf(scopes, isText))
    throw failed('its authorization servers are no https URLs, or its scopes no texts.')
  return Object.freeze(
    bare({
      resource,
      authorizationServers: Object.freeze([...servers]),
      scopesSupported: Object.freeze([...scopes]),
      dpopBoundAccessTokensRequired: bound === true,
    }),
  )
}

function secureIssuer(value: unknown): boolean {
  const url = parseAddress(value)
  return url !== undefined && isSecure(url)
}

function isListOf(value: unknown, isOne: (one: unknown) => boolean): value is readonly string[] {
  return Array.isArray(value) && value.length <= 1_000 && value.every(isOne)
}

function failed(what: string): OAuthError {
  return new OAuthError(
    'discovery_failed',
    `The resource does not say whose tokens it takes: ${what} Ask who runs it, or configure the issuer.`,
  )
}
