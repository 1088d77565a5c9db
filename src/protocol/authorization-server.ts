import { isSecure, parseAddress } from '../core/address.js'
import type { Client, ServerAddress } from '../core/client.js'
import { OAuthError, type OAuthErrorCode } from '../core/errors.js'
import type { Clock } from '../core/ports.js'
import { bare } from '../core/secret.js'
import { type Answer, exchange, fetchOf, withinDeadline } from './exchange.js'
import { type JsonObject, objectOf } from './json.js'
import type { ServerMetadata } from './library.js'

// The library has a discovery of its own, but it knows two of the three places, and compares issuers after URL normalisation
// where RFC 8414 section 3.3 wants them identical.

/** How long a document is believed, in milliseconds: short enough for a server that moves, long enough to be no request of any call. */
const shelfLife = 60 * 60_000
/** Documents kept for one `fetch`. */
const shelfSize = 50

interface Kept {
  readonly document: Promise<JsonObject>
  readonly clock: Clock
  /** Monotonic. */
  readonly fetchedAt: number
}

/** By the fetch that got them, so that what one program's fetch let through is not believed for another's. */
const shelves = new WeakMap<typeof fetch, Map<string, Kept>>()

/**
 * The metadata of the client's authorization server, checked: the same object as long as it is believed, which is an hour.
 * Those who ask at the same time share one fetch; a failure is not kept.
 * Rejects with `discovery_failed`, `issuer_mismatch`, `network`, `timed_out`, and `invalid_configuration` for what was given by hand.
 */
export async function metadataOf(client: Client): Promise<ServerMetadata> {
  const { server } = client
  if (server.metadata !== undefined) return givenByHand(server.metadata)
  checkIssuer(server.issuer)
  return completed(await documentOf(client), server.additionalMetadata)
}

function documentOf(client: Client): Promise<JsonObject> {
  const { server, clock } = client
  const shelf = shelfOf(fetchOf(client))
  const key = `${server.issuer}\n${server.discoveryUrl ?? ''}`
  const kept = shelf.get(key)
  if (kept !== undefined && kept.clock === clock && clock.monotonic() - kept.fetchedAt < shelfLife) return kept.document
  const fresh: Kept = { document: discover(client), clock, fetchedAt: clock.monotonic() }
  shelf.delete(key)
  shelf.set(key, fresh)
  for (const oldest of shelf.keys()) {
    if (shelf.size <= shelfSize) break
    shelf.delete(oldest)
  }
  fresh.document.catch(() => {
    if (shelf.get(key) === fresh) shelf.delete(key)
  })
  return fresh.document
}

function shelfOf(fetch: typeof globalThis.fetch): Map<string, Kept> {
  const shelf = shelves.get(fetch) ?? new Map<string, Kept>()
  shelves.set(fetch, shelf)
  return shelf
}

async function discover(client: Client): Promise<JsonObject> {
  const document = await withinDeadline(client, async (signal) => {
    for (const place of places(client.server)) {
      const answer = await exchange(client, bare({ url: place.href, method: 'GET', headers: bare({ accept: 'application/json' }) }), signal)
      const found = documentIn(answer, place)
      if (found !== undefined) return found
    }
    throw new OAuthError(
      'discovery_failed',
      `${client.server.issuer} has no metadata document at the standard places. Check the issuer, or give discoveryUrl or authorizationServer.`,
    )
  })
  checkDocument(document, client.server.issuer)
  client.emit({ type: 'discovered' })
  return document
}

/** Where a document may be, in the order in which it is looked for: RFC 8414 section 3.1, section 5, OpenID Connect Discovery section 4. */
function places(server: ServerAddress): readonly URL[] {
  if (server.discoveryUrl !== undefined) {
    const place = parseAddress(server.discoveryUrl)
    if (place === undefined || !isSecure(place)) throw new OAuthError('invalid_configuration', 'discoveryUrl must be an https URL.')
    return [place]
  }
  const path = new URL(server.issuer).pathname.replace(/\/$/, '')
  const candidates = [
    `/.well-known/oauth-authorization-server${path}`,
    `/.well-known/openid-configuration${path}`,
    `${path}/.well-known/openid-configuration`,
  ]
  return [...new Set(candidates)].map((candidate) => {
    const place = new URL(server.issuer)
    place.pathname = candidate
    return place
  })
}

