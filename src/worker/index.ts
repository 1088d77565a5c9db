// What a service worker's script imports.

export { serveRenewals } from './serve-renewals.js'
