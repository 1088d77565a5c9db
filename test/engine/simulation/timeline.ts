/** A pseudo-random sequence (mulberry32): the same seed makes the same world. */
export interface Random {
  /** In [0, 1). */
  next(): number
  chance(probability: number): boolean
  between(least: number, most: number): number
  pick<T>(from: readonly T[]): T
  /** One of the names by weight, the rest of 1 being `otherwise`. */
  weighted<T extends string, O extends string>(weights: Readonly<Partial<Record<T, number>>>, otherwise: O): T | O
}

export function randomOf(seed: number): Random {
  let state = seed | 0
  function next(): number {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
  function weighted<T extends string, O extends string>(weights: Readonly<Partial<Record<T, number>>>, otherwise: O): T | O {
    let left = next()
    for (const [name, weight] of Object.entries(weights) as [T, number][]) {
      left -= weight
      if (left < 0) return name
    }
    return otherwise
  }
  return {
    next,
    chance: (probability) => probability > 0 && next() < probability,
    between: (least, most) => least + next() * (most - least),
    pick: <T>(from: readonly T[]) => from[Math.floor(next() * from.length)] as T,
    weighted,
  }
}

/** Virtual time, in milliseconds: what happens when, and in which order. */
export interface Timeline {
  now(): number
  at(time: number, run: () => void): void
  /** Some promise was settled: all that follows from it happens before anything else does. */
  stir(): void
  /** Runs what is due until then. */
  runUntil(time: number): Promise<void>
}

interface Event {
  readonly time: number
  readonly order: number
  readonly run: () => void
}

export function timeline(): Timeline {
  const heap: Event[] = []
  let now = 0
  let order = 0
  let stirred = false

  const isBefore = (one: Event, other: Event): boolean => one.time < other.time || (one.time === other.time && one.order < other.order)

  function push(event: Event): void {
    let at = heap.push(event) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      const above = heap[parent] as Event
      if (!isBefore(event, above)) break
      heap[at] = above
      at = parent
    }
    heap[at] = event
  }

  function pop(): Event {
    const first = heap[0] as Event
    const last = heap.pop() as Event
    if (heap.length === 0) return first
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Event, heap[child] as Event)) child += 1
      if (!isBefore(heap[child] as Event, last)) break
      heap[at] = heap[child] as Event
      at = child
    }
    heap[at] = last
    return first
  }

  async function runUntil(time: number): Promise<void> {
    for (;;) {
      if (stirred) {
        stirred = false
        await new Promise((resolve) => setImmediate(resolve))
        continue
      }
      if (heap.length === 0 || (heap[0] as Event).time > time) break
      const event = pop()
      now = Math.max(now, event.time)
      event.run()
    }
    now = Math.max(now, time)
  }

  return {
    now: () => now,
    at: (time, run) => push({ time, order: (order += 1), run }),
    stir: () => {
      stirred = true
    },
    runUntil,
  }
}
