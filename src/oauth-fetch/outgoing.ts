// What a caller hands to fetch, read once: its headers, its body, and what a redirect makes of them.

import { isSendable } from '../core/access-token.js'
import { OAuthError } from '../core/errors.js'
import { becomesGet, bodyHeaders, originHeaders } from '../core/redirect.js'
import type { Resource } from '../core/resource.js'
import { bare } from '../core/secret.js'

/** One request to a resource, all but its token. */
export interface Outgoing {
  /** What `fetch` gets first: the caller's Request, which alone has its body, else the address that was checked. */
  readonly input: Request | string
  readonly url: URL
  readonly resource: Resource
  readonly method: string
  /** A copy of the caller's, in which each sending puts its own `authorization` and `dpop`. */
  readonly headers: Headers | Record<string, string> | undefined
  /** Our copy of the caller's, as fetch gets it once its `headers` are put in; never `redirect: 'follow'`. */
  readonly init: RequestInit
  /** What the caller wants done about redirects. */
  readonly redirect: RequestRedirect
  readonly signal: AbortSignal | undefined
}

/** The Request that fetch would take this for. What is none it takes as the text of an address, whatever members it has. */
export function asRequest(input: unknown): Request | undefined {
  if (typeof input !== 'object' || input === null || input instanceof URL) return undefined
  const isOne = (typeof Request === 'function' && input instanceof Request) || Object.prototype.toString.call(input) === '[object Request]'
  return isOne ? (input as Request) : undefined
}

/** Reads everything now: what the caller does to its objects while a token is renewed changes nothing. */
export function outgoing(request: Request | undefined, given: RequestInit | undefined, url: URL, resource: Resource): Outgoing {
  const init = copyOf(given)
  if (request !== undefined && Object.values(init).every((member) => member === undefined)) {
    // Any member of an init makes fetch forget these two of the Request, and ours has members.
    if (request.referrer !== 'about:client') init.referrer = request.referrer
    if (request.referrerPolicy !== '') init.referrerPolicy = request.referrerPolicy
  }
  const signal = init.signal === undefined ? request?.signal : init.signal
  const redirect = init.redirect ?? request?.redirect ?? 'follow'
  // Left to itself fetch drops the token at another origin, but neither a DPoP proof nor the body.
  init.redirect = redirect === 'follow' ? 'manual' : redirect
  return {
    input: request ?? url.href,
    url,
    resource,
    method: normalised(init.method ?? request?.method ?? 'GET'),
    headers: callersHeaders(init.headers ?? request?.headers),
    init,
    redirect,
    signal: signal ?? undefined,
  }
}

/** As fetch reads an init: the members that another kind of object inherits count too. */
function copyOf(init: RequestInit | undefined): RequestInit {
  // `headers` and `redirect` are set later: an object that has their places from the start is filled much faster.
  if (init === undefined || Object.getPrototypeOf(init) === Object.prototype) {
    return { headers: undefined, redirect: undefined, ...init } as RequestInit
  }
  const copy: Record<string, unknown> = { headers: undefined, redirect: undefined }
  for (const name in init) copy[name] = init[name as keyof RequestInit]
  return copy
}

const standardMethods: readonly string[] = ['GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS']

/** fetch writes these in capitals, and others as they come. */
function normalised(method: string): string {
  if (standardMethods.includes(method)) return method
  const upper = method.toUpperCase()
  return standardMethods.includes(upper) ? upper : method
}

function callersHeaders(given: HeadersInit | undefined): Headers | Record<string, string> | undefined {
  if (given === undefined || given === null) return undefined
  if (Symbol.iterator in given) {
    const headers = new Headers(given)
    for (const name of reserved) if (headers.has(name)) throw callersOwn(name)
    return headers
  }
  for (const name of Object.keys(given)) if (reserved.includes(name.toLowerCase())) throw callersOwn(name.toLowerCase())
  // An object that has this place from the start is filled much faster.
  return { authorization: '', ...given }
}

const reserved: readonly string[] = ['authorization', 'dpop']

