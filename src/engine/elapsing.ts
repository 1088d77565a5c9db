import type { Instant } from '../core/lifetime.js'
import type { Clock } from '../core/ports.js'

export interface Elapsing {
  /** The monotonic clock, and sleep, in which it may stand still: what the longer of both clocks says has passed, call by call. */
  counted(): number
  /** What has passed since this instant, by the longer of both clocks. */
  since(began: Instant): number
}

export function elapsing(clock: Clock): Elapsing {
  let count = 0
  let monotonic: number | undefined
  let wall = 0
  return {
    counted() {
      const [now, at] = [clock.monotonic(), clock.now()]
      count += monotonic === undefined ? 0 : Math.max(now - monotonic, at - wall)
      monotonic = now
      wall = at
      return count
    },
    since: (began) => Math.max(clock.monotonic() - began.monotonic, clock.now() - began.wall),
  }
}
