import { isSecure, parseAddress } from './address.js'
import type { AuthorizationServerMetadata, Client, ClientAuthentication, ServerAddress, ServerQuirk } from './client.js'
import { emitter } from './events.js'
import {
  callable,
  flag,
  isObject,
  isText,
  ownMembers,
  parameters,
  resourceIndicator,
  scopeValues,
  seconds,
  text,
  wrongOption,
} from './option.js'
import type { Members } from './option.js'
import type { Clock, Lock, Store, UserAgent } from './ports.js'
import { bare, present } from './secret.js'

/** The names of AuthorizationServer and ClientSettings: what every client has. */
export const clientOptions: readonly string[] = [
  'issuer', 'discoveryUrl', 'additionalMetadata', 'authorizationServer', 'clientId', 'clientAuthentication', 'scope', 'resource', 'audience',
  'tokenParameters', 'dpop', 'store', 'lock', 'fetch', 'deadlineSeconds', 'serverQuirks', 'observe', 'clock',
] // prettier-ignore

/** What every session has for its authorization requests. One whose client has a key has `signedRequests` too. */
export const authorizationOptions: readonly string[] = ['authorizationParameters', 'pushedAuthorizationRequests', 'signedResponses']

/** What holds where the options say nothing. */
export interface ClientDefaults {
  readonly clock: Clock
  /** Default: a public client. */
  readonly clientAuthentication?: ClientAuthentication
  /** Default: the option `account`, where `known` has it. */
  readonly account?: string | undefined
  readonly fetch?: Client['fetch']
  readonly webCrypto?: Client['webCrypto']
}

/** Parameters of a token request that valetkey sets, or that belong to another grant. */
const tokenRequest: readonly string[] = [
  'grant_type', 'code', 'redirect_uri', 'code_verifier', 'client_id', 'client_secret', 'client_assertion', 'client_assertion_type',
  'refresh_token', 'scope', 'resource', 'audience', 'assertion', 'subject_token', 'subject_token_type', 'actor_token', 'actor_token_type',
  'requested_token_type', 'device_code', 'auth_req_id', 'username', 'password',
] // prettier-ignore

const quirks: readonly ServerQuirk[] = [
  'error_with_status_200', 'json_as_text', 'expires_in_null', 'comma_separated_scope', 'scope_named_differently', 'basic_without_encoding',
  'offline_access_without_consent',
] // prettier-ignore

/**
 * Checks what a client says of itself and its authorization server, before any request.
 * @param known every option that the function `of` has, `clientOptions` and its own: any other is refused by its name
 * @throws OAuthError `invalid_configuration`, which names the option
 */
export function readClient(options: unknown, known: readonly string[], defaults: ClientDefaults, of = 'this function'): Client {
  const members = ownMembers(options, known, of)
  const server = readServer(members)
  const clock = readClock(members) ?? defaults.clock
  const clientId = readClientId(members)
  const account = text(members, 'account') ?? defaults.account
  const client = present<Required<Omit<Client, 'proofs'>>>({
    server,
    clientId,
    clientAuthentication:
      madeBy<ClientAuthentication>(members, 'clientAuthentication', 'method', 'none(), clientSecretBasic(…) or one of their kin') ??
      defaults.clientAuthentication ??
      publicClient,
    scope: scopeValues(members, 'scope') ?? [],
    resource: readResource(members),
    audience: text(members, 'audience'),
    tokenParameters: parameters(members, 'tokenParameters', tokenRequest) ?? bare({}),
    dpop: readDpop(members),
    pushedAuthorizationRequests: flag(members, 'pushedAuthorizationRequests'),
    signedRequests: madeBy(members, 'signedRequests', 'type'),
    signedResponses: madeBy(members, 'signedResponses', 'responseMode'),
    deadline: readDeadline(members) * 1_000,
    quirks: readQuirks(members),
    fetch: callable<typeof fetch>(members, 'fetch') ?? defaults.fetch,
    webCrypto: defaults.webCrypto,
    clock,
    emit: emitter({ issuer: server.issuer, clientId, account }, callable(members, 'observe'), clock),
  })
  readStore(members)
  readLock(members)
  return Object.freeze(client)
}

const publicClient: ClientAuthentication = Object.freeze({ method: 'none' })

/** By issuer or by metadata, never both: with discovery, an endpoint from elsewhere could be another server's. */
function readServer(members: Members): ServerAddress {
  const { issuer, authorizationServer } = members
  if (issuer !== undefined && authorizationServer !== undefined) {
    throw wrongOption('authorizationServer', 'and `issuer` are both there. Give the issuer, or the metadata where there is no discovery.')
  }
  if (authorizationServer === undefined) {
    return present<Required<ServerAddress>>({
      issuer: readIssuer(issuer, 'issuer'),
      discoveryUrl: members['discoveryUrl'] === undefined ? undefined : readDiscoveryUrl(members['discoveryUrl']),
      additionalMetadata:
        members['additionalMetadata'] === undefined ? undefined : readMetadata(members['additionalMetadata'], 'additionalMetadata'),
      metadata: undefined,
    })
  }
  for (const name of ['discoveryUrl', 'additionalMetadata']) {
    if (members[name] !== undefined)
      throw wrongOption(name, 'is for servers with discovery. Put it into `authorizationServer`, or give `issuer`.')
  }
  const metadata = readMetadata(authorizationServer, 'authorizationServer')
  return bare({ issuer: readIssuer(metadata['issuer'], 'authorizationServer.issuer'), metadata: metadata as AuthorizationServerMetadata })
}

