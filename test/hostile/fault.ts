import type { IncomingHttpHeaders } from 'node:http'

// What a scenario may make of the honest answers of the authorization server. Each member is a pure function over what an honest server says.

export type Json = Record<string, unknown>

export type Endpoint =
  | 'metadata'
  | 'par'
  | 'authorize'
  | 'token'
  | 'jwks'
  | 'userinfo'
  | 'revoke'
  | 'resource'
  /** Another origin, which nobody was ever meant to talk to. */
  | 'elsewhere'
  | 'nowhere'

/** A request as it came, body and all. */
export interface Received {
  readonly endpoint: Endpoint
  readonly method: string
  readonly url: URL
  readonly headers: IncomingHttpHeaders
  readonly body: string
  readonly form: URLSearchParams
}

/** Where a scenario takes place: an issuer of its own, and what is around it. */
export interface Place {
  readonly issuer: string
  /** The one URL prefix that may get a token. */
  readonly resource: string
  /** The origin of a stranger. */
  readonly elsewhere: string
  /** Another issuer, honest, on the same server. */
  readonly other: string
  readonly redirectUri: string
  readonly clientId: string
  readonly clientSecret: string
  /** A code that was issued to another user agent: right in every way, but of another request. */
  foreignCode(): string
  /** Text with the marker in it; it is looked for like every other secret. */
  secret(kind: string): string
}

/** How an answer is carried. */
export interface Transport {
  readonly status?: number
  /** Put in the place of those that the honest answer has; `undefined` leaves one out. */
  readonly headers?: Readonly<Record<string, string | undefined>>
  /** A redirect to there, with this status or 302. */
  readonly redirect?: string
  /** Nothing is done: no code is spent, no token is rotated. */
  readonly undone?: true
  /** The connection breaks when the request was read and its work was done. */
  readonly reset?: true
  /** No answer, ever. */
  readonly silent?: true
  /** Headers, then a byte at a time, for ever. */
  readonly drip?: true
  /** The connection breaks after so many bytes of the body. */
  readonly truncate?: number
  /** So many bytes of white space after the JSON text. */
  readonly padding?: number
  readonly gzip?: true
}

/** An ID token, or a signed authorization response, before it is signed. */
export interface IdTokenParts {
  readonly header: Json
  readonly claims: Json
  /** In the place of the signature that the header asks for. */
  readonly signature?: string
}

/** An answer of the resource. */
export interface ResourceAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** A member that is text or bytes stands for a whole body. */
export interface Fault {
  readonly discovery?: (document: Json, place: Place) => Json | string
  /** The parameters of the authorization response; what begins with `#` goes into the fragment. */
  readonly authorize?: (parameters: readonly Parameter[], place: Place) => readonly Parameter[]
  /** A signed authorization response (JARM), for who asks for one. */
  readonly signedResponse?: (parts: IdTokenParts, place: Place) => IdTokenParts
  readonly token?: (body: Json, request: Received, place: Place) => Json | string | Buffer
  readonly idToken?: (header: Json, claims: Json, place: Place, request: Received) => IdTokenParts
  readonly jwks?: (set: Json) => Json
  readonly userinfo?: (claims: Json) => Json
  /** `nth` counts the requests to the resource, from 0. */
  readonly resource?: (answer: ResourceAnswer, request: Received, place: Place, nth: number) => ResourceAnswer
  /** The DPoP nonce without which nothing is done there; `nth` counts the requests to this endpoint, from 0. */
  readonly nonce?: (endpoint: 'par' | 'token' | 'resource', nth: number) => string
  /** `nth` counts the requests to this endpoint, from 0. */
  readonly transport?: (request: Received, place: Place, nth: number) => Transport | undefined
}

export type Parameter = readonly [name: string, value: string]
