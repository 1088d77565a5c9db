import type { Clock } from './core/ports.js'

/** The machine's own clock. Globals are read at the call, so that a test or a tracer that replaces them is seen. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  wait: (milliseconds, signal) =>
    new Promise((resolve, reject) => {
      signal?.throwIfAborted()
      const abort = () => {
        clearTimeout(timer)
        reject(signal?.reason)
      }
      const timer = setTimeout(
        () => {
          signal?.removeEventListener('abort', abort)
          resolve()
        },
        Math.min(milliseconds, longestTimer),
      )
      signal?.addEventListener('abort', abort, { once: true })
    }),
}

/** What `setTimeout` can count; a longer wait would fire at once. */
const longestTimer = 2 ** 31 - 1
