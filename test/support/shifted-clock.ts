import type { Clock } from '../../src/core/ports.js'
import { systemClock } from '../../src/system-clock.js'

/** The machine's clock, that a test can move forward: what waits still waits in real time, what has a lifetime grows older. */
export function shiftedClock(): Clock & { forward(milliseconds: number): void } {
  let shift = 0
  return {
    now: () => systemClock.now() + shift,
    monotonic: () => systemClock.monotonic() + shift,
    wait: systemClock.wait,
    forward(milliseconds) {
      shift += milliseconds
    },
  }
}
