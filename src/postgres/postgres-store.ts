import { ownMembers, text } from '../core/option.js'
import type { Clock, Store, Versioned } from '../core/ports.js'
import { type Backend, answerOf, codeOf, unexpectedAnswer } from '../stores/backend.js'
import { type EncryptionKey, sealed } from '../stores/sealed.js'
import { expiryOf, versioned } from '../stores/versioned.js'
import { systemClock } from '../system-clock.js'
import { type Changes, type PostgresListener, changesOf } from './changes.js'
import { type PostgresClient, type Values, queryOf, rowsOf } from './query.js'
import { type Statements, statementsFor } from './statements.js'
import { defaultTable } from './table.js'

/** @inline */
export interface PostgresStoreOptions {
  /** 32 random bytes in base64 or base64url; several by id, the first seals and all open; or a function (a KMS). */
  readonly encryptionKey: EncryptionKey
  /** The table that `createTable` made. Default `valetkey`. */
  readonly table?: string
  /** A connection of yours that may LISTEN, for `watch`. Without it the store cannot be watched. */
  readonly listener?: PostgresListener
}

/**
 * A store in PostgreSQL (11 or later), shared by all processes that are given it: one table, one row for each record, its key as a SHA-256 digest.
 * Each operation is one short statement, a transaction of its own without a name or a session's state, so it works behind a transaction pooler.
 * Values are sealed as by `sealed`; version and expiry are in clear. What has expired, by the server's clock, is missing, and removed when it is met.
 *
 * The client is used as it is: connected, configured and closed by you. Where it fails, or does not answer for 5 seconds, an operation rejects
 * with `store_unavailable`; what was to be written may then have been written. Throws `invalid_configuration` for an option or client that is none.
 *
 * @param client a Client or Pool of `pg`, or what `postgres()` returns
 *
 * @example
 * declare const pool: import('valetkey/postgres').PostgresClient // new Pool(…) of pg, or postgres(…)
 * const store = postgresStore(pool, { encryptionKey: process.env['STORE_KEY']! }) // openssl rand -base64 32
 */
export function postgresStore(client: PostgresClient, options: PostgresStoreOptions): Store {
  return postgresStoreBy(client, options, systemClock)
}

/** `postgresStore`, by a clock that a test can move. */
export function postgresStoreBy(client: PostgresClient, options: PostgresStoreOptions, clock: Clock): Store {
  const members = ownMembers(options, ['encryptionKey', 'table', 'listener'], 'postgresStore')
  const table = text(members, 'table') ?? defaultTable
  const statements = statementsFor(table)
  const listener = members['listener'] as PostgresListener | undefined
  const query = queryOf(client)
  const changes = listener === undefined ? undefined : changesOf(listener, table)

  async function ask(statement: string, values: Values, through = asItCame): Promise<readonly (readonly unknown[])[]> {
    const rows = rowsOf(await answerOf(postgres, clock, () => through(query(statement, values))))
    if (rows === undefined) throw unexpectedAnswer(postgres)
    return rows
  }

  const store: Store = {
    async get(key) {
      const id = await digest(key)
      const [row] = await ask(statements.read, [id])
      if (row === undefined) return undefined
      const [version, value, expiresAt, expired] = row
      if (typeof version !== 'string' || typeof value !== 'string') throw unexpectedAnswer(postgres)
      if (expired !== true) return versioned(version, value, expiresAt === null ? undefined : Number(expiresAt))
      await ask(statements.sweep, [id, version])
      return undefined
    },
    async replace(key, seen, next) {
      const [statement, values] = exchange(statements, await digest(key), seen, next)
      return (await ask(statement, values, unlessOvertaken)).length > 0
    },
    ...(changes === undefined ? {} : { watch: watchOf(changes) }),
  }
  return sealed(store, { encryptionKey: members['encryptionKey'] as EncryptionKey })
}

/** The statement that compares and sets; it answers with a row when it did. */
function exchange(statements: Statements, id: string, seen: string | undefined, next: Versioned | undefined): readonly [string, Values] {
  if (next === undefined) return seen === undefined ? [statements.isAbsent, [id]] : [statements.remove, [id, seen]]
  const written = [id, next.version, next.value, expiryText(next)]
  return seen === undefined ? [statements.insert, written] : [statements.update, [...written, seen]]
}

const asItCame = (answer: PromiseLike<unknown>): PromiseLike<unknown> => answer

/** Where the database's default is a stricter isolation than its own, another's write in the same instant is an error (40001): it has changed nothing. */
async function unlessOvertaken(answer: PromiseLike<unknown>): Promise<unknown> {
  try {
    return await answer
  } catch (error) {
    if (codeOf(error) === '40001') return []
    throw error
  }
}

function watchOf(changes: Changes): NonNullable<Store['watch']> {
  return (key, changed) => {
    let [stop, stopped]: [(() => void) | undefined, boolean] = [undefined, false]
    void digest(key).then((id) => {
      if (!stopped) stop = changes.watch(id, changed)
    })
    return () => {
      stopped = true
      stop?.()
    }
  }
}

const postgres: Backend = {
  name: 'PostgreSQL',
  reason(error) {
    const code = codeOf(error)
    if (code === '42P01') return 'the table is not there (42P01); the statement that makes it is what createTable() returns'
    return code === undefined ? undefined : `its client failed with ${code}`
  },
}

/** As row and in notifications: an index takes no key of more than 2704 bytes, a text no U+0000, and who listens need not read whose record it is. */
async function digest(key: string): Promise<string> {
  const bytes = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(key)))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** In milliseconds, within what a timestamp can be. */
function expiryText(next: Versioned): string | null {
  const expiresAt = expiryOf(next)
  return expiresAt === undefined || Number.isNaN(expiresAt) ? null : String(Math.max(0, Math.min(expiresAt, 8.64e15)))
}
