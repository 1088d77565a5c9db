import { atHand, peekOf } from '../core/at-hand.js'
import { OAuthError } from '../core/errors.js'
import type { Emit } from '../core/events.js'
import type { Clock, Store } from '../core/ports.js'
import { memoryStore } from './memory.js'

/** How long a store that failed is left alone, in milliseconds: each try may take its whole deadline. */
const rest = 5_000

/**
 * A store for what can be had again: while it cannot be reached, a memory of this process takes its place. An event says so once per outage, and once
 * when it is over.
 */
export function passedOver(store: Store, { clock, emit }: { readonly clock: Clock; readonly emit: Emit }): Store {
  let own: Store | undefined
  let tryAgainAt = -Infinity

  async function use<T>(what: (store: Store) => Promise<T>): Promise<T> {
    if (own !== undefined && clock.monotonic() < tryAgainAt) return what(own)
    // One tries it again, and may wait for it; the others go on.
    tryAgainAt = clock.monotonic() + rest
    try {
      const done = await what(store)
      if (own !== undefined) emit({ type: 'store_recovered' })
      own = undefined
      return done
    } catch (error) {
      if (own === undefined) emit({ type: 'store_failed', code: error instanceof OAuthError ? error.code : 'store_unavailable' })
      own ??= memoryStore()
      tryAgainAt = clock.monotonic() + rest
      return what(own)
    }
  }

  const { watch } = store
  const passing: Store = {
    get: (key) => use((one) => one.get(key)),
    replace: (key, seen, next) => use((one) => one.replace(key, seen, next)),
    ...(watch === undefined ? {} : { watch: (key, changed) => watch.call(store, key, changed) }),
  }
  const peek = peekOf(store)
  return peek === undefined ? passing : atHand(passing, (key) => (own === undefined ? peek(key) : undefined))
}
