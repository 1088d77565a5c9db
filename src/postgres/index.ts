// valetkey/postgres: tokens of a fleet in PostgreSQL.

export { postgresStore } from './postgres-store.js'
export { createTable } from './table.js'
export type { PostgresClient } from './query.js'
export type { PostgresListener } from './changes.js'
