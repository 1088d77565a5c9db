import { type AccessToken, authorizationOf, bindingOf } from '../core/access-token.js'
import { type Carrier, carrierOf } from '../core/carrier.js'
import { asksForAnotherToken } from '../core/challenge.js'
import { OAuthError } from '../core/errors.js'
import { type OAuthFact, type SourceFacts, factsOf } from '../core/events.js'
import { callable, oneOf, ownMembers, wrongOption } from '../core/option.js'
import { isRedirect, mostRedirects } from '../core/redirect.js'
import { readResources } from '../core/resource.js'
import { Secret, bare } from '../core/secret.js'
import type { TokenOptions, TokenSource } from '../core/tokens.js'
import { unlessAborted } from '../core/unless-aborted.js'
import { type Listing, listing } from './listing.js'
import {
  type HeadersWith,
  type Outgoing,
  asRequest,
  canBeSentAgain,
  outgoing,
  redirected,
  sendable,
  withAuthorization,
  withToken,
} from './outgoing.js'
import { systemClock } from '../system-clock.js'

/** What a page had at first. What is absent is looked up at each call. */
export interface NativeFetch {
  readonly fetch?: typeof fetch
  readonly headersWith?: HeadersWith
}

/**
 * `oauthFetch`, by what is native here where the options have no `fetch`.
 * @throws OAuthError `invalid_configuration`
 */
export function oauthFetchBy(native: NativeFetch, source: TokenSource, options: unknown): typeof fetch {
  if (typeof (source as Partial<TokenSource> | undefined)?.token !== 'function') {
    throw wrongOption('source', 'must have a function `token`: a session, a grant, or a source of your own.')
  }
  const members = ownMembers(options, ['resources', 'otherUrls', 'fetch'], 'oauthFetch')
  const facts = factsOf(source)
  const place: Place = {
    source,
    carrier: carrierOf(source),
    listed: listing(readResources(members['resources'])),
    passes: oneOf(members, 'otherUrls', ['refuse', 'pass']) === 'pass',
    fetch: callable<typeof fetch>(members, 'fetch') ?? native.fetch,
    headersWith: native.headersWith,
    emit: facts?.emit ?? (() => {}),
    clock: facts?.clock ?? systemClock,
    ready: facts?.ready ?? (() => undefined),
  }
  return (input, init) => call(place, input, init)
}

/** What one oauthFetch was made of. */
interface Place {
  readonly source: TokenSource
  /** Where the tokens are elsewhere: what is listed here goes there, and who has them decides again. */
  readonly carrier: Carrier | undefined
  readonly listed: Listing
  readonly passes: boolean
  readonly fetch: typeof fetch | undefined
  readonly headersWith: HeadersWith | undefined
  readonly emit: (fact: OAuthFact) => void
  readonly clock: Pick<SourceFacts['clock'], 'monotonic'>
  readonly ready: NonNullable<SourceFacts['ready']>
}

/** Sends a request with its resource's token. Where that is at hand, nothing is awaited but the answer. */
async function call(place: Place, input: RequestInfo | URL, init: RequestInit | undefined): Promise<Response> {
  const asked = asRequest(input)
  const { url, resource } = place.listed(asked === undefined ? String(input) : asked.url)
  if (resource === undefined) return notListed(place, url, input, init)
  if (place.carrier !== undefined) return place.carrier(asked ?? url.href, init)
  const request = outgoing(asked, init, url, resource)
  request.signal?.throwIfAborted()
  const token = place.ready(resource.target)
  if (token === undefined) return goOn(place, request)
  const authorization = authorizationOf(token)
  const first =
    authorization === undefined || bindingOf(token) !== undefined
      ? await sendWith(place, request, token)
      : await send(place, request, withAuthorization(request, authorization, place.headersWith))
  return isUsual(first) ? first : goOn(place, request, { token, first })
}

/** Sends it, if it is not answered yet, then does what the answer calls for: one retry in all, and as many redirects as fetch follows. */
async function goOn(
  place: Place,
  begun: Outgoing,
  answered?: { readonly token: AccessToken; readonly first: Response },
): Promise<Response> {
  let request = begun
  for (let redirects = 0, mayRetry = true; ; redirects += 1) {
    request.signal?.throwIfAborted()
    const { token, first } = (request === begun ? answered : undefined) ?? (await sent(place, request))
    if (isUsual(first)) return arrived(first, redirects)
    const second: Response | undefined = asksForAnotherToken(first, token.tokenType)
      ? await retry(place, request, first, token, mayRetry)
      : undefined
    mayRetry &&= second === undefined
    const response = second ?? first
    const following = follow(place, request, response, redirects)
    if (following === undefined) return arrived(response, redirects)
    discard(response)
    request = following
  }
}

async function sent(place: Place, request: Outgoing): Promise<{ readonly token: AccessToken; readonly first: Response }> {
  const token = await unlessAborted(place.source.token(wantedBy(request)), request.signal)
  return { token, first: await sendWith(place, request, token) }
}

async function sendWith(place: Place, request: Outgoing, token: AccessToken): Promise<Response> {
  return sendProven(place, request, token, await headersOf(place, request, token))
}

function wantedBy({ resource, signal }: Outgoing): TokenOptions {
  return signal === undefined ? resource.target : { ...resource.target, signal }
}

function notListed(place: Place, url: URL | undefined, input: RequestInfo | URL, init: RequestInit | undefined): Promise<Response> {
  const origin = url?.origin ?? 'null'
  place.emit({ type: 'token_withheld', origin })
  if (place.passes) return (place.fetch ?? globalThis.fetch)(input, init)
  const what = url === undefined ? 'What was called is no URL' : `The URL, whose origin is ${origin}, is none of \`resources\``
  throw new OAuthError(
    'resource_not_listed',
    `${what}, so it gets no token and was not called. Add it to \`resources\` if it may have the token, or use plain fetch.`,
  )
}

