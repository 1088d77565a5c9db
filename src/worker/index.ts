// What the script of a worker imports: a service worker's the one, a dedicated worker's the other.

export { serveRenewals } from './serve-renewals.js'
export { serveCalls } from './serve-calls.js'
export type { IsolatedSettings } from './isolated-session.js'
