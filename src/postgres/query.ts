import { isObject, wrongOption } from '../core/option.js'
import { hasMethods } from '../stores/backend.js'

/** `pg` (a Client or a Pool) or `postgres`, by shape. */
export type PostgresClient =
  | { query(text: string, values: never[]): Promise<unknown> }
  | { unsafe(text: string, values: never[]): PromiseLike<unknown> }

/** What a statement takes the place of. */
export type Values = readonly (string | null)[]

/** One statement, without a name on the server; resolves with what its client made of the answer. */
export type Query = (statement: string, values: Values) => PromiseLike<unknown>

interface PostgresJs {
  unsafe(text: string, values: Values, options: { readonly prepare: false }): PromiseLike<unknown>
}

interface Pg {
  query(text: string, values: Values): Promise<unknown>
}

export function queryOf(client: unknown): Query {
  if (hasMethods(client, 'unsafe')) {
    const sql = client as PostgresJs
    return (statement, values) => sql.unsafe(statement, values, { prepare: false })
  }
  if (hasMethods(client, 'query')) {
    const pg = client as Pg
    const query: Query = (statement, values) => pg.query(statement, values)
    return isPool(client) ? query : inTurns(pg, query)
  }
  throw wrongOption('client', 'of postgresStore must be a Client or Pool of pg, or what postgres() returns.')
}

/** A `pg.Pool`, and no `pg.Client`. */
export function isPool(client: unknown): boolean {
  return isObject(client) && 'totalCount' in client
}

const turns = new WeakMap<object, PromiseLike<unknown>>()

/** A `pg.Client` does one statement at a time, and from pg 9 on it will not queue another itself. */
function inTurns(client: object, query: Query): Query {
  return (statement, values) => {
    const answer = (turns.get(client) ?? Promise.resolve()).then(() => query(statement, values))
    const over = () => {}
    turns.set(client, answer.then(over, over))
    return answer
  }
}

/** The rows of an answer, each by its columns: `pg` has them in `rows`, `postgres` is a list of them. `undefined` where there are none. */
export function rowsOf(answer: unknown): readonly (readonly unknown[])[] | undefined {
  const rows: unknown = Array.isArray(answer) || !isObject(answer) ? answer : answer['rows']
  // By place and not by name, for a client may be told to spell columns its own way.
  return Array.isArray(rows) ? rows.map((row: object) => Object.values(row)) : undefined
}
