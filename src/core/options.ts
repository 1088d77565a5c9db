import { isHttp, parseUrl } from './address.js'
import { readAuthorizationParameters } from './authorization-parameters.js'
import { flag, isObject, isText, oneOf, ownMembers, resourceIndicator, scopeValues, seconds, text, words, wrongOption } from './option.js'
import type { Members } from './option.js'
import { readable } from './reading.js'
import { bare, present } from './secret.js'
import type { SignInOptions, SignOutOptions } from './session-contract.js'
import type { AuthorizationDetail } from './token-record.js'
import type { TokenOptions } from './tokens.js'

const signInOptions: readonly string[] = [
  'scope', 'returnTo', 'prompt', 'loginHint', 'acrValues', 'maxAgeSeconds', 'uiLocales', 'authorizationDetails', 'authorizationParameters',
  'signal',
] // prettier-ignore

/** What else a Challenge has: it is spread into `signIn`, which has no use for them. */
const restOfChallenge: readonly string[] = ['error', 'resourceMetadata']

/** The options of `signIn`, checked; those that are `undefined` are left out. `of` is who was called, for the message. */
export function readSignInOptions(options: unknown, of = 'signIn'): SignInOptions {
  if (options === undefined) return nothing
  const members = ownMembers(options, [...signInOptions, ...restOfChallenge], of)
  return present<Required<SignInOptions>>({
    scope: scopeValues(members, 'scope'),
    returnTo: text(members, 'returnTo'),
    prompt: oneOf(members, 'prompt', ['none', 'login', 'consent', 'select_account']),
    loginHint: text(members, 'loginHint'),
    acrValues: words(members, 'acrValues'),
    maxAgeSeconds: seconds(members, 'maxAgeSeconds'),
    uiLocales: words(members, 'uiLocales'),
    authorizationDetails: authorizationDetails(members),
    authorizationParameters: readAuthorizationParameters(members),
    signal: abortSignal(members, 'signal'),
  })
}

/** The options of `signOut`, checked; those that are `undefined` are left out. */
export function readSignOutOptions(options: unknown): SignOutOptions {
  if (options === undefined) return nothing
  const members = ownMembers(options, ['atAuthorizationServer', 'returnTo', 'signal'], 'signOut')
  return present<Required<SignOutOptions>>({
    atAuthorizationServer: flag(members, 'atAuthorizationServer'),
    returnTo: text(members, 'returnTo'),
    signal: abortSignal(members, 'signal'),
  })
}

/** The options of `token`, checked; those that are `undefined` are left out. */
export function readTokenOptions(options: unknown): TokenOptions {
  if (options === undefined) return nothing
  const members = ownMembers(options, ['scope', 'resource', 'audience', 'rejected', 'minimumValiditySeconds', 'signal'], 'token')
  const { rejected, resource } = members as TokenOptions
  if (rejected !== undefined && !(isObject(rejected) && typeof rejected['headersFor'] === 'function')) {
    throw wrongOption('rejected', 'must be the AccessToken that was refused, as token() gave it.')
  }
  return present<Required<TokenOptions>>({
    scope: scopeValues(members, 'scope'),
    resource: resource === undefined ? undefined : resourceIndicator(resource, 'resource'),
    audience: text(members, 'audience'),
    rejected,
    minimumValiditySeconds: seconds(members, 'minimumValiditySeconds'),
    signal: abortSignal(members, 'signal'),
  })
}

const nothing: object = Object.freeze(bare({}))

/** RFC 9396 section 2: a list of objects, each with its `type`. */
function authorizationDetails(members: Members): readonly AuthorizationDetail[] | undefined {
  if (members['authorizationDetails'] === undefined) return undefined
  // A copy as it goes on the wire, so that what is changed later is not sent.
  const value = readable(() => JSON.parse(JSON.stringify(members['authorizationDetails'])) as unknown)
  if (!Array.isArray(value) || !value.every((detail) => isObject(detail) && Object.hasOwn(detail, 'type') && isText(detail['type']))) {
    throw wrongOption('authorizationDetails', 'must be a list of objects in JSON, each with a `type` (RFC 9396 section 2).')
  }
  return Object.freeze(value as AuthorizationDetail[])
}

/**
 * Where the application goes after a sign-in: a URL of exactly the origin of `base`, against which a path is resolved.
 * Anything else would make the application an open redirector (RFC 9700 section 4.11) and is refused.
 */
export function readReturnTo(returnTo: string | undefined, base: URL): URL | undefined {
  if (returnTo === undefined) return undefined
  const url = parseUrl(returnTo, base)
  // The scheme too: the origin of blob:https://app.example/… is https://app.example.
  if (url === undefined || !isHttp(url) || url.origin !== base.origin || url.username !== '' || url.password !== '') {
    throw wrongOption('returnTo', `must be a URL of ${base.origin}, or a path there: nothing else is gone to after a sign-in.`)
  }
  return url
}

/** An AbortSignal by its shape, for one may come from another realm. */
function abortSignal(members: Members, name: string): AbortSignal | undefined {
  const value = members[name]
  if (value === undefined) return undefined
  if (!isObject(value) || typeof value['aborted'] !== 'boolean' || typeof value['addEventListener'] !== 'function') {
    throw wrongOption(name, 'must be an AbortSignal.')
  }
  return value as unknown as AbortSignal
}