/**
 * The document in this answer; `undefined` when there is none at this place, also where a server sends strangers to its front
 * page. Rejects when it may be there and cannot be had: else the weather would choose among several documents.
 */
function documentIn(answer: Answer, place: URL): JsonObject | undefined {
  const { status } = answer
  if (status >= 500 || status === 408 || status === 429) throw failed(place, `answered with status ${status}`, status)
  if (status !== 200 || answer.mediaType !== 'application/json') return undefined
  if (answer.tooLarge) throw failed(place, 'is larger than 1 MiB')
  if (answer.body === undefined) throw failed(place, 'is not a JSON object')
  return withoutNull(answer.body)
}

function failed(place: URL, what: string, status?: number): OAuthError {
  return new OAuthError('discovery_failed', `The metadata document ${place.href} ${what}. Ask who runs the authorization server.`, {
    status,
  })
}

/** Without the members that are `null`: some servers write so what they do not have. */
function withoutNull(object: JsonObject): JsonObject {
  return bare(Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null)))
}

function checkDocument(document: JsonObject, issuer: string): void {
  if (typeof document['issuer'] !== 'string')
    throw new OAuthError('discovery_failed', `The metadata document of ${issuer} names no issuer.`)
  // RFC 8414 section 3.3: identical, code point by code point.
  if (document['issuer'] !== issuer) {
    throw new OAuthError(
      'issuer_mismatch',
      `The metadata document of ${issuer} names another issuer. Configure the issuer exactly as the server writes it, to the last slash, or do not trust this server.`,
    )
  }
  checkEndpoints(document, 'discovery_failed', `The metadata document of ${issuer}`)
}

const endpoints = [
  'authorization_endpoint',
  'token_endpoint',
  'revocation_endpoint',
  'introspection_endpoint',
  'userinfo_endpoint',
  'end_session_endpoint',
  'jwks_uri',
  'pushed_authorization_request_endpoint',
  'device_authorization_endpoint',
  'backchannel_authentication_endpoint',
  'registration_endpoint',
] as const

/** All of them at once, not each at its first use: one that is navigated to (`javascript:`) is never fetched. */
function checkEndpoints(metadata: JsonObject, code: OAuthErrorCode, whose: string): void {
  const aliases = objectOf(metadata['mtls_endpoint_aliases']) ?? bare<JsonObject>({})
  for (const [where, members] of [
    ['', metadata],
    ['mtls_endpoint_aliases.', aliases],
  ] as const) {
    for (const name of endpoints) {
      if (members[name] === undefined) continue
      const url = parseAddress(members[name])
      if (url === undefined || !isSecure(url)) throw new OAuthError(code, `${whose} has a ${where}${name} that is not an https URL.`)
    }
  }
}

/** RFC 8414 section 2: https, without query and fragment. */
function checkIssuer(issuer: string): void {
  const url = parseAddress(issuer)
  if (url === undefined || !isSecure(url) || /[?#]/.test(issuer)) {
    throw new OAuthError('invalid_configuration', 'issuer must be an https URL without query and fragment (http only on loopback).')
  }
}

const byHand = new WeakMap<object, ServerMetadata>()

function givenByHand(given: NonNullable<ServerAddress['metadata']>): ServerMetadata {
  const known = byHand.get(given)
  if (known !== undefined) return known
  checkIssuer(given.issuer)
  const metadata = withoutNull(objectOf(given) ?? bare({}))
  checkEndpoints(metadata, 'invalid_configuration', 'authorizationServer')
  byHand.set(given, metadata as ServerMetadata)
  return metadata as ServerMetadata
}

const completions = new WeakMap<JsonObject, WeakMap<object, ServerMetadata>>()

/** With what the document leaves out. What it has is not replaced: one server's endpoints never come from two places. */
function completed(document: JsonObject, additional: ServerAddress['additionalMetadata']): ServerMetadata {
  if (additional === undefined) return document as ServerMetadata
  const known = completions.get(document) ?? new WeakMap<object, ServerMetadata>()
  completions.set(document, known)
  const before = known.get(additional)
  if (before !== undefined) return before
  const extra = withoutNull(objectOf(additional) ?? bare({}))
  checkEndpoints(extra, 'invalid_configuration', 'additionalMetadata')
  const all = bare<JsonObject>({})
  Object.assign(all, extra, document)
  known.set(additional, all as ServerMetadata)
  return all as ServerMetadata
}
