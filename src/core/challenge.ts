import { isSecure, parseAddress } from './address.js'
import { isScopeToken, parseScope } from './scope.js'
import { bare, present } from './secret.js'

/** What a resource server asks for, as it can be spread into `signIn`. */
export interface Challenge {
  /** What the API says is wrong; `undefined` where it says no more than that it wants something. */
  readonly error: 'insufficient_scope' | 'insufficient_user_authentication' | 'invalid_token' | undefined
  /** The scope that the call needs. */
  readonly scope?: readonly string[]
  /** Authentication contexts, one of which the API wants (RFC 9470). */
  readonly acrValues?: readonly string[]
  /** How long ago the user may have authenticated (RFC 9470). */
  readonly maxAgeSeconds?: number
  /** Where the resource describes itself (RFC 9728). */
  readonly resourceMetadata?: string
}

/**
 * What a 401 or 403 asks for, ready to be spread into `signIn`; `undefined` when it asks for nothing that a sign-in can give.
 * Reads `WWW-Authenticate` (RFC 9110 section 11.6.1, RFC 6750 section 3, RFC 9470 section 3) and leaves out what is malformed.
 * Across origins a page can read that header only where the API exposes it (`Access-Control-Expose-Headers`).
 *
 * @example
 * const response = await api('https://api.example.com/payments', { method: 'POST', body })
 * const challenge = challengeOf(response)
 * if (challenge) await session.signIn({ ...challenge, returnTo: '/pay' })
 */
export function challengeOf(response: Response): Challenge | undefined {
  if (response.status !== 401 && response.status !== 403) return undefined
  const ours = challengesIn(response.headers.get('www-authenticate')).filter(({ scheme }) => scheme === 'bearer' || scheme === 'dpop')
  return ours.map((challenge) => askedFor(challenge, response.status)).find((asked) => asked !== undefined)
}

function askedFor({ parameters }: WireChallenge, status: number): Challenge | undefined {
  const error = answerable.find((one) => one === parameters.get('error'))
  if (error === undefined && parameters.has('error')) return undefined
  const wanted = present<Required<Omit<Challenge, 'error'>>>({
    scope: list(parameters.get('scope'), isScopeToken),
    acrValues: list(parameters.get('acr_values'), isScopeToken),
    maxAgeSeconds: wholeSeconds(parameters.get('max_age')),
    resourceMetadata: secureAddress(parameters.get('resource_metadata')),
  })
  // A bare 401 asks for a token; a bare 403 says no, and nothing of what would make it yes.
  if (error === undefined && status === 403 && wanted.scope === undefined && wanted.acrValues === undefined) return undefined
  return Object.freeze(bare({ error, ...wanted }))
}

const answerable = ['insufficient_scope', 'insufficient_user_authentication', 'invalid_token'] as const

/**
 * Whether a renewed token may be the answer to this response: a 401 that calls the token invalid, or says no more than that it wants one,
 * or whose challenge cannot be read. Not one that asks for something else: another scope, another authentication, another scheme.
 */
export function asksForAnotherToken(response: Response, tokenType: 'Bearer' | 'DPoP'): boolean {
  if (response.status !== 401) return false
  const challenges = challengesIn(response.headers.get('www-authenticate'))
  if (challenges.length === 0) return true
  const ours = challenges.filter(({ scheme }) => scheme === 'bearer' || scheme === tokenType.toLowerCase())
  const errors = ours.map(({ parameters }) => parameters.get('error'))
  return errors.includes('invalid_token') || (ours.length > 0 && errors.every((error) => error === undefined))
}

/** One challenge of a `WWW-Authenticate` header: scheme and parameter names in lower case. */
interface WireChallenge {
  readonly scheme: string
  readonly parameters: ReadonlyMap<string, string>
}

/** Longer than any header that a server sends in good faith, and short enough to be read at once. What follows is not looked at. */
const longestHeader = 16_384

/** RFC 9110 section 11.6.1. Every pattern is anchored where the last one ended and takes what it can in one way: linear, whatever comes. */
const separators = /[\s,]*/y
const token = /[\w!#$%&'*+.^`|~-]+/y
const equals = /[ \t]*=[ \t]*/y
const quotedString = /"((?:[^"\\]|\\[^])*)"/y
const token68 = /[ \t]+[\w.~+/-]+=*[ \t]*(?=,|$)/y

/** All challenges in the order in which they came. What is malformed is passed over, so that one odd server parameter hides no other. */
export function challengesIn(header: string | null): readonly WireChallenge[] {
  const text = (header ?? '').slice(0, longestHeader)
  const challenges: { scheme: string; parameters: Map<string, string> }[] = []
  let at = 0
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at
    const found = pattern.exec(text)
    if (found !== null) at = pattern.lastIndex
    return found
  }
  while (take(separators) !== null && at < text.length) {
    const name = take(token)?.[0].toLowerCase()
    if (name === undefined) {
      // Not the start of anything: a stray quoted string as a whole, so that nothing inside it is taken for a challenge.
      if (take(quotedString) === null) at += text[at] === '"' ? text.length : 1
      continue
    }
    if (take(equals) === null) {
      challenges.push({ scheme: name, parameters: new Map() })
      take(token68)
      continue
    }
    const quoted = take(quotedString)
    const value = quoted === null ? take(token)?.[0] : quoted[1]?.replace(/\\([^])/g, '$1')
    const parameters = challenges.at(-1)?.parameters
    if (value !== undefined && parameters !== undefined && !parameters.has(name)) parameters.set(name, value)
  }
  return challenges
}

function list(value: string | undefined, isOne: (value: string) => boolean): readonly string[] | undefined {
  const values = parseScope(value ?? '').filter(isOne)
  return values.length === 0 ? undefined : Object.freeze(values)
}

function wholeSeconds(value: string | undefined): number | undefined {
  return value !== undefined && /^\d{1,10}$/.test(value) ? Number(value) : undefined
}

function secureAddress(value: string | undefined): string | undefined {
  const url = parseAddress(value)
  return url !== undefined && isSecure(url) ? value : undefined
}
