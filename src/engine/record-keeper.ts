import { peekOf } from '../core/at-hand.js'
import { decodeTokenRecord, encodeTokenRecord } from '../core/codec.js'
import { isOurs } from '../core/decide.js'
import { OAuthError } from '../core/errors.js'
import type { Emit } from '../core/events.js'
import { type Instant, type Sightings, type Times, knowExactly, look as sighted, nothingSeen } from '../core/lifetime.js'
import type { Clock, Store, Versioned } from '../core/ports.js'
import { type TokenRecord, tokenRecord } from '../core/token-record.js'
import { changed, ended } from '../core/transitions.js'
import { elapsing } from './elapsing.js'

export interface RecordKeeperParts {
  readonly issuer: string
  readonly clientId: string
  readonly store: Store
  /** The key of the record in the store. */
  readonly key: string
  readonly clock: Clock
  /** Fresh, unguessable text. */
  readonly fresh: () => string
  readonly emit: Emit
  /** What counts as the record where there is none: then nobody has to sign in first. */
  readonly atFirst?: TokenRecord | undefined
  /** From when on (milliseconds since the epoch) the store may forget a record; absent: never. */
  readonly expiryOf?: ((record: TokenRecord) => number) | undefined
  /**
   * All who share the store have this machine's clock. Right or wrong, it is one clock: what one of them learned of the server's would only set its
   * times apart from those of the others, and of the next page load.
   */
  readonly oneMachine?: boolean | undefined
  /** Whether the key that tokens are bound to is there; absent where none are bound. Rejects where that cannot be known. */
  readonly holds?: ((key: string) => Promise<boolean>) | undefined
  /** Between two looks at something that is waited for, in milliseconds. */
  readonly poll: number
}

/** A store that is read and so often in a row not written is full, or closed to writing: whoever waits for it is told. */
export const mostFailedWrites = 5

/** A `Date` counts whole seconds and was written before it travelled: clocks that differ by less agree. */
const agreement = 2_000

/** A mark that was seen: for how long it was watched, when last, and when it was not there yet, all on the monotonic clock. */
interface Watched {
  readonly by: string
  readonly spent: number
  readonly at: number
  readonly absentAt: number
}

/** What a look at the store found. */
export interface Seen {
  readonly version: string | undefined
  /** Absent: nothing is there, or what is there cannot be read. */
  readonly record: TokenRecord | undefined
  readonly unreadable: boolean
}

/**
 * The one record of a source: reads and writes it by compare-and-set, remembers what was seen when,
 * watches marks, and puts back what a store forgot of a session that is still the same.
 */
export interface RecordKeeper {
  /** Rejects with `store_unavailable`. */
  look(): Promise<Seen>
  /** The record, where the store is in this process's memory and holds what it held at the last look; `undefined`: look. */
  atHand(): TokenRecord | undefined
  /** The newest record that was read or written here. */
  newest(): TokenRecord | undefined
  /** The record as the last look, or the last own write, found it. */
  shown(): TokenRecord | undefined
  /** Serves nothing from memory any more. */
  forget(): void
  /**
   * Writes `next` where `seen` is: its version, or `undefined` when another is there.
   * A write that throws may have happened all the same: its version is then among `tried`.
   */
  replace(seen: string | undefined, next: TokenRecord, tried?: Set<string>): Promise<string | undefined>
  /**
   * Applies a change while session and generation are still these; tries until it is stored or has no place any more.
   * The mark of `by` is cleared even then: nobody else knows that its sender waits no longer.
   */
  change(of: TokenRecord, how: (current: TokenRecord) => TokenRecord, by?: string): Promise<TokenRecord | undefined>
  /** Whether the mark has been seen, unchanged, for so long (milliseconds of the own clock). */
  watched(by: string): number
  /** How old the mark can be at most (milliseconds of the own clock): before that it was looked for, and not there. */
  ageAtMost(by: string): number
  times(): Times
  /** Makes a time that began here exact. */
  know(name: string, began: Instant): void
  /** Takes note of the server's own `Date`, just received (milliseconds since the epoch). */
  learnServerTime(serverTime: number): void
  /** By how much the server's clock is ahead of this machine's, in milliseconds; 0 while they agree, nothing is known, or it matters to nobody. */
  offset(): number
  /** Waits the time between two looks. */
  pause(): Promise<void>
  subscribe(changed: () => void): () => void
}

