import { quoted } from './table.js'

/** What the store asks of its table. Each is one statement; those that write notify in the same, and answer with a row when they did. */
export interface Statements {
  /** $1 key. Version, value, expiry in milliseconds, whether it has expired. */
  readonly read: string
  /** $1 key, $2 version: removes what has expired. */
  readonly sweep: string
  /** $1 key, $2 version, $3 value, $4 expiry in milliseconds: writes where nothing is. */
  readonly insert: string
  /** The same, and $5: the version that it takes the place of. */
  readonly update: string
  /** $1 key, $2 version. */
  readonly remove: string
  /** $1 key: a row where nothing is. */
  readonly isAbsent: string
}

export function statementsFor(table: string): Statements {
  const name = quoted(table)
  const expired = 'held.expires_at <= now()'
  const living = '(held.expires_at IS NULL OR held.expires_at > now())'
  const expiry = 'to_timestamp($4::float8 / 1000)'
  /** The notification goes out when the write is committed, and not without it. */
  const saying = (write: string) => `WITH written AS (${write} RETURNING held.key) SELECT pg_notify('${table}', key) FROM written`
  return {
    read: `SELECT version, value, extract(epoch FROM expires_at) * 1000 AS expiry, coalesce(${expired}, false) AS expired FROM ${name} AS held WHERE key = $1`,
    sweep: `DELETE FROM ${name} AS held WHERE key = $1 AND version = $2 AND ${expired}`,
    insert: saying(
      `INSERT INTO ${name} AS held (key, version, value, expires_at) VALUES ($1, $2, $3, ${expiry}) ` +
        `ON CONFLICT (key) DO UPDATE SET version = $2, value = $3, expires_at = ${expiry} WHERE ${expired}`,
    ),
    update: saying(
      `UPDATE ${name} AS held SET version = $2, value = $3, expires_at = ${expiry} WHERE key = $1 AND version = $5 AND ${living}`,
    ),
    remove: saying(`DELETE FROM ${name} AS held WHERE key = $1 AND version = $2 AND ${living}`),
    isAbsent: `SELECT 1 AS absent WHERE NOT EXISTS (SELECT 1 FROM ${name} AS held WHERE key = $1 AND ${living})`,
  }
}
