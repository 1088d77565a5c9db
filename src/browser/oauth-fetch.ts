import type { TokenSource } from '../core/tokens.js'
import type { OAuthFetchOptions } from '../oauth-fetch.js'
import { oauthFetchBy } from '../oauth-fetch/calls.js'
import { natives } from './natives.js'

/**
 * `oauthFetch` of `valetkey`, by the `fetch` that the page had when valetkey was loaded: a script that puts another in its place later sees no token.
 * To have calls go through another, give it as the option `fetch`.
 *
 * @throws OAuthError `invalid_configuration`, which names the option.
 *
 * @example
 * const api = oauthFetch(session, { resources: ['https://api.example.com/'] })
 * const notes = await (await api('https://api.example.com/notes')).json()
 */
export function oauthFetch(source: TokenSource, options: OAuthFetchOptions): typeof fetch {
  return oauthFetchBy(natives, source, options)
}
