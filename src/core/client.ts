import type { DiscoveredResource } from './discovered-resource.js'
import type { Proofs } from './dpop.js'
import type { Emit, OAuthEvent } from './events.js'
import type { Clock, DecoupledSignIn, Lock, Store, UserAgent } from './ports.js'

/** The authorization server: by issuer (discovery), or by its metadata where it has no discovery. */
export type AuthorizationServer =
  | {
      readonly issuer: string
      /** Where the document is, when it is not at one of the standard places. Its `issuer` must still be the one above. */
      readonly discoveryUrl?: string | URL | undefined
      /** What the document leaves out, such as a revocation endpoint. What it has is not replaced. */
      readonly additionalMetadata?: Partial<AuthorizationServerMetadata> | undefined
      readonly authorizationServer?: undefined
    }
  | { readonly issuer?: undefined; readonly authorizationServer: AuthorizationServerMetadata }

/** RFC 8414 metadata, names as they are on the wire. */
export interface AuthorizationServerMetadata {
  readonly issuer: string
  readonly authorization_endpoint?: string
  readonly token_endpoint?: string
  readonly revocation_endpoint?: string
  readonly [member: string]: unknown
}

/** How the client says who it is at the authorization server. Made by `none()` and its kin. */
export interface ClientAuthentication {
  readonly method: string
}

/** How the client signs its authorization requests. Made by `signedRequests`. */
export interface SignedRequests {
  readonly type: 'oauth-authz-req+jwt'
}

/** That authorization responses are to be signed, and how that is checked. Made by `signedResponses`. */
export interface SignedResponses {
  readonly responseMode: 'jwt'
}

/** What every client says of itself, whatever it does. */
export interface ClientSettings {
  /** What the authorization server calls this client. */
  readonly clientId: string
  /** Default: `none()`, a public client. */
  readonly clientAuthentication?: ClientAuthentication | undefined
  /** Scope values to ask for, one string each. */
  readonly scope?: readonly string[] | undefined
  /** The resource indicators (RFC 8707) of the APIs that the tokens are for, or what `discoverResource` found. */
  readonly resource?: string | DiscoveredResource | readonly (string | DiscoveredResource)[] | undefined
  /** What some servers (and RFC 8693) use in the place of `resource`. */
  readonly audience?: string | undefined
  /** Further token request parameters; those of the protocol are refused. */
  readonly tokenParameters?: Readonly<Record<string, string>> | undefined
  /** Sender-constrained tokens (RFC 9449): bound to a key that stays here, so that a token which leaks is of no use elsewhere. Default: whether `resource` says that it takes no others. */
  readonly dpop?: boolean | undefined
  /** Default: IndexedDB in a page, elsewhere a new `memoryStore()` for each session or source. */
  readonly store?: Store | undefined
  /** Default: Web Locks in a page and its worker, none elsewhere. */
  readonly lock?: Lock | undefined
  /** For requests to the authorization server. Default: the global `fetch`, read at each request; in a page as it was when valetkey was loaded. */
  readonly fetch?: typeof fetch | undefined
  /** How long one exchange may take. Default 10. */
  readonly deadlineSeconds?: number | undefined
  /** Named ways in which this server breaks the rules. */
  readonly serverQuirks?: readonly ServerQuirk[] | undefined
  /** Is told what happens, without tokens. What it throws changes nothing. */
  readonly observe?: ((event: OAuthEvent) => void) | undefined
  /** Default: the system's. `manualClock` of `valetkey/testing` is one for tests. */
  readonly clock?: Clock | undefined
}

/** An authorization server, and a client of it. */
export type ClientOptions = AuthorizationServer & ClientSettings

/** A client whose users sign in. */
export interface UserSessionSettings extends ClientSettings {
  /** Which of several sessions of one client this is. Default: the only one. */
  readonly account?: string | undefined
  /** How the user reaches the authorization server. Without one the session lives from its store, and `signIn` rejects with `sign_in_required`. */
  readonly userAgent?: UserAgent | DecoupledSignIn | undefined
  /** Where the response comes to, as it is registered. A page may give a path; `loopback` has one of its own. */
  readonly redirectUri?: string | undefined
  /** Sent with every authorization request of this session, such as `{ access_type: 'offline' }`. */
  readonly authorizationParameters?: Readonly<Record<string, string>> | undefined
  /**
   * Whether the authorization request goes to the server itself first (RFC 9126), so that the address in the browser only names it: nobody reads it or
   * changes it there. Default: where the server takes no others. With `true`, a server that takes none is `not_supported`; with `false`, one that takes no
   * others is `invalid_configuration`, and nobody is sent there.
   */
  readonly pushedAuthorizationRequests?: boolean | undefined
  /** Signed authorization requests (RFC 9101); made by `signedRequests`. */
  readonly signedRequests?: SignedRequests | undefined
  /** Signed authorization responses (JARM), and no others; made by `signedResponses`. */
  readonly signedResponses?: SignedResponses | undefined
}

/** Of WebCrypto, what makes and keeps secrets. */
export interface WebCrypto extends Pick<typeof crypto, 'getRandomValues' | 'randomUUID'> {
  readonly subtle: Pick<(typeof crypto)['subtle'], 'digest' | 'importKey' | 'exportKey' | 'generateKey' | 'encrypt' | 'decrypt' | 'sign'>
}

/**
 * How a server may break the rules: `error_with_status_200` (an error that looks like a success), `json_as_text` (JSON by a text type), `expires_in_null`
 * (where nothing should be), `comma_separated_scope`, `scope_named_differently` (granted under other names than it was asked for), `basic_without_encoding`
 * (it decodes nothing in `Authorization: Basic`), `offline_access_without_consent` (it gives a refresh token without asking for consent).
 */
export type ServerQuirk =
  | 'error_with_status_200'
  | 'json_as_text'
  | 'expires_in_null'
  | 'comma_separated_scope'
  | 'scope_named_differently'
  | 'basic_without_encoding'
  | 'offline_access_without_consent'

/** Where a server's metadata comes from, checked. */
export interface ServerAddress {
  readonly issuer: string
  readonly discoveryUrl?: string
  readonly additionalMetadata?: Readonly<Record<string, unknown>>
  /** Metadata given by hand: then nothing is discovered. */
  readonly metadata?: AuthorizationServerMetadata
}

/** What every exchange with the authorization server needs to know of the client, checked once at construction. */
export interface Client {
  readonly server: ServerAddress
  readonly clientId: string
  readonly clientAuthentication: ClientAuthentication
  readonly scope: readonly string[]
  readonly resource: readonly string[]
  readonly audience?: string
  readonly tokenParameters: Readonly<Record<string, string>>
  readonly dpop: boolean
  /** Absent: where the server takes no other authorization requests. */
  readonly pushedAuthorizationRequests?: boolean
  readonly signedRequests?: SignedRequests
  readonly signedResponses?: SignedResponses
  /** With what its tokens are bound; made where the store is known, with `dpop` only. */
  readonly proofs?: () => Promise<Proofs>
  /** How long one exchange may take, in milliseconds. */
  readonly deadline: number
  readonly quirks: ReadonlySet<ServerQuirk>
  /** The caller's `fetch`, in a page the one that it had at first; absent: the global one, read at the call. */
  readonly fetch?: typeof fetch
  /** What a page had at first; absent: the global one, read at the call. */
  readonly webCrypto?: WebCrypto
  readonly clock: Clock
  /** Says a token-free fact to the program's `observe`. */
  readonly emit: Emit
}
