import { isHttp } from '../core/address.js'
import { OAuthError } from '../core/errors.js'
import { callable, ownMembers, text, wrongOption } from '../core/option.js'
import { pendingLifetime } from '../core/pending-request.js'
import type { Clock, UserAgent } from '../core/ports.js'
import { stateOfRequest } from '../core/request-state.js'
import { bare } from '../core/secret.js'
import { unlessAborted } from '../core/unless-aborted.js'
import { stateOf } from '../session/response-address.js'
import { systemClock } from '../system-clock.js'
import { listen } from './loopback-listener.js'
import type { Door } from './loopback-listener.js'
import { openBrowser } from './open-browser.js'

/**
 * The user's own browser, and a page on 127.0.0.1 (or [::1]) that waits for the response (RFC 8252 sections 7.3, 8.3). It listens only while a
 * sign-in is under way, on a free port, or on the port that `redirectUri` names; what does not answer this sign-in (by path, `Host` and
 * `state`) does not end it, and one request is taken. Where no browser can be opened, `show` is called with the address.
 *
 * `signIn` rejects with `timed_out` when nobody has come back within ten minutes, with the signal's reason when that is aborted, with
 * `authorization_failed` where it cannot listen, and with `invalid_configuration` where `redirectUri` is not of 127.0.0.1 or [::1]: `localhost`
 * may lead elsewhere (RFC 8252 section 8.3).
 *
 * @param options `path`: of the redirect URI where the session names none, by default `/callback`; `show`: by default writes to the terminal
 *
 * @example
 * const session = userSession({ issuer, clientId, scope: ['notes:read'], userAgent: loopback(), store: await fileStore('notes-cli') })
 * if (!(await session.resume())) await session.signIn()
 */
export function loopback(options: { readonly path?: string; readonly show?: (address: URL) => void } = {}): UserAgent {
  return loopbackBy(options, { open: openBrowser, clock: systemClock, hosts: ['127.0.0.1', '::1'] })
}

/** What the loopback user agent asks of the machine. */
export interface LoopbackParts {
  /** Resolves false where no browser was opened. */
  readonly open: (address: URL) => Promise<boolean>
  readonly clock: Clock
  /** Where it listens when the session names no redirect URI: the first that this machine has. */
  readonly hosts: readonly string[]
}

export function loopbackBy(options: { readonly path?: string; readonly show?: (address: URL) => void }, parts: LoopbackParts): UserAgent {
  const members = ownMembers(options, ['path', 'show'], 'loopback')
  const path = text(members, 'path') ?? '/callback'
  if (!/^\/(?!\/)[^\s\p{Cc}\\?#]*$/u.test(path)) throw wrongOption('path', 'must be a path that begins with a slash, without `?` and `#`.')
  const show = callable<(address: URL) => void>(members, 'show') ?? showInTerminal

  return {
    async authorize(request, given) {
      const { redirectUri, signal } = bare(given)
      signal?.throwIfAborted()
      const listener = await listen(redirectUri === undefined ? { hosts: parts.hosts, port: 0, path } : doorOf(redirectUri))
      const finished = new AbortController()
      try {
        const url = await unlessAborted(request(listener.redirectUri), signal)
        const answer = listener.answerTo(stateIn(url))
        const present = async (): Promise<never> => {
          if (!(await parts.open(url)) && !finished.signal.aborted) show(url)
          return new Promise(() => {})
        }
        return await unlessAborted(Promise.race([answer, tooLate(parts.clock, finished.signal), present()]), signal)
      } finally {
        finished.abort()
        listener.close()
      }
    },
  }
}

/** The one redirect URI that RFC 8252 section 7.3 allows here, as it is written; without a port, any is taken. */
function doorOf(redirectUri: string): Door {
  const { host, port, path } =
    /^http:\/\/(?<host>127\.0\.0\.1|\[::1\])(?::(?<port>\d{1,5}))?(?<path>\/[^#\s]*)?$/i.exec(redirectUri)?.groups ?? {}
  if (host === undefined || Number(port ?? 0) > 65_535) {
    throw wrongOption(
      'redirectUri',
      'must be http://127.0.0.1 or http://[::1] for a loopback sign-in, with or without a port, and never localhost (RFC 8252 section 8.3). ' +
        'Or leave it out, and register http://127.0.0.1/callback.',
    )
  }
  return { hosts: [host === '[::1]' ? '::1' : host], port: Number(port ?? 0), path: path ?? '' }
}

/** Without a state the answer could not be told from anybody's, and another's address is never opened. */
function stateIn(url: URL): string {
  const state = stateOfRequest(url) ?? stateOf(url)
  if (isHttp(url) && state !== undefined) return state
  throw new OAuthError(
    'authorization_failed',
    'The authorization request is not an http or https address with a state, so no browser is opened. Check authorization_endpoint.',
  )
}

/** A response that comes later answers nothing any more: its pending request is forgotten. */
async function tooLate(clock: Clock, finished: AbortSignal): Promise<never> {
  await clock.wait(pendingLifetime, finished)
  throw new OAuthError('timed_out', 'Nobody came back from the authorization server within ten minutes. Start the sign-in again.')
}

function showInTerminal(address: URL): void {
  process.stderr.write(`To sign in, open this address in a browser on this machine:\n\n  ${address.href}\n\n`)
}
