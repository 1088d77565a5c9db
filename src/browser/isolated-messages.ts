import { isHttp, parseUrl } from '../core/address.js'
import { OAuthError } from '../core/errors.js'
import { type Members, Unreadable, list, number, object, oneOf, optional, readable, string, strings } from '../core/reading.js'
import { present } from '../core/secret.js'
import type { SessionSnapshot, SignOutResult } from '../core/session-contract.js'
import type { AuthorizationDetail, IdTokenClaims, SessionEnd } from '../core/token-record.js'
import { errorMessage, readError } from './error-messages.js'

// What a page and the worker that keeps its tokens say to each other about the session. The code goes to the worker, in the address that the
// page has anyway; a token, a verifier or a secret goes neither way. What is read is believed member by member; what does not fit is no message.

/** The page, as it says of itself with all that it asks. */
export interface Seen {
  readonly address: string
  readonly isFramed: boolean
  readonly isAttended: boolean
}

/** What a page asks of its worker. Those with an `id` are answered. */
export type Ask =
  | { readonly kind: 'resume'; readonly id: number; readonly seen: Seen; readonly response?: string }
  | { readonly kind: 'sign_in' | 'sign_out'; readonly id: number; readonly seen: Seen; readonly options: object }
  | { readonly kind: 'abort'; readonly id: number }
  | { readonly kind: 'wake'; readonly seen: Seen }
  /** An order was obeyed, or could not be. */
  | { readonly kind: 'obeyed'; readonly id: number; readonly error?: OAuthError }

/** `replace`: the address in the page's history. `navigate`: leave. `leave`: the same, for a sign-in that the user may come Back from. */
export interface Order {
  readonly kind: 'replace' | 'navigate' | 'leave'
  readonly id: number
  readonly url: string
}

/** What a worker says to its page. */
export type Said =
  /** `lock`: the Web Lock that it holds for as long as it lives. `error`: it cannot serve, and why. */
  | { readonly kind: 'hello'; readonly lock?: string; readonly error?: OAuthError }
  | { readonly kind: 'snapshot'; readonly snapshot: SessionSnapshot }
  | { readonly kind: 'done'; readonly id: number; readonly value?: unknown; readonly error?: OAuthError }
  | Order

/** Either, as it is posted. */
export function plain(message: Ask | Said): object {
  const { kind, ...rest } = message
  const { error, ...others } = rest as { readonly error?: OAuthError }
  return { valetkey: kind, ...others, ...(error === undefined ? {} : { error: errorMessage(error) }) }
}

/** @param origin of the worker: a page of another is no page of its own */
export function readAsk(message: unknown, origin: string): Ask | undefined {
  return readable<Ask>(() => {
    const from = object(message)
    const kind = oneOf(from['valetkey'], ['resume', 'sign_in', 'sign_out', 'abort', 'wake', 'obeyed'])
    if (kind === 'wake') return { kind, seen: seen(from['seen'], origin) }
    const id = number(from['id'])
    if (kind === 'abort') return { kind, id }
    if (kind === 'obeyed') return { kind, id, ...withError(from) }
    const asked = { id, seen: seen(from['seen'], origin) }
    if (kind !== 'resume') return { kind, ...asked, options: object(from['options']) }
    return { kind, ...asked, ...present<{ response?: string }>({ response: optional(from['response'], string) }) }
  })
}

export function readSaid(message: unknown): Said | undefined {
  return readable<Said>(() => {
    const from = object(message)
    const kind = oneOf(from['valetkey'], ['hello', 'snapshot', 'done', 'replace', 'navigate', 'leave'])
    if (kind === 'hello') return { kind, ...withError(from), ...present<{ lock?: string }>({ lock: optional(from['lock'], string) }) }
    if (kind === 'snapshot') return { kind, snapshot: readSnapshot(from['snapshot']) }
    const id = number(from['id'])
    if (kind === 'done') return { kind, id, value: from['value'], ...withError(from) }
    return { kind, id, url: address(from['url']).href }
  })
}

/** Throws `Unreadable` where it is none. */
export function readSignOutResult(value: unknown): SignOutResult {
  const from = object(value)
  const revocation = (name: string) => oneOf(from[name], ['revoked', 'not_supported', 'failed', 'absent'])
  return {
    refreshToken: revocation('refreshToken'),
    accessTokens: revocation('accessTokens'),
    authorizationServer: oneOf(from['authorizationServer'], ['ended', 'not_supported', 'failed', 'not_asked']),
  }
}

function readSnapshot(value: unknown): SessionSnapshot {
  const from = object(value)
  return present<SessionSnapshot>({
    status: oneOf<SessionSnapshot['status']>(from['status'], ['unknown', 'signed_out', 'signing_in', 'signed_in']),
    grantedScope: Object.freeze(strings(from['grantedScope'])),
    idTokenClaims: optional(from['idTokenClaims'], (claims) => object(claims) as unknown as IdTokenClaims),
    authorizationDetails: optional(from['authorizationDetails'], (details) => list(details) as readonly AuthorizationDetail[]),
    sessionExpiresAt: optional(from['sessionExpiresAt'], number),
    ended: optional(from['ended'], (ended) =>
      oneOf<SessionEnd>(ended, ['signed_out', 'invalid_grant', 'ambiguous_rotation', 'user_changed', 'key_lost', 'expired']),
    ),
  })
}

function seen(value: unknown, origin: string): Seen {
  const from = object(value)
  const url = address(from['address'])
  if (url.origin !== origin) throw new Unreadable()
  return { address: url.href, isFramed: flag(from['isFramed']), isAttended: flag(from['isAttended']) }
}

/** http or https, and nothing that would run. */
function address(value: unknown): URL {
  const url = parseUrl(string(value))
  if (url === undefined || !isHttp(url)) throw new Unreadable()
  return url
}

function flag(value: unknown): boolean {
  if (typeof value !== 'boolean') throw new Unreadable()
  return value
}

function withError(from: Members): { readonly error?: OAuthError } {
  return present<{ error?: OAuthError }>({ error: optional(from['error'], readError) })
}
