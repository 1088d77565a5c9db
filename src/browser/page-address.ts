/** The window that this runs in; `undefined` where there is none. */
export function here(): Window | undefined {
  return typeof window === 'undefined' ? undefined : window
}

/** `undefined` where there is no page. */
export function pageAddress(): URL | undefined {
  const window = here()
  return window === undefined ? undefined : new URL(window.location.href)
}