export function recordKeeper(parts: RecordKeeperParts): RecordKeeper {
  const { store, key, clock, emit, poll } = parts
  const peek = peekOf(store)
  const listeners = new Set<() => void>()
  let best: TokenRecord | undefined
  let decoded: Seen | undefined
  /** One that was there is in memory from then on. */
  let heldKey: string | undefined
  let sightings: Sightings = nothingSeen
  let mark: Watched | undefined
  let watchedAt: number | undefined
  let offset = 0
  const failing = new Set<'get' | 'replace'>()
  let writes = 0
  const { counted, since } = elapsing(clock)
  let told: { readonly record: TokenRecord | undefined } | undefined

  async function look(): Promise<Seen> {
    for (let putBack = false; ;) {
      const began = writes
      const asked = counted()
      const found = decode(await get())
      const seen = parts.holds === undefined ? found : await withKey(found, parts.holds)
      // What was read before an own write is no news.
      if (seen === undefined || began !== writes) continue
      if (best === undefined || !isForgotten(seen.record, best)) {
        // What was asked before the last look, and comes after it, is no news either.
        if (asked >= (sightings.lookedAt ?? asked)) note(seen.record, asked)
        return seen
      }
      // To a store whose clock is far ahead each record is over as it comes. What is the application's own is then served from memory.
      if (putBack && parts.atFirst !== undefined) return { ...seen, record: best }
      putBack = (await heal(seen.version, best)) || putBack
    }
  }

  function atHand(): TokenRecord | undefined {
    const stored = peek?.(key)
    if (stored === undefined || stored.version === '' || decoded?.version !== stored.version) return undefined
    const { record } = decoded
    // What no look has taken note of, or is to be put back first, is looked at.
    if (record === undefined || record !== told?.record || (best !== undefined && isForgotten(record, best))) return undefined
    if (parts.holds !== undefined && record.boundTo !== heldKey) return undefined
    sightings = { lookedAt: counted(), of: sightings.of }
    watch(record)
    return record
  }

  /** Without their key tokens are nobody's: a session is over then, for all who share it; in the application's own right new ones are asked for. */
  async function withKey(seen: Seen, holds: (key: string) => Promise<boolean>): Promise<Seen | undefined> {
    const { version, record } = seen
    if (record?.boundTo === undefined || record.ended !== undefined || record.boundTo === heldKey) return seen
    if (await holds(record.boundTo)) {
      heldKey = record.boundTo
      return seen
    }
    if (parts.atFirst !== undefined) return { ...seen, record: tokenRecord({ ...record, accessTokens: [], boundTo: undefined }) }
    // Who looks for the first time sees it end, too.
    best = record
    await replace(version, ended(record, 'key_lost', clock.now() + offset))
    return undefined
  }

  async function get(): Promise<Versioned | undefined> {
    try {
      const stored = await store.get(key)
      works('get')
      return stored
    } catch (error) {
      throw fails('get', error)
    }
  }

  /** A full disk is read, and not written: only what failed can show that it works again. */
  function works(what: 'get' | 'replace'): void {
    if (failing.delete(what) && failing.size === 0) emit({ type: 'store_recovered' })
  }

  function fails(what: 'get' | 'replace', error: unknown): OAuthError {
    const code = error instanceof OAuthError ? error.code : 'store_unavailable'
    if (failing.size === 0) emit({ type: 'store_failed', code })
    failing.add(what)
    return error instanceof OAuthError
      ? error
      : new OAuthError('store_unavailable', 'The store of the tokens could not be reached. Try again; where it goes on, look at the store.')
  }

  /** The store holds an earlier generation of the very session that was read or written here: it lost a write. */
  function isForgotten(record: TokenRecord | undefined, known: TokenRecord): boolean {
    return record !== undefined && record.ended === undefined && record.session === known.session && record.generation < known.generation
  }

  async function heal(version: string | undefined, lost: TokenRecord): Promise<boolean> {
    return (await replace(version, changed(lost, { sending: undefined, wait: undefined, unclear: lost.generation - 1 }))) !== undefined
  }

  function decode(stored: Versioned | undefined): Seen {
    if (stored !== undefined && decoded?.version === stored.version && stored.version !== '') return decoded
    const record = stored === undefined ? undefined : decodeTokenRecord(stored.value)
    const ours = isOurs(record, parts) ? record : parts.atFirst
    decoded = { version: stored?.version, record: ours, unreadable: stored !== undefined && record === undefined }
    return decoded
  }

  function note(record: TokenRecord | undefined, asked: number): void {
    const before = best
    sightings = sighted(sightings, record, counted(), asked)
    watch(record)
    if (record !== undefined && (best?.session !== record.session || record.generation >= best.generation)) best = record
    if (record?.ended !== undefined && before?.session === record.session && before.ended === undefined) {
      emit({ type: 'session_ended', reason: record.ended.reason })
    }
    if (told !== undefined && record === told.record) return
    told = { record }
    for (const listener of listeners) listener()
  }

  /** A gap between two looks counts as one look: a machine that slept has watched nothing. */
  function watch(record: TokenRecord | undefined): void {
    const by = record?.sending?.by
    const at = clock.monotonic()
    if (by === undefined) mark = undefined
    else if (mark?.by !== by) mark = { by, spent: 0, at, absentAt: watchedAt ?? -Infinity }
    else mark = { ...mark, spent: mark.spent + (at - mark.at > 2 * poll ? poll : at - mark.at), at }
    watchedAt = at
  }

  async function replace(seen: string | undefined, next: TokenRecord, tried?: Set<string>): Promise<string | undefined> {
    const version = parts.fresh()
    const asked = counted()
    tried?.add(version)
    writes += 1
    const expiresAt = parts.expiryOf?.(next)
    if (!(await written(seen, { version, value: encodeTokenRecord(next), ...(expiresAt === undefined ? {} : { expiresAt }) })))
      return undefined
    writes += 1
    // A later one of our own may have been written meanwhile, and have been told first.
    if (best !== undefined && isForgotten(next, best)) return version
    decoded = { version, record: next, unreadable: false }
    note(next, asked)
    return version
  }

  async function written(seen: string | undefined, next: Versioned): Promise<boolean> {
    try {
      const done = await store.replace(key, seen, next)
      works('replace')
      return done
    } catch (error) {
      throw fails('replace', error)
    }
  }

  async function change(of: TokenRecord, how: (current: TokenRecord) => TokenRecord, by?: string): Promise<TokenRecord | undefined> {
    for (;;) {
      try {
        const { version, record } = decode(await get())
        if (record === undefined || record.ended !== undefined || record.session !== of.session) return undefined
        const hasPlace = record.generation === of.generation
        if (!hasPlace && (by === undefined || record.sending?.by !== by)) return undefined
        const next = hasPlace ? how(record) : changed(record, { sending: undefined })
        if ((await replace(version, next)) !== undefined) return hasPlace ? next : undefined
      } catch {
        // A write that threw may have happened: the next round looks.
        await pause()
      }
    }
  }

  const pause = () => clock.wait(poll)

  return {
    look,
    atHand,
    newest: () => best,
    shown: () => told?.record,
    forget: () => {
      best = undefined
    },
    replace,
    change,
    watched: (by) => (mark?.by === by ? mark.spent : 0),
    ageAtMost: (by) => (mark?.by === by ? clock.monotonic() - mark.absentAt : Infinity),
    times: () => ({ now: clock.now() + offset, monotonic: counted(), sightings }),
    know: (name, began) => {
      sightings = knowExactly(sightings, name, counted() - since(began))
    },
    learnServerTime: (serverTime) => {
      if (parts.oneMachine === true) return
      const difference = serverTime - clock.now()
      offset = Math.abs(difference) > agreement ? difference : 0
    },
    offset: () => offset,
    pause,
    subscribe: (listener) => {
      const own = () => listener()
      listeners.add(own)
      return () => void listeners.delete(own)
    },
  }
}