function callersOwn(name: string): OAuthError {
  return new OAuthError(
    'invalid_configuration',
    `The call has an \`${name}\` header of its own, and its URL is one of \`resources\`, which get the source's token. Leave the header out, or use plain fetch for this call.`,
  )
}

/** A copy of headers, and these besides. */
export type HeadersWith = (headers: Headers, carried: Readonly<Record<string, string>>) => Headers

const togetherIn: HeadersWith = (headers, carried) => {
  const together = new Headers(headers)
  for (const name of Object.keys(carried)) together.set(name, carried[name] ?? '')
  return together
}

/** The caller's headers and those that carry the token. */
export function withToken(
  { headers }: Outgoing,
  carried: Readonly<Record<string, string>>,
  headersWith: HeadersWith = togetherIn,
): HeadersInit {
  if (headers === undefined) return carried
  if (headers instanceof Headers) return headersWith(headers, carried)
  const together: Record<string, string> = { ...headers }
  for (const name of Object.keys(carried)) together[name] = carried[name] ?? ''
  return together
}

/** What no header can carry is refused here: fetch would quote it in its error. */
export function sendable(carried: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  if (Object.keys(carried).every((name) => isSendable(carried[name] ?? ''))) return carried
  throw new OAuthError(
    'token_response_invalid',
    'The access token has characters that no HTTP header can carry (RFC 6750 section 2.1). Look at where the source gets it from.',
  )
}

/** As `withToken`, for the first sending with one header: into the copy itself, which is nobody else's. */
export function withAuthorization({ headers }: Outgoing, authorization: string, headersWith: HeadersWith | undefined): HeadersInit {
  if (headers instanceof Headers) {
    if (headersWith !== undefined) return headersWith(headers, bare({ authorization }))
    headers.set('authorization', authorization)
    return headers
  }
  const filled = headers ?? (Object.create(nothing) as Record<string, string>)
  filled['authorization'] = authorization
  return filled
}

/** As good as no prototype, and objects on it are made much faster. */
const nothing: object = Object.freeze(Object.create(null))

const repeatable: readonly string[] = ['Blob', 'File', 'FormData', 'URLSearchParams', 'ArrayBuffer', 'SharedArrayBuffer']

/** Whether the same body can be sent a second time: not a stream, nor the body of a Request, which is one. Nothing is kept for it in memory. */
export function canBeSentAgain({ init, input, method }: Outgoing): boolean {
  const body: unknown = init.body
  if (body === undefined || body === null) return typeof input === 'string' || !hasBody(input, method)
  return typeof body !== 'object' || ArrayBuffer.isView(body) || repeatable.includes(Object.prototype.toString.call(body).slice(8, -1))
}

/** Not every engine shows a Request's body; then only GET and HEAD are known to have none. */
function hasBody(request: Request, method: string): boolean {
  return request.body === undefined ? method !== 'GET' && method !== 'HEAD' : request.body !== null
}

/** The request that follows a redirect; `undefined` when its body would be needed and is gone. */
export function redirected(from: Outgoing, status: number, url: URL, resource: Resource): Outgoing | undefined {
  const toGet = becomesGet(status, from.method)
  if (!toGet && !canBeSentAgain(from)) return undefined
  const headers = new Headers(from.headers)
  if (toGet) for (const name of bodyHeaders) headers.delete(name)
  if (url.origin !== from.url.origin) for (const name of originHeaders) headers.delete(name)
  const method = toGet ? 'GET' : from.method
  const init: RequestInit = {
    ...(typeof from.input === 'string' ? {} : membersOf(from.input)),
    ...from.init,
    method,
    signal: from.signal ?? null,
  }
  if (toGet) init.body = null
  return { ...from, input: url.href, url, resource, method, headers, init }
}

/** A Request's members, without body and headers, for a call to another address. */
function membersOf(request: Request): RequestInit {
  const { mode, credentials, cache, referrer, referrerPolicy, integrity, keepalive } = request
  return { mode, credentials, cache, referrer, referrerPolicy, integrity, keepalive }
}