/** The answer to the same request with a later token; `undefined` when there is none to be had, and the refusal is the answer. */
async function retry(
  place: Place,
  request: Outgoing,
  first: Response,
  rejected: AccessToken,
  mayRetry: boolean,
): Promise<Response | undefined> {
  const refusal: OAuthFact = { type: 'token_rejected', origin: request.resource.origin }
  place.emit(refusal)
  if (!mayRetry || !canBeSentAgain(request) || isResting(place)) return undefined
  const later = await laterToken(place, request, rejected)
  if (later === undefined) return undefined
  discard(first)
  const second: Response | undefined = await sendProven(place, { ...request, init: { ...request.init } }, later.token, later.headers)
  if (asksForAnotherToken(second, later.token.tokenType)) {
    place.emit(refusal)
    rest(place)
  }
  return second
}

/** The token that answers a refusal, made ready to be sent. */
async function laterToken(
  place: Place,
  request: Outgoing,
  rejected: AccessToken,
): Promise<{ readonly token: AccessToken; readonly headers: HeadersInit } | undefined> {
  const { signal } = request
  try {
    const later = await unlessAborted(place.source.token({ ...wantedBy(request), rejected }), signal)
    // A source of the program's own may know of no other token.
    if (Secret.equals(later, rejected)) return undefined
    return { token: later, headers: await headersOf(place, request, later) }
  } catch {
    signal?.throwIfAborted()
    return undefined
  }
}

/** Says of a response what fetch would have said, had it followed by itself. Only this object says it, not a clone. */
function arrived(response: Response, redirects: number): Response {
  return redirects === 0 ? response : Object.defineProperty(response, 'redirected', { value: true })
}

/** An answer that nothing is to be done about, which is all but a few. */
function isUsual(response: Response): boolean {
  const { status } = response
  return status !== 401 && (status < 300 || status > 399) && response.type !== 'opaqueredirect'
}

async function headersOf({ headersWith }: Place, request: Outgoing, token: AccessToken): Promise<HeadersInit> {
  const { method, url } = request
  const [authorization, binding] = [authorizationOf(token), bindingOf(token)]
  // What was made here was looked at when it was made.
  if (authorization === undefined) return withToken(request, sendable(await token.headersFor(method, url.href)), headersWith)
  const carried = binding === undefined ? { authorization } : { authorization, dpop: await binding.proof(method, url) }
  return withToken(request, bare(carried), headersWith)
}

/** Sends a request, and once more with a fresh proof where the token is bound and the answer asks for one (RFC 9449 section 9). */
async function sendProven(place: Place, request: Outgoing, token: AccessToken, headers: HeadersInit): Promise<Response> {
  const binding = bindingOf(token)
  const first = await send(place, request, headers)
  if (binding?.answered(request.url, first) !== true || !canBeSentAgain(request)) return first
  discard(first)
  const second: Response = await send(place, { ...request, init: { ...request.init } }, await headersOf(place, request, token))
  binding?.answered(request.url, second)
  return second
}

function send({ fetch, emit }: Place, { input, init, resource }: Outgoing, headers: HeadersInit): Promise<Response> {
  emit({ type: 'token_attached', origin: resource.origin })
  init.headers = headers
  return (fetch ?? globalThis.fetch)(input, init)
}

/** The request that a redirect leads to; `undefined` when the response is none, or its redirect is the caller's own business. */
function follow(place: Place, request: Outgoing, response: Response, redirects: number): Outgoing | undefined {
  if (request.redirect !== 'follow') return undefined
  if (response.type === 'opaqueredirect') throw refused(request, response, 'A page cannot see where to. Call the final address.')
  const location = isRedirect(response.status) ? response.headers.get('location') : null
  if (location === null) return undefined
  if (redirects === mostRedirects) throw refused(request, response, `It was the ${mostRedirects + 1}st in a row.`)
  const { url, resource } = place.listed(location, request.url)
  if (url === undefined) throw refused(request, response, 'Its Location is no URL.')
  if (resource === undefined) {
    place.emit({ type: 'token_withheld', origin: url.origin })
    throw refused(
      request,
      response,
      `It leads to ${url.origin}, to a URL that is none of \`resources\`, which was not called. Add it there if it may have the token, or look at the redirect with { redirect: 'manual' }.`,
    )
  }
  const following = redirected(request, response.status, url, resource)
  if (following === undefined)
    throw refused(request, response, 'The body was a stream, or that of a Request, and cannot be sent again. Call the final address.')
  return following
}

function refused(request: Outgoing, response: Response, why: string): OAuthError {
  discard(response)
  return new OAuthError(
    'redirect_refused',
    `${request.url.origin} answered with a redirect that is not followed. ${why}`,
    response.status === 0 ? {} : { status: response.status },
  )
}

/** Gives its connection back. What becomes of the body is nobody's concern. */
function discard(response: Response): void {
  response.body?.cancel().catch(() => {})
}

/** Until when (on its clock's `monotonic`) refusals of a source renew nothing, whichever oauthFetch meets them. */
const resting = new WeakMap<TokenSource, number>()

/** An API that refuses every token must not make a renewal of every call. */
const restMilliseconds = 60_000

function isResting({ source, clock }: Place): boolean {
  return clock.monotonic() < (resting.get(source) ?? -Infinity)
}

function rest({ source, clock }: Place): void {
  resting.set(source, clock.monotonic() + restMilliseconds)
}
