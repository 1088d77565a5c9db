import { OAuthError } from '../core/errors.js'
import { here, pageAddress } from './page-address.js'

/** The page that this runs in, as far as a session has to do with it. Looked up at each call: where there is no window, there is no page. */
export interface Page {
  /** Resolves when the user is looking at the page: one that is prerendered may never be seen, and redeems no code. */
  ready(): Promise<void>
  /** Whether it is shown inside a page of another origin, however far out. */
  isFramedByAnother(): boolean
  /** `undefined` where there is no page. */
  address(): URL | undefined
  /** In place of the present entry of the history, with that entry's state; nothing is loaded. */
  replaceAddress(url: URL): void
  /** Throws `not_supported` where there is no page. */
  origin(): string
  /** Leaves the page. Throws `not_supported` where there is none. */
  navigate(url: URL): void
  /** Calls when the user has come Back to this page and it was kept as it was. Returns how to stop. */
  onRestored(listener: () => void): () => void
  /** Calls when time may have passed unnoticed: the page is visible again, was frozen or left and kept, the network is back. Returns how to stop. */
  onWake(listener: () => void): () => void
  /** Whether somebody looks at the page and there is a network, as far as the browser knows. */
  isAttended(): boolean
}

export const page: Page = {
  async ready() {
    const { document } = here() ?? {}
    if (document === undefined || !('prerendering' in document) || document.prerendering !== true) return
    await new Promise((resolve) => document.addEventListener('prerenderingchange', resolve, { once: true }))
  },
  isFramedByAnother() {
    for (let inner = here(); inner !== undefined && inner !== inner.parent; inner = inner.parent) {
      if (!isOwn(inner.parent)) return true
    }
    return false
  },
  address: pageAddress,
  replaceAddress: (url) => {
    const window = here()
    window?.history.replaceState(window.history.state, '', url)
  },
  origin: () => thisWindow().location.origin,
  navigate: (url) => thisWindow().location.assign(url),
  onRestored: (listener) => listen(here(), ['pageshow'], (event) => 'persisted' in event && event.persisted === true && listener()),
  onWake: (listener) => {
    const window = here()
    const stopWindow = listen(window, ['online', 'pageshow'], listener)
    const stopDocument = listen(window?.document, ['visibilitychange'], () => window?.document.visibilityState === 'visible' && listener())
    // Of the Page Lifecycle: the end of a freeze, also of a page that stays hidden. (At its beginning there is nothing to do: nothing runs on a timer.)
    const stopLifecycle = listen(window?.document, ['resume'], listener)
    return () => {
      stopWindow()
      stopDocument()
      stopLifecycle()
    }
  },
  isAttended: () => {
    const window = here()
    return window !== undefined && window.document.visibilityState === 'visible' && window.navigator.onLine
  },
}

/** Whether a window is of this page's own origin: of any other the browser shows nothing. */
export function isOwn(other: Window): boolean {
  try {
    return other.location.origin === thisWindow().location.origin
  } catch {
    return false
  }
}

/** As far as the browser knows, in a page or a worker; it is no proof of a network when it says that there is one. */
export function isOffline(): boolean {
  const { navigator } = globalThis as { readonly navigator?: { readonly onLine?: boolean } }
  return navigator?.onLine === false
}

/** The window that this runs in. Throws `not_supported` where there is none. */
export function thisWindow(): Window {
  const window = here()
  if (window === undefined)
    throw new OAuthError(
      'not_supported',
      'There is no page here to sign in from. In a worker or on a server, give the session another userAgent.',
    )
  return window
}

function listen(target: EventTarget | undefined, names: readonly string[], listener: (event: Event) => void): () => void {
  for (const name of names) target?.addEventListener(name, listener)
  return () => {
    for (const name of names) target?.removeEventListener(name, listener)
  }
}
