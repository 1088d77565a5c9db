import type { AuthorizationServer, UserSessionSettings } from '../core/client.js'
import { authorizationOptions, clientOptions, readClient, readLock, readStore, readUserAgent } from '../core/client-options.js'
import { readAuthorizationParameters } from '../core/authorization-parameters.js'
import { callable, ownMembers, text } from '../core/option.js'
import { readRedirectUri } from '../core/redirect-uri.js'
import { bare } from '../core/secret.js'
import type { Session } from '../core/session-contract.js'
import { isDecoupled } from '../session/decoupled.js'
import { systemClock } from '../system-clock.js'
import { laterSession } from './later-session.js'
import { natives } from './natives.js'
import { pageAddress } from './page-address.js'
import { renewalsByWorker } from './worker-option.js'

/** What only a page has. */
export interface BrowserSettings {
  /** A path is resolved against the page's origin. */
  readonly redirectUri: string
  /** How the application goes to `returnTo` after a sign-in. Default: `history.replaceState`, before `resume` resolves. */
  readonly navigate?: ((returnTo: URL) => void) | undefined
  /** The address of the script made from `valetkey/worker`: renewals then outlive the page. */
  readonly worker?: string | URL | undefined
}

const known = [
  ...clientOptions.filter((name) => name !== 'clientAuthentication'),
  'account',
  'userAgent',
  'redirectUri',
  ...authorizationOptions,
  'navigate',
  'worker',
]

/**
 * A user's session in a page: IndexedDB, Web Locks and a redirect, unless you say otherwise. Making it touches nothing; it may be made where
 * there is no window. Authorization code with PKCE (RFC 6749 section 4.1, RFC 7636, as RFC 10017 wants it of a page).
 *
 * With `worker`, the service worker of that script (a path, or a URL of this origin) renews in the place of the page, so that a renewal that was
 * sent is also stored when the page is reloaded or closed. It is registered by itself, at `resume` or at the first renewal, under a scope of its own;
 * where it cannot be had, or does not begin within two seconds, the page renews. It has neither a `lock`, a `fetch` nor a `clock` of yours, and no
 * `store` but an `indexedDBStore`: with these `worker` is refused.
 *
 * @throws OAuthError `invalid_configuration`, which names the option that is wrong, before any request
 *
 * @example
 * const session = browserSession({
 *   issuer: 'https://auth.example.com',
 *   clientId: 'notes-web',
 *   redirectUri: '/callback',
 *   scope: ['notes:read', 'notes:write'],
 * })
 * if (!(await session.resume())) await session.signIn()
 */
export function browserSession(
  options: AuthorizationServer & Omit<UserSessionSettings, 'clientAuthentication' | 'signedRequests'> & BrowserSettings,
): Session {
  const members = ownMembers(options, known, 'browserSession')
  const client = readClient(options, known, { clock: systemClock, fetch: natives.exchange, webCrypto: natives.webCrypto }, 'browserSession')
  const { redirectUri } = members
  // A path is complete only in the page; that it can be completed is checked here.
  readRedirectUri(redirectUri, 'https://page.invalid')
  const navigate = callable<(returnTo: URL) => void>(members, 'navigate')
  const account = text(members, 'account')
  const parts = {
    client,
    account,
    store: readStore(members),
    ...renewalsByWorker(members, client, account),
    lock: readLock(members),
    userAgent: isDecoupled(members['userAgent']) ? members['userAgent'] : readUserAgent(members),
    redirectUri: () => redirectUriAt(redirectUri, pageAddress()),
    authorizationParameters: readAuthorizationParameters(members) ?? bare<Readonly<Record<string, string>>>({}),
    go: navigate,
  }
  return laterSession(client, async () => (await import('./page-session.js')).pageSession(parts), parts.userAgent !== undefined)
}

/** Where there is no page, a path leads nowhere; a whole URL needs none. */
function redirectUriAt(redirectUri: unknown, address: URL | undefined): string | undefined {
  return address === undefined && String(redirectUri).startsWith('/') ? undefined : readRedirectUri(redirectUri, address)
}
