// What a page can import. By name, not all of `valetkey`: a page has no use for client secrets.

export { browserSession } from './browser-session.js'
export type { BrowserSettings } from './browser-session.js'
export { isolatedSession } from './isolated-session.js'
export { redirect } from './redirect.js'
export { popup } from './popup.js'
export { indexedDBStore } from './indexeddb-store.js'
export { webLocks } from './web-locks.js'

export { oauthFetch } from './oauth-fetch.js'
export { signedResponses } from '../protocol/signed-responses.js'
export { discoverResource } from '../protocol/resource-metadata.js'
export { challengeOf } from '../core/challenge.js'
export { accessToken } from '../core/access-token.js'
export { memoryStore } from '../stores/memory.js'
export { sealed } from '../stores/sealed.js'
export { OAuthError } from '../core/errors.js'
export type * from '../index.js'
