// What an API can import: the other side of a token.

export { resourceServer } from './resource-server.js'
export type { Refused, ResourceServer, Verified } from './resource-server.js'
export type { Needed, ResourceServerSettings } from './settings.js'
