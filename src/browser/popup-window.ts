import { OAuthError } from '../core/errors.js'
import type { Clock } from '../core/ports.js'

export interface PopupSize {
  readonly width: number
  readonly height: number
}

/** Opens a blank window in the middle of this one. Throws `popup_blocked`. */
export function openWindow(page: Window, { width, height }: PopupSize): Window {
  const left = Math.round(page.screenX + (page.outerWidth - width) / 2)
  const top = Math.round(page.screenY + (page.outerHeight - height) / 2)
  const opened = page.open('about:blank', '_blank', `popup,width=${width},height=${height},left=${left},top=${top}`)
  if (opened !== null) return opened
  throw new OAuthError(
    'popup_blocked',
    'The browser let no window be opened. Call signIn from a click, or ask the user to allow popups here.',
  )
}

/** How often the window is looked at, and how long a response may be on its way from a window that is gone. Milliseconds. */
const [lookEvery, onItsWay] = [200, 3_000]

/** A window, watched for its user closing it. */
export interface WatchedWindow {
  /** Rejects with `cancelled` when the user has closed it, as far as that can be known. */
  readonly closed: Promise<never>
  /** From now on it is elsewhere, and may be cut off from this page. */
  leave(url: URL): void
}

/**
 * `closed` is the truth only while the window is where we put it. A page with a `Cross-Origin-Opener-Policy` cuts it off, and it then looks closed
 * while its user types a password. So it is believed of a window that was seen living elsewhere before, and only when the user is back at this page.
 */
export function watchWindow(opened: Window, page: Window, clock: Clock, until: AbortSignal): WatchedWindow {
  let trust: 'ours' | 'left' | 'seen elsewhere' = 'ours'

  async function watch(): Promise<never> {
    for (;;) {
      await clock.wait(lookEvery, until)
      if (!opened.closed) {
        if (trust === 'left' && !isBlank(opened)) trust = 'seen elsewhere'
        continue
      }
      if (trust === 'ours') throw cancelled()
      if (trust === 'left') continue
      await clock.wait(onItsWay, until)
      if (page.document.hasFocus()) throw cancelled()
    }
  }

  const closed = watch()
  closed.catch(() => {})
  return {
    closed,
    leave(url) {
      trust = 'left'
      opened.location.replace(url.href)
    },
  }
}

function isBlank(opened: Window): boolean {
  try {
    return opened.location.href === 'about:blank' || opened.location.href === ''
  } catch {
    return false
  }
}

function cancelled(): OAuthError {
  return new OAuthError('cancelled', 'The window was closed without an answer from the authorization server. Offer the sign-in again.')
}
