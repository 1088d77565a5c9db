import { atHand } from '../../../src/core/at-hand.js'
import type { Store, Versioned } from '../../../src/core/ports.js'
import type { Context } from './context.js'
import type { Random, Timeline } from './timeline.js'

/** How likely each trouble of the store is. */
export interface StoreFaults {
  /** An error, and nothing was done. */
  readonly before?: number
  /** An error, and yet it was written. */
  readonly after?: number
  /** An error, and it is written only then. */
  readonly later?: number
  /** It takes seconds. */
  readonly slow?: number
}

/** What the store's text says, as far as the world looks at it. */
export interface Held {
  readonly session: string
  readonly generation: number
  readonly ended?: { readonly reason: string }
  readonly refreshToken?: string
  readonly accessTokens: readonly { readonly text: string; readonly generation: number }[]
  readonly sending?: { readonly by: string }
  readonly unclear?: number
  readonly wait?: { readonly id: string; readonly until: number; readonly span: number; readonly code: string }
}

/** Of a call: what it found, at the instant it did, and that it is over. */
export interface FirstLook {
  found(held: Held | undefined): void
  over(): void
}

export interface SharedStore {
  /** The store as one context reaches it; at hand: what it holds is also told in the very turn. */
  view(context: Context, source: string, isAtHand: boolean, onGet: () => FirstLook | undefined, onReplace: () => void): Store
  held(): Held | undefined
  /** Loses the last write, as a fail-over does. */
  forget(): void
  downUntil: number
}

export interface StoreParts {
  readonly time: Timeline
  readonly random: Random
  readonly faults: () => StoreFaults
  readonly wrote: (context: Context, source: string, before: Held | undefined, after: Held | undefined) => void
  readonly forgot: (before: Held | undefined, after: Held | undefined) => void
}

export function sharedStore(parts: StoreParts): SharedStore {
  const { time, random } = parts
  let stored: Versioned | undefined
  let held: Held | undefined
  let previous: Versioned | undefined

  const parsed = (entry: Versioned | undefined): Held | undefined => (entry === undefined ? undefined : (JSON.parse(entry.value) as Held))

  function view(context: Context, source: string, isAtHand: boolean, onGet: () => FirstLook | undefined, onReplace: () => void): Store {
    /** Who waits for seconds is as if cut: the patience has three seconds for the writing. */
    function latency(): number {
      if (!random.chance(parts.faults().slow ?? 0)) return random.between(1, 15)
      context.cutAt = time.now()
      return random.between(500, 4_000)
    }

    /** Throws where this context cannot reach the store just now. */
    function reach(): void {
      if (time.now() >= shared.downUntil && time.now() >= context.cutUntil) return
      context.cutAt = time.now()
      throw new Error('unreachable')
    }

    async function get(): Promise<Versioned | undefined> {
      const look = onGet()
      try {
        return await read(look)
      } finally {
        look?.over()
      }
    }

    function read(look: FirstLook | undefined): Promise<Versioned | undefined> {
      return context.call(latency(), latency(), () => {
        const before = context.blindAt
        context.blindAt = time.now()
        reach()
        if (random.chance(parts.faults().before ?? 0)) fail()
        context.blindAt = before
        look?.found(held)
        return stored
      })
    }

    function replace(_key: string, seen: string | undefined, next: Versioned | undefined): Promise<boolean> {
      onReplace()
      const trouble = random.weighted(parts.faults(), 'none')
      const there = latency()
      if (trouble === 'later') {
        time.at(time.now() + there + random.between(0, 2_000), () => void write(context, source, seen, next))
        return context.call<boolean>(there, latency(), fail, 6).finally(onReplace)
      }
      const effect = (): boolean => {
        reach()
        if (trouble === 'before') fail()
        const written = write(context, source, seen, next)
        if (trouble === 'after') fail()
        return written
      }
      return context.call(there, latency(), effect, 6).finally(onReplace)
    }

    const store: Store = { get, replace }
    return isAtHand ? atHand(store, () => stored) : store
  }

  function fail(): never {
    throw new Error('failed')
  }

  function write(context: Context, source: string, seen: string | undefined, next: Versioned | undefined): boolean {
    if (stored?.version !== seen) return false
    const before = held
    previous = stored
    stored = next
    held = parsed(next)
    parts.wrote(context, source, before, held)
    return true
  }

  function forget(): void {
    if (previous === undefined) return
    const before = held
    stored = previous
    held = parsed(stored)
    previous = undefined
    parts.forgot(before, held)
  }

  const shared: SharedStore = { view, held: () => held, forget, downUntil: -1 }
  return shared
}
