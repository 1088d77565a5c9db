import { isSecure, isHttp, parseAddress, parseUrl } from './address.js'
import {
  abortSignal,
  flag,
  isObject,
  isText,
  oneOf,
  ownMembers,
  parameters,
  resourceIndicator,
  scopeValues,
  seconds,
  text,
  words,
  wrongOption,
} from './option.js'
import type { Members } from './option.js'
import { readable } from './reading.js'
import { bare, present } from './secret.js'
import type { SignInOptions, SignOutOptions } from './session-contract.js'
import type { AuthorizationDetail } from './token-record.js'
import type { TokenOptions } from './tokens.js'

/** Parameters of an authorization request that valetkey sets, or that would undo what it promises. */
const authorizationRequest: readonly string[] = [
  'response_type', 'response_mode', 'client_id', 'redirect_uri', 'scope', 'state', 'nonce', 'code_challenge', 'code_challenge_method',
  'resource', 'audience', 'prompt', 'login_hint', 'id_token_hint', 'acr_values', 'max_age', 'ui_locales', 'authorization_details',
  'request', 'request_uri', 'dpop_jkt', 'client_secret', 'client_assertion', 'client_assertion_type',
] // prettier-ignore

/** Reads an option with further authorization request parameters. */
export function readAuthorizationParameters(
  members: Members,
  name = 'authorizationParameters',
): Readonly<Record<string, string>> | undefined {
  return parameters(members, name, authorizationRequest)
}

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
 * Where the authorization response goes (RFC 6749 section 3.1.2): https, http on loopback, or, where there is no `base`, a scheme of the
 * application's own (RFC 8252 section 7.1). Kept as written, for servers compare it so; a path is resolved against the origin of `base`.
 */
export function readRedirectUri(value: unknown, base?: string | URL): string {
  const wrong = (problem: string) => wrongOption('redirectUri', problem)
  if (!isText(value)) throw wrong('must be a URL, such as https://app.example.com/callback.')
  if (value.includes('#')) throw wrong('has a fragment, which a redirect URI must not have (RFC 6749 section 3.1.2). Leave it out.')
  const url = parseAddress(value)
  if (url !== undefined) {
    if (!isSecure(url)) throw wrong('must be an https URL; http is for this machine only (127.0.0.1, [::1], localhost).')
    return value
  }
  if (base !== undefined && /^\/(?!\/)[^\s\p{Cc}\\]*$/u.test(value)) {
    const resolved = parseUrl(value, new URL(base).origin)
    if (resolved !== undefined && isSecure(resolved)) return resolved.href
    throw wrong('is a path, but the place that it is relative to is neither https nor on this machine.')
  }
  if (base === undefined && /^[a-z][a-z\d+-]*(?:\.[a-z\d+-]+)+:[^\s\p{Cc}\\]+$/iu.test(value)) return value
  if (base === undefined)
    throw wrong('must be an absolute URL: https, http on this machine, or a scheme of your own such as com.example.app:/callback.')
  throw wrong('must be an https URL, or a path that begins with a slash.')
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
