import type { AuthorizationServer, Client, ClientAuthentication } from '../core/client.js'
import { clientOptions, readClient } from '../core/client-options.js'
import { type Members, callable, oneOf, ownMembers, scopeValues, seconds, text, words, wrongOption } from '../core/option.js'
import type { Clock } from '../core/ports.js'
import { bare, present } from '../core/secret.js'
import { bytesOfBase64 } from '../protocol/base64url.js'

/** What an API accepts. */
export interface ResourceServerSettings {
  /** The `aud` a token must have. */
  readonly audience: string
  /** For tokens that are a random string: who asks the introspection endpoint (RFC 7662). */
  readonly introspection?: {
    readonly clientId: string
    readonly clientAuthentication: ClientAuthentication
    /** How long an answer is believed: at most 60. Default 0, so that a token which was revoked is refused at once. */
    readonly cacheSeconds?: number
  }
  /** Sender-constrained tokens (RFC 9449). A bound token always needs its proof. Default `accepted`. */
  readonly dpop?: 'accepted' | 'required' | 'refused'
  /**
   * Demands of every proof that it repeats a nonce of this API (RFC 9449 section 9), so that none can be made long before it is used. 32 random bytes in
   * base64 (`openssl rand -base64 32`), from which nonces of some minutes are made: the same for all processes, and for all APIs of one origin.
   */
  readonly dpopNonceKey?: string
  readonly fetch?: typeof fetch
}

/** What one request needs of its token. */
export interface Needed {
  /** Scope values that the token must have. */
  readonly scope?: readonly string[]
  /** One of these authentication contexts (RFC 9470). */
  readonly acrValues?: readonly string[]
  /** How long ago the user may have authenticated. */
  readonly maxAgeSeconds?: number
}

export interface Checked {
  readonly client: Client
  readonly audience: string
  readonly introspects: boolean
  readonly cacheSeconds: number
  readonly dpop: 'accepted' | 'required' | 'refused'
  readonly nonceKey: Uint8Array<ArrayBuffer> | undefined
}

const server = ['issuer', 'discoveryUrl', 'additionalMetadata', 'authorizationServer'] as const
const known = [...server, 'audience', 'introspection', 'dpop', 'dpopNonceKey', 'fetch']
const longestCache = 60

/** Throws `invalid_configuration`, which names the option. */
export function readSettings(options: AuthorizationServer & ResourceServerSettings, clock: Clock): Checked {
  const members = ownMembers(options, known, 'resourceServer')
  const audience = text(members, 'audience')
  if (audience === undefined) throw wrongOption('audience', 'is missing. Give the `aud` that tokens for this API have.')
  const asks = members['introspection']
  const introspection =
    asks === undefined ? bare<Members>({}) : ownMembers(asks, ['clientId', 'clientAuthentication', 'cacheSeconds'], 'introspection')
  if (asks !== undefined && introspection['clientAuthentication'] === undefined)
    throw wrongOption('introspection.clientAuthentication', 'is missing: RFC 7662 lets nobody ask who does not say who it is.')
  const cacheSeconds = seconds(introspection, 'cacheSeconds') ?? 0
  if (cacheSeconds > longestCache)
    throw wrongOption('introspection.cacheSeconds', `must be at most ${longestCache}: so long is a revoked token still good here.`)
  const dpop = oneOf(members, 'dpop', ['accepted', 'required', 'refused']) ?? 'accepted'
  return {
    client: readClient(
      bare({
        ...Object.fromEntries(server.map((name) => [name, members[name]])),
        fetch: callable(members, 'fetch'),
        // Who asks for nothing has no name at the authorization server, and is never sent there.
        clientId: asks === undefined ? 'resource-server' : introspection['clientId'],
        clientAuthentication: introspection['clientAuthentication'],
      }),
      clientOptions,
      { clock },
      'resourceServer',
    ),
    audience,
    introspects: asks !== undefined,
    cacheSeconds,
    dpop,
    nonceKey: readNonceKey(members, dpop),
  }
}

function readNonceKey(members: Members, dpop: Checked['dpop']): Checked['nonceKey'] {
  const name = 'dpopNonceKey'
  const given = text(members, name)
  if (given === undefined) return undefined
  if (dpop === 'refused') throw wrongOption(name, 'is of no use where `dpop` is refused. Leave one of them out.')
  const bytes = bytesIn(given)
  if (bytes?.length !== 32) throw wrongOption(name, 'must be 32 random bytes in base64. Make them with: openssl rand -base64 32')
  return bytes
}

function bytesIn(given: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return bytesOfBase64(given.trim())
  } catch {
    return undefined
  }
}

export function readNeeded(needed: Needed | undefined): Needed {
  const members = ownMembers(needed ?? {}, ['scope', 'acrValues', 'maxAgeSeconds'], 'verifyAccessToken')
  return present<Needed>({
    scope: scopeValues(members, 'scope'),
    acrValues: words(members, 'acrValues'),
    maxAgeSeconds: seconds(members, 'maxAgeSeconds'),
  })
}
