import type { Clock } from '../core/ports.js'

interface Waiting {
  readonly at: number
  readonly wake: () => void
}

/**
 * A clock that moves when told to. `advance` goes from one due wait to the next, and between them lets everything go on that was waiting, so that
 * what a wait sets off happens at its own time.
 *
 * @param start milliseconds since the epoch; by default the first of January 2026
 *
 * @example
 * const clock = manualClock()
 * const session = browserSession({ issuer, clientId, redirectUri: '/callback', store: memoryStore(), clock })
 * await clock.advance(60_000)
 */
export function manualClock(start: number = Date.UTC(2026, 0, 1)): Clock & { advance(milliseconds: number): Promise<void> } {
  const waits = new Set<Waiting>()
  let elapsed = 0

  async function advance(milliseconds: number): Promise<void> {
    const end = elapsed + milliseconds
    await settled()
    for (let next = firstOf(waits, end); next !== undefined; next = firstOf(waits, end)) {
      elapsed = Math.max(elapsed, next.at)
      next.wake()
      await settled()
    }
    elapsed = Math.max(elapsed, end)
    await settled()
  }

  return {
    now: () => start + elapsed,
    monotonic: () => elapsed,
    wait: (milliseconds, signal) =>
      new Promise((resolve, reject) => {
        signal?.throwIfAborted()
        // As a timer does, whatever is no positive number ends at once.
        if (!(milliseconds > 0)) return resolve()
        const over = () => {
          waits.delete(waiting)
          signal?.removeEventListener('abort', abort)
        }
        const abort = () => {
          over()
          reject(signal?.reason)
        }
        const wake = () => {
          over()
          resolve()
        }
        const waiting = { at: elapsed + milliseconds, wake }
        waits.add(waiting)
        signal?.addEventListener('abort', abort, { once: true })
      }),
    advance,
  }
}

/** The earliest that is due by then; of those of one moment the one that waits longest. */
function firstOf(waits: ReadonlySet<Waiting>, end: number): Waiting | undefined {
  let first: Waiting | undefined
  for (const waiting of waits) if (waiting.at <= end && (first === undefined || waiting.at < first.at)) first = waiting
  return first
}

/** Enough turns of the event loop for a chain of promises, a transaction or a digest to come to its next wait. */
const turns = 10

async function settled(): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await nextTurn()
}

function nextTurn(): Promise<void> {
  const { setImmediate } = globalThis as { readonly setImmediate?: (run: () => void) => unknown }
  return new Promise((resolve) => void (setImmediate === undefined ? setTimeout(resolve, 0) : setImmediate(resolve)))
}
