import type { AuthorizationServer, Client, ClientAuthentication } from '../core/client.js'
import { clientOptions, readClient } from '../core/client-options.js'
import { type Members, callable, oneOf, ownMembers, scopeValues, seconds, text, words, wrongOption } from '../core/option.js'
import type { Clock } from '../core/ports.js'
import { bare, present } from '../core/secret.js'

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
  readonly fetch?: typeof fetch
}

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
}

const server = ['issuer', 'discoveryUrl', 'additionalMetadata', 'authorizationServer'] as const
const known = [...server, 'audience', 'introspection', 'dpop', 'fetch']
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
    dpop: oneOf(members, 'dpop', ['accepted', 'required', 'refused']) ?? 'accepted',
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