/** RFC 8414 section 2. Kept as written: it is compared code point by code point. */
function readIssuer(value: unknown, name: string): string {
  if (value === undefined)
    throw wrongOption(name, 'is missing. Give the URL of the authorization server, such as https://auth.example.com.')
  const url = parseAddress(value)
  if (url === undefined) throw wrongOption(name, 'must be an absolute URL, such as https://auth.example.com.')
  if (!isSecure(url)) throw wrongOption(name, 'must be an https URL; http is for this machine only (127.0.0.1, [::1], localhost).')
  if (/[?#]/.test(value as string)) throw wrongOption(name, 'must have no query and no fragment (RFC 8414 section 2).')
  return value as string
}

function readDiscoveryUrl(value: unknown): string {
  const written = isObject(value) ? String(value) : value
  readEndpoint(written, 'discoveryUrl')
  return written as string
}

/** Metadata as its own members, without prototype; every endpoint in it https. */
function readMetadata(value: unknown, name: string): Readonly<Record<string, unknown>> {
  if (!isObject(value) || Array.isArray(value)) throw wrongOption(name, 'must be an object with the metadata of the server (RFC 8414).')
  const metadata: Record<string, unknown> = bare({})
  for (const member of Object.keys(value)) {
    const one = value[member]
    if (one === undefined) continue
    if (/_endpoint$|^jwks_uri$/.test(member)) readEndpoint(one, `${name}.${member}`)
    metadata[member] = member === 'mtls_endpoint_aliases' ? readMetadata(one, `${name}.${member}`) : one
  }
  return Object.freeze(metadata)
}

function readEndpoint(value: unknown, name: string): void {
  const url = parseAddress(value)
  if (url === undefined || !isSecure(url)) throw wrongOption(name, 'must be an absolute https URL; http is for this machine only.')
  if ((value as string).includes('#')) throw wrongOption(name, 'has a fragment. Leave it out.')
}

/** RFC 6749 appendix A.1. */
function readClientId(members: Members): string {
  const { clientId } = members
  if (isText(clientId) && /^[\x20-\x7E]+$/.test(clientId)) return clientId
  throw wrongOption('clientId', 'must be the client identifier from the registration: a string of ASCII characters that is not empty.')
}

/** An option whose value is made by a function of valetkey, told by its mark. */
function madeBy<T>(members: Members, name: string, mark: keyof T & string, by = `${name}(…)`): T | undefined {
  const value = members[name]
  if (value === undefined || (isObject(value) && isText(value[mark]))) return value as T | undefined
  throw wrongOption(name, `must be made by ${by}.`)
}

function readResource(members: Members): readonly string[] {
  return Object.freeze(resourcesIn(members).map(({ resource }) => resourceIndicator(resource, 'resource')))
}

/** What resources say of themselves, their own members only; of one that is given by its indicator, that. */
function resourcesIn({ resource = [] }: Members): readonly Members[] {
  return (Array.isArray(resource) ? resource : [resource]).map((one: unknown) => bare(isObject(one) ? { ...one } : { resource: one }))
}

/** On by itself where a resource takes bound tokens only (RFC 9728 section 2): it would refuse any other. */
function readDpop(members: Members): boolean {
  const isRequired = resourcesIn(members).some((one) => one['dpopBoundAccessTokensRequired'] === true)
  const dpop = flag(members, 'dpop')
  if (isRequired && dpop === false) throw wrongOption('dpop', 'must be true for this `resource`.')
  return dpop ?? isRequired
}

const longestDeadline = 300

function readDeadline(members: Members): number {
  const value = seconds(members, 'deadlineSeconds') ?? 10
  if (value > 0 && value <= longestDeadline) return value
  throw wrongOption('deadlineSeconds', `must be above 0 and at most ${longestDeadline}.`)
}

function readQuirks(members: Members): ReadonlySet<ServerQuirk> {
  const value = members['serverQuirks'] ?? []
  if (!Array.isArray(value) || !value.every((one) => quirks.includes(one as ServerQuirk))) {
    throw wrongOption('serverQuirks', `must be a list of: ${quirks.join(', ')}.`)
  }
  return new Set(value as ServerQuirk[])
}

function readClock(members: Members): Clock | undefined {
  return port<Clock>(members, 'clock', ['now', 'monotonic', 'wait'])
}

/** The option `store`, by its shape. */
export function readStore(members: Members): Store | undefined {
  return port<Store>(members, 'store', ['get', 'replace'])
}

/** The option `lock`. */
export function readLock(members: Members): Lock | undefined {
  return callable<Lock>(members, 'lock')
}

/** The option `userAgent`, by its shape. */
export function readUserAgent(members: Members): UserAgent | undefined {
  return port<UserAgent>(members, 'userAgent', ['authorize'])
}

/** An object with these methods, its own or its class's. */
function port<T>(members: Members, name: string, methods: readonly string[]): T | undefined {
  const value = members[name]
  if (value === undefined) return undefined
  if (!isObject(value) || !methods.every((method) => typeof value[method] === 'function')) {
    throw wrongOption(name, `must be an object with the functions ${methods.join(', ')}.`)
  }
  return value as T
}
