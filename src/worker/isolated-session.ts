import { indexedDBStore } from '../browser/indexeddb-store.js'
import { isOffline } from '../browser/page.js'
import type { AuthorizationServer, UserSessionSettings } from '../core/client.js'
import { authorizationOptions, clientOptions, readClient } from '../core/client-options.js'
import { keepingKeys, keysBeside } from '../core/dpop.js'
import { ownMembers, text } from '../core/option.js'
import { readAuthorizationParameters } from '../core/authorization-parameters.js'
import { readRedirectUri } from '../core/redirect-uri.js'
import { pendingKey } from '../core/pending-request.js'
import type { Store } from '../core/ports.js'
import { bare } from '../core/secret.js'
import type { Session } from '../core/session-contract.js'
import { type OAuthFetchOptions, oauthFetch } from '../oauth-fetch.js'
import { session } from '../session.js'
import { memoryStore } from '../stores/memory.js'
import { systemClock } from '../system-clock.js'
import type { PageBeyond } from './page-beyond.js'

/** What an isolated session may say of itself. Its tokens are in the worker's memory alone, and the page is its user agent. */
export interface IsolatedSettings
  extends
    Omit<UserSessionSettings, 'clientAuthentication' | 'signedRequests' | 'store' | 'lock' | 'userAgent'>,
    Pick<OAuthFetchOptions, 'resources'> {
  /** A path is resolved against the worker's origin, which is the page's. */
  readonly redirectUri: string
}

/** A session and the calls of its tokens, both in the worker. */
export interface Isolated {
  readonly session: Session
  readonly api: typeof fetch
}

const elsewhere: readonly string[] = ['clientAuthentication', 'store', 'lock']
const known = [...clientOptions.filter((name) => !elsewhere.includes(name)), 'account', 'redirectUri', ...authorizationOptions, 'resources']

/** @throws OAuthError `invalid_configuration`, which names the option */
export function isolated(options: AuthorizationServer & IsolatedSettings, beyond: PageBeyond, origin: string): Isolated {
  const members = ownMembers(options, known, 'serveCalls')
  const client = readClient(options, known, { clock: systemClock }, 'serveCalls')
  const redirectUri = readRedirectUri(members['redirectUri'], origin)
  const here = session({
    client,
    // A session of the page, if there is one of the same client, must not take up what this one has asked for: the tokens would be in the page.
    account: `isolated ${text(members, 'account') ?? ''}`,
    store: onlyPendingIn(indexedDBStore()),
    lock: undefined,
    oneMachine: true,
    userAgent: beyond.userAgent,
    redirectUri: () => redirectUri,
    authorizationParameters: readAuthorizationParameters(members) ?? bare({}),
    place: beyond.place,
    // The code is in the page's address until the page has obeyed; nothing is done with it before.
    handOver: beyond.addressIsReplaced,
    isOffline,
    go: beyond.go,
  })
  const { fetch } = client
  const resources = members['resources'] as OAuthFetchOptions['resources']
  return { session: here, api: oauthFetch(here, { resources, ...(fetch === undefined ? {} : { fetch }) }) }
}

/**
 * Tokens in memory, and what has to outlive the page that is left for a sign-in in the database: the pending authorization requests, sealed, and where
 * tokens are bound the key that cannot be read out, to which the code is bound already. No token is ever written there.
 */
function onlyPendingIn(database: Store): Store {
  const memory = memoryStore()
  const of = (key: string) => (key === pendingKey ? database : memory)
  const store: Store = {
    get: (key) => of(key).get(key),
    replace: (key, seen, next) => of(key).replace(key, seen, next),
    watch: (key, changed) => of(key).watch?.(key, changed) ?? (() => {}),
  }
  return keepingKeys(store, () => keysBeside(database))
}
