import { wrongOption } from '../core/option.js'

/**
 * The statement that makes the table of `postgresStore`, where it is not there yet: for a migration, or run once. A row of a record that is
 * never asked for again stays when it has expired; this removes those: `DELETE FROM valetkey WHERE expires_at <= now()`.
 *
 * @param table letters, digits and underscores, after a schema and a dot if you like, 63 characters at most; taken as written. Default `valetkey`.
 * Any other throws `invalid_configuration`.
 *
 * @example
 * declare const pool: { query(text: string): Promise<unknown> }
 * await pool.query(createTable())
 */
export function createTable(table: string = defaultTable): string {
  return `CREATE TABLE IF NOT EXISTS ${quoted(table)} (
  key text COLLATE "C" PRIMARY KEY,
  version text COLLATE "C" NOT NULL,
  value text NOT NULL,
  expires_at timestamptz
)`
}

export const defaultTable = 'valetkey'

const identifier = /^[a-z_]\w*(?:\.[a-z_]\w*)?$/i

/** The table's name as a statement has it. It is also the name of the channel, of which PostgreSQL takes 63 characters. */
export function quoted(table: unknown): string {
  if (typeof table !== 'string' || !identifier.test(table) || table.length > 63) {
    throw wrongOption('table', 'must be letters, digits and underscores, such as valetkey or tokens.valetkey, and 63 characters at most.')
  }
  return table
    .split('.')
    .map((name) => `"${name}"`)
    .join('.')
}
