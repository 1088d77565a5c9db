import type { TokenSource, TokenTarget } from './core/tokens.js'
import { oauthFetchBy } from './oauth-fetch/calls.js'

/** Where tokens may go. */
export interface OAuthFetchOptions {
  /** URLs whose origin and path prefix may get a token; as a map, what each needs of its token. */
  readonly resources: readonly string[] | Readonly<Record<string, TokenTarget>>
  /** What happens to any other URL: `refuse` rejects with `resource_not_listed`, `pass` sends it without a token. Default `refuse`. */
  readonly otherUrls?: 'refuse' | 'pass' | undefined
  /** Default: the global `fetch`, read at each call; in `valetkey/browser` as it was when that was loaded. */
  readonly fetch?: typeof fetch | undefined
}

/**
 * A `fetch` that carries the source's token to the resources named here, and to nothing else. The token goes into the `Authorization`
 * header (RFC 6750 section 2.1); everything else reaches the API as `fetch` would send it, and every answer comes back as it is.
 *
 * - A 401 that another token may answer is met by one renewal and one retry, unless the body is a stream or belongs to a `Request`, of
 *   which nothing is left to send. Where there is no other token the 401 comes back. When the new token is refused too, refusals renew
 *   nothing for one minute.
 * - With a token that is bound to a key (RFC 9449) each request has a proof of its own; where the API asks for a nonce (`use_dpop_nonce`), the
 *   request is repeated once with it.
 * - A redirect is followed only to a URL of `resources`, with that resource's token; `redirected` and `url` of the response are as `fetch`
 *   has them. In a page no redirect can be looked at: it rejects. `redirect: 'manual'` and `'error'` do what they do in `fetch`.
 *
 * The function rejects with OAuthError `resource_not_listed` for any other URL (unless `otherUrls` is `pass`), `redirect_refused`,
 * `dpop_nonce_unreadable` where a page may not read that nonce, `invalid_configuration` for a call with an `Authorization` or `DPoP` header
 * of its own, and with what the source's `token()` rejects with;
 * with the signal's reason after an abort; with a TypeError where `fetch` does.
 *
 * @throws OAuthError `invalid_configuration`, which names the option.
 *
 * @example
 * const api = oauthFetch(session, { resources: ['https://api.example.com/'] })
 * const notes = await (await api('https://api.example.com/notes')).json()
 */
export function oauthFetch(source: TokenSource, options: OAuthFetchOptions): typeof fetch {
  return oauthFetchBy({}, source, options)
}
