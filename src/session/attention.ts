import type { Decision } from '../core/decide.js'
import type { Place } from '../core/place.js'
import type { Clock, Store } from '../core/ports.js'
import type { TokenEngine } from '../engine/token-engine.js'

export interface AttentionParts {
  readonly engine: TokenEngine
  readonly clock: Clock
  readonly store: Store
  /** The key of the session's record. */
  readonly key: string
  readonly place: Place | undefined
}

/** A flood of hints, which anybody of the origin can send, costs so many looks at once … */
const looksAtOnce = 10
/** … and from then on one in so many milliseconds. */
const betweenLooks = 250
/** A database that is just being taken away does not answer, and a moment later it does: so often a look that failed is made again. */
const looksAgain = 4

/**
 * Looks at the store when something hints at a change: another tab, the page that wakes. And a page that wakes renews what is due, so that the
 * first call need not wait for it. Nothing depends on it: every call looks for itself. Returns how to stop.
 */
export function attend({ engine, clock, store, key, place }: AttentionParts, lookNow: boolean): () => void {
  let woken = false
  const { hint, stop } = paced(clock, async () => {
    const { record } = await engine.look()
    if (!woken) return
    woken = false
    if (place?.isAttended() === true && isRenewalDue(engine.judge(record))) void engine.token().catch(() => {})
  })
  const wake = () => {
    woken = true
    hint()
  }
  const stops = [stop, store.watch?.(key, hint), place?.onWake(wake)]
  if (lookNow) hint()
  return () => stops.forEach((stop) => stop?.())
}

/** Never two looks at a time, and never more than a few a second; after the last hint there is one that was begun later. */
function paced(clock: Clock, look: () => Promise<void>): { hint(): void; stop(): void } {
  const stopped = new AbortController()
  let isWanted = false
  let isRunning = false
  let failed = 0
  /** Until when, on the monotonic clock, looks are used up that are due one after the other. */
  let usedUp = -Infinity

  async function run(): Promise<void> {
    isRunning = true
    while (isWanted && !stopped.signal.aborted) {
      const tooEarly = usedUp - clock.monotonic() - looksAtOnce * betweenLooks
      if (tooEarly > 0) await clock.wait(tooEarly, stopped.signal).catch(() => {})
      if (stopped.signal.aborted) return
      usedUp = Math.max(usedUp, clock.monotonic()) + betweenLooks
      isWanted = false
      try {
        await look()
        failed = 0
      } catch {
        failed += 1
        if (failed <= looksAgain) await again()
      }
    }
    isRunning = false
  }

  async function again(): Promise<void> {
    await clock.wait(betweenLooks, stopped.signal).catch(() => {})
    isWanted = true
  }

  return {
    hint: () => {
      isWanted = true
      if (!isRunning) void run()
    },
    stop: () => stopped.abort(),
  }
}

function isRenewalDue({ kind }: Decision): boolean {
  return kind === 'renew_first' || kind === 'use_and_renew_behind'
}
