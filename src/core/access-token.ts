import type { Binding } from './dpop.js'
import { isText, ownMembers, scopeValues, text as textOption, wrongOption } from './option.js'
import { Secret, disguised, present } from './secret.js'

/** An access token. It prints, serialises and inspects as `[redacted]`. */
export interface AccessToken {
  /** `DPoP`: bound to a key, and of no use without a proof (RFC 9449). */
  readonly tokenType: 'Bearer' | 'DPoP'
  /** The scope that was granted for it. */
  readonly scope: readonly string[]
  /** The resource indicator (RFC 8707) that it was asked for with. */
  readonly resource?: string
  /** Milliseconds since the epoch. Absent when the server did not say. */
  readonly expiresAt?: number
  /** The headers that carry it on one request (RFC 6750 section 2.1): `authorization`, and `dpop` with a fresh proof where the token is bound. */
  headersFor(method: string, url: string | URL): Promise<Readonly<Record<string, string>>>
  /** The text, for carriers without headers. A DPoP-bound token is of no use as bare text. */
  reveal(): string
}

/** @inline */
export interface AccessTokenFacts {
  readonly scope?: readonly string[]
  readonly resource?: string
  readonly expiresAt?: number
}

/**
 * Makes an AccessToken from text that came from elsewhere: for sources of your own, and for tests. White space around the text is no part of it.
 *
 * @throws OAuthError `invalid_configuration` where there is no text, or a fact is wrong or unknown
 *
 * @example
 * const source: TokenSource = { token: async () => accessToken(await readFile('/run/token', 'utf8')) }
 */
export function accessToken(text: string, facts: AccessTokenFacts = {}): AccessToken {
  if (!isText(text) || text.trim() === '')
    throw wrongOption('text', 'of accessToken must be a string that is not empty. Check where the token is read from.')
  const members = ownMembers(facts, ['scope', 'resource', 'expiresAt'], 'accessToken')
  const { expiresAt } = members
  if (expiresAt !== undefined && !(typeof expiresAt === 'number' && Number.isFinite(expiresAt)))
    throw wrongOption('expiresAt', 'must be a time in milliseconds since the epoch.')
  return carrying(
    Secret.of(text.trim()),
    present<AccessTokenFacts>({ scope: scopeValues(members, 'scope'), resource: textOption(members, 'resource'), expiresAt }),
  )
}

/** The AccessToken of a text that is already a Secret; with a binding it is a DPoP token (RFC 9449 section 7.1). */
export function carrying(text: Secret, facts: AccessTokenFacts, binding?: Binding): AccessToken {
  const tokenType = binding === undefined ? 'Bearer' : 'DPoP'
  const token = disguised<AccessToken>({
    tokenType,
    scope: Object.freeze([...(facts.scope ?? [])]),
    ...(facts.resource === undefined ? {} : { resource: facts.resource }),
    ...(facts.expiresAt === undefined ? {} : { expiresAt: facts.expiresAt }),
    headersFor: async (method, url) => {
      const headers = Object.assign(Object.create(null) as Record<string, string>, { authorization: `${tokenType} ${text.reveal()}` })
      if (binding !== undefined) headers['dpop'] = await binding.proof(method, String(url))
      return headers
    },
    reveal: text.reveal,
  })
  const authorization = `${tokenType} ${text.reveal()}`
  if (binding !== undefined) bindings.set(token, binding)
  if (isSendable(authorization)) authorizations.set(token, authorization)
  return token
}

/** Whether a header can carry it. fetch takes away the white space at the end, such as a file's last line break. */
export function isSendable(text: string): boolean {
  return /^[\t\x20-\x7E]*[\r\n]*$/.test(text)
}

/** The whole header of each token that was made here. It is in no object that a program can look into. */
const authorizations = new WeakMap<AccessToken, string>()

/** The `authorization` that `headersFor` resolves with for a token that was made here, in this very turn; `undefined` where no header can carry it. */
export function authorizationOf(token: AccessToken): string | undefined {
  return authorizations.get(token)
}

const bindings = new WeakMap<AccessToken, Binding>()

/** How the token is bound, where it is. */
export function bindingOf(token: AccessToken): Binding | undefined {
  return bindings.get(token)
}
