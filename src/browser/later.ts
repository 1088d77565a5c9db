import { OAuthError } from '../core/errors.js'

/** A part of the library that is loaded when it is first needed. */
export interface Later<T> {
  /** Itself where it is here, so that what needs it may go on in the same turn. Rejects with `network` where it cannot be had. */
  now(): T | Promise<T>
  /** Loads it, whatever comes of that: who needs it asks again. */
  preload(): void
  /** As `preload`, when the page has nothing else to do. */
  preloadWhenIdle(): void
}

export function later<T extends object>(load: () => Promise<T>): Later<T> {
  let loaded: T | undefined
  let loading: Promise<T> | undefined

  function now(): T | Promise<T> {
    if (loaded !== undefined) return loaded
    loading ??= load().then(
      (part) => (loaded = part),
      () => {
        // What could not be loaded is loaded anew by the next who needs it.
        loading = undefined
        throw new OAuthError(
          'network',
          'A part of the application’s own code could not be loaded. Try again; where that does not help, load the page anew.',
        )
      },
    )
    return loading
  }

  const preload = (): void => void Promise.resolve(now()).catch(() => {})
  return {
    now,
    preload,
    preloadWhenIdle: () => {
      const { requestIdleCallback } = globalThis as { readonly requestIdleCallback?: (run: () => void) => unknown }
      if (requestIdleCallback === undefined) setTimeout(preload, 1_000)
      else requestIdleCallback(preload)
    },
  }
}
