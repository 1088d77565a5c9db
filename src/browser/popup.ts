import { isHttp } from '../core/address.js'
import { OAuthError } from '../core/errors.js'
import { type Members, ownMembers, wrongOption } from '../core/option.js'
import { pendingLifetime } from '../core/pending-request.js'
import type { Clock, Lock, UserAgent } from '../core/ports.js'
import { stateOfRequest } from '../core/request-state.js'
import { unlessAborted } from '../core/unless-aborted.js'
import { leadsTo, parse, stateOf } from '../session/response-address.js'
import { systemClock } from '../system-clock.js'
import { awaitedName, mayBeAwaited } from './awaited.js'
import { type Carrier, between, broadcast } from './carriers.js'
import { handOver } from './hand-over.js'
import { thisWindow } from './page.js'
import { bringHandOver } from './popups.js'
import { type PopupSize, openWindow, watchWindow } from './popup-window.js'
import { type Words, wordsOf } from './popup-words.js'
import { pageLock } from './web-locks.js'

/**
 * Signs in in a window of its own, and the page stays. It opens at once, so call `signIn` from a click. The page at `redirectUri`, of this page's own
 * origin and with a session made alike, answers by calling `resume`: there it does not settle, for that window closes. Where nobody waits any more
 * it signs in there.
 *
 * `signIn` then rejects with `popup_blocked` where the browser opens no window, with `cancelled` when the user closes it, with `timed_out` after ten
 * minutes, with the signal's reason when that is aborted, and with what the authorization server says, such as `access_denied`. All of that holds
 * under any `Cross-Origin-Opener-Policy`, but one: a window that the authorization server's policy has cut off cannot be seen to close, and then
 * a sign-in that was given up ends by its signal or after the ten minutes. What is said between the windows is for this origin alone, and sealed
 * (RFC 9700 section 4.17, RFC 10017 section 6.3.3.3).
 *
 * @param options `width` and `height` of the window in pixels, by default 500 by 700
 * @throws OAuthError `invalid_configuration`, which names the option that is wrong
 *
 * @example
 * const session = browserSession({ issuer, clientId, redirectUri: '/popup.html', userAgent: popup({ width: 480 }) })
 * document.querySelector('button')?.addEventListener('click', () => void session.signIn())
 */
export function popup(options: { readonly width?: number; readonly height?: number } = {}): UserAgent {
  const members = ownMembers(options, ['width', 'height'], 'popup')
  const size = { width: pixels(members, 'width') ?? 500, height: pixels(members, 'height') ?? 700 }
  bringHandOver(async (response, state, isKnown) => {
    if ((await mayBeAwaited(state, isKnown)) && (await handOver(response, state))) await new Promise(() => {})
  })
  return popupOf({ size, page: thisWindow, clock: systemClock, lock: pageLock() })
}

export interface PopupParts {
  readonly size: PopupSize
  /** Throws `not_supported` where there is no page. */
  readonly page: () => Window
  readonly clock: Clock
  readonly lock: Lock
}

/** `popup`, in a page and by a clock that a test can make. */
export function popupOf({ size, page: thisPage, clock, lock }: PopupParts): UserAgent {
  return {
    async authorize(request, options) {
      const { redirectUri, signal } = Object.assign(Object.create(null) as typeof options, options)
      signal?.throwIfAborted()
      const page = thisPage()
      if (redirectUri === undefined || parse(redirectUri)?.origin !== page.location.origin)
        throw wrongOption('redirectUri', 'of a popup must be a page of this page’s own origin: no other can answer it.')
      const opened = openWindow(page, size)
      const over = new AbortController()
      try {
        return await unlessAborted(answer(request, redirectUri, { page, opened, clock, lock, over: over.signal }), signal)
      } finally {
        over.abort()
        opened.close()
      }
    },
  }
}

interface SignInWindow {
  readonly page: Window
  readonly opened: Window
  readonly clock: Clock
  readonly lock: Lock
  /** Aborted when all is over. */
  readonly over: AbortSignal
}

async function answer(request: (redirectUri: string) => Promise<URL>, redirectUri: string, on: SignInWindow): Promise<URL> {
  const { page, opened, clock, lock, over } = on
  const window = watchWindow(opened, page, clock, over)
  const late = clock.wait(pendingLifetime, over).then(() => Promise.reject(timedOut()))
  const url = await Promise.race([request(redirectUri), window.closed, late])
  const state = stateOfRequest(url) ?? stateOf(url)
  // It was checked where it was made; what a `javascript:` address would run with is worth a second look.
  if (!isHttp(url) || state === undefined) throw nowhereToGo()
  const [name, words] = await Promise.all([awaitedName(state), wordsOf(state)])
  const isAnswer = (response: URL) => leadsTo(redirectUri, response) && stateOf(response) === state
  const answered = firstAnswer([between(page, opened, over), broadcast(name, over)], words, isAnswer)
  await held(lock, name, over)
  over.throwIfAborted()
  window.leave(url)
  return Promise.race([answered, window.closed, late])
}

/** The first response that is sealed and is the answer; who brings it is told that it was taken. All else that is heard does nothing. */
function firstAnswer(carriers: readonly Carrier[], words: Words, isAnswer: (response: URL) => boolean): Promise<URL> {
  return new Promise((resolve) => {
    const take = async (text: string, { post }: Carrier): Promise<void> => {
      const response = parse((await words.open('response', text)) ?? '')
      if (response === undefined || !isAnswer(response)) return
      post(await words.seal('taken', ''))
      resolve(response)
    }
    for (const carrier of carriers) carrier.listen((text) => void take(text, carrier))
  })
}

/** Resolves when the lock is held that says that somebody waits, or cannot be had. */
function held(lock: Lock, name: string, over: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const untilOver = () =>
      new Promise<void>((release) => {
        over.addEventListener('abort', () => release(), { once: true })
        resolve()
      })
    lock(name, untilOver, { signal: over }).catch(() => resolve())
  })
}

function pixels(members: Members, name: string): number | undefined {
  const value = members[name]
  if (value === undefined || (typeof value === 'number' && Number.isInteger(value) && value > 0)) return value
  throw wrongOption(name, 'must be a whole number of pixels.')
}

function timedOut(): OAuthError {
  return new OAuthError('timed_out', 'No answer came from the window within ten minutes. Offer the sign-in again.')
}

function nowhereToGo(): OAuthError {
  return new OAuthError(
    'authorization_failed',
    'The authorization request is not an http or https address with a state, so no window goes there. Check authorization_endpoint.',
  )
}
