import type { StoredToken, TokenRecord, Wait } from './token-record.js'

/** An instant on both clocks of a process, in milliseconds. */
export interface Instant {
  readonly monotonic: number
  readonly wall: number
}

/**
 * When this process first saw a token or a wait, and when it last looked and did not see it, on its own monotonic clock.
 * A time in a record was written by some machine's wall clock; it is believed only between these two.
 */
export interface Sighting {
  readonly first: number
  readonly absent?: number
}

export interface Sightings {
  /** When the last look at the record was begun, on the monotonic clock. */
  readonly lookedAt?: number
  readonly of: ReadonlyMap<string, Sighting>
}

export const nothingSeen: Sightings = { of: new Map() }

/** The instant at which a decision is made: wall clock, monotonic clock, and what was seen when. All in milliseconds. */
export interface Times {
  readonly now: number
  readonly monotonic: number
  readonly sightings: Sightings
}

/** Names a token among all that a store ever held, without its text. */
export function tokenName(session: string, token: Pick<StoredToken, 'generation' | 'issuedAt'>): string {
  const known = names.get(token)
  if (known?.session === session) return known.name
  const name = `${session} ${token.generation} ${token.issuedAt}`
  names.set(token, { session, name })
  return name
}

/** Every call asks for one: made anew each time, they would be most of what it allocates. */
const names = new WeakMap<object, { readonly session: string; readonly name: string }>()

/**
 * The sightings after a look that found this record. Only what is in it is remembered.
 *
 * @param asked when the look was begun: what it does not show may have come right after
 */
export function look(before: Sightings, record: TokenRecord | undefined, monotonic: number, asked: number = monotonic): Sightings {
  const names = record === undefined ? [] : record.accessTokens.map((token) => tokenName(record.session, token))
  if (record?.wait !== undefined) names.push(record.wait.id)
  const fresh: Sighting = { first: monotonic, ...(before.lookedAt === undefined ? {} : { absent: before.lookedAt }) }
  return { lookedAt: asked, of: new Map(names.map((name) => [name, before.of.get(name) ?? fresh])) }
}

/** The sightings with one that is known exactly: it began at this instant of the own clock. */
export function knowExactly(before: Sightings, name: string, monotonic: number): Sightings {
  return { ...before, of: new Map(before.of).set(name, { first: monotonic, absent: monotonic }) }
}

/** How much of its life a token has left, in milliseconds: infinite where the server did not say how long it lives. */
export function remainingLife(token: StoredToken, session: string, times: Times): number {
  if (token.lifetime === undefined) return Infinity
  return token.lifetime - elapsed(tokenName(session, token), token.issuedAt, times)
}

/** How much of a wait is left, in milliseconds; not above 0 when it is over. */
export function remainingWait(wait: Wait, times: Times): number {
  return wait.span - elapsed(wait.id, wait.until - wait.span, times)
}

/** When no renewal can be expected to succeed any more, by what the server said and by its clock; infinite where it said nothing. */
export function endOfSession({ sessionExpiresAt = Infinity, refreshTokenExpiresAt = Infinity }: TokenRecord): number {
  return Math.min(sessionExpiresAt, refreshTokenExpiresAt)
}

/** The wall clock's answer, held between what the own clock has seen: it was there since `first`, and not yet there at `absent`. */
function elapsed(name: string, since: number, times: Times): number {
  const sighting = times.sightings.of.get(name)
  const atLeast = sighting === undefined ? 0 : times.monotonic - sighting.first
  const atMost = sighting?.absent === undefined ? Infinity : times.monotonic - sighting.absent
  return Math.min(Math.max(times.now - since, atLeast), atMost)
}
