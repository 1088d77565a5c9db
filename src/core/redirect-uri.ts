import { isSecure, parseAddress, parseUrl } from './address.js'
import { isText, wrongOption } from './option.js'

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
