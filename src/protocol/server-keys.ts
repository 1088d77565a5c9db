import type { Client } from '../core/client.js'
import { OAuthError } from '../core/errors.js'
import type { Clock } from '../core/ports.js'
import { bare } from '../core/secret.js'
import { metadataOf } from './authorization-server.js'
import { exchange, withinDeadline } from './exchange.js'
import { type JsonObject, objectOf } from './json.js'
import type { ServerMetadata } from './library.js'

/** How long keys are believed, in milliseconds. */
const shelfLife = 5 * 60_000
/** A key that is not known is looked for no sooner than so long after the last look: else whoever invents key ids has us ask at every call. */
const betweenLooks = 60_000
/** More than any server has; each could be tried. */
const mostKeys = 100

interface Kept {
  readonly keys: Promise<readonly JsonObject[]>
  readonly clock: Clock
  /** Monotonic. */
  readonly fetchedAt: number
}

const kept = new WeakMap<ServerMetadata, Kept>()

/**
 * The public keys of the client's authorization server (RFC 7517), for signatures. Fetched once for all who ask, and again when they are five minutes
 * old, or when `isAmong` finds no key among them and the last look is a minute ago: keys rotate. Rejects as `metadataOf` does, with `not_supported`
 * where the server has none, and with `server_unavailable` where they cannot be had.
 */
export async function serverKeys(client: Client, isAmong: (keys: readonly JsonObject[]) => boolean): Promise<readonly JsonObject[]> {
  const server = await metadataOf(client)
  const keys = await keysOf(client, server, shelfLife)
  return isAmong(keys) ? keys : keysOf(client, server, betweenLooks)
}

function keysOf(client: Client, server: ServerMetadata, oldest: number): Promise<readonly JsonObject[]> {
  const { clock } = client
  const known = kept.get(server)
  if (known !== undefined && known.clock === clock && clock.monotonic() - known.fetchedAt < oldest) return known.keys
  const fresh: Kept = { keys: fetchKeys(client, server), clock, fetchedAt: clock.monotonic() }
  kept.set(server, fresh)
  fresh.keys.catch(() => {
    // What is known stays known: a look that failed takes away nothing.
    if (kept.get(server) !== fresh) return
    if (known === undefined) kept.delete(server)
    else kept.set(server, known)
  })
  return fresh.keys
}

async function fetchKeys(client: Client, { jwks_uri: url, issuer }: ServerMetadata): Promise<readonly JsonObject[]> {
  if (url === undefined)
    throw new OAuthError('not_supported', `${issuer} has no jwks_uri, so what it signs cannot be verified. Ask who runs it.`)
  const headers = bare({ accept: 'application/json, application/jwk-set+json' })
  const answer = await withinDeadline(client, (signal) => exchange(client, bare({ url, method: 'GET', headers }), signal))
  const keys = answer.status === 200 ? answer.body?.['keys'] : undefined
  if (!Array.isArray(keys) || keys.length > mostKeys)
    throw new OAuthError('server_unavailable', `${issuer} did not give its keys, so no signature can be verified. Try again later.`)
  return keys.map(objectOf).filter((key) => key !== undefined && isUsable(key)) as readonly JsonObject[]
}

/** A public key, for signatures, that is strong enough: no `oct`, no private part, RSA of 2,048 bits at least. */
function isUsable(key: JsonObject): boolean {
  if (key['kty'] === 'oct' || 'd' in key || (key['use'] !== undefined && key['use'] !== 'sig')) return false
  return key['kty'] !== 'RSA' || (typeof key['n'] === 'string' && key['n'].length >= 342)
}
