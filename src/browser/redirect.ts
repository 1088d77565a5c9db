import { OAuthError } from '../core/errors.js'
import type { UserAgent } from '../core/ports.js'
import { unlessAborted } from '../core/unless-aborted.js'
import { page as thisPage } from './page.js'
import type { Page } from './page.js'

/**
 * Leaves the page for the authorization server; the response comes to the page at `redirectUri`, whose session takes it up with `resume`.
 * `authorize` therefore never resolves. It rejects with `cancelled` when the user comes Back to this very page, with the signal's reason when
 * that is aborted before the page is left, with `authorization_failed` where the address is not http or https, and with `not_supported` where
 * there is no page.
 *
 * @example
 * const session = browserSession({ issuer, clientId, redirectUri: '/callback', userAgent: redirect() }) // what a page has by itself
 */
export function redirect(): UserAgent {
  return redirectOf(thisPage)
}

export function redirectOf(page: Page): UserAgent {
  return {
    async authorize(request, options) {
      const { redirectUri, signal } = Object.assign(Object.create(null) as typeof options, options)
      signal?.throwIfAborted()
      if (redirectUri === undefined)
        throw new OAuthError('invalid_configuration', 'A redirect needs redirectUri: the page that the response comes to.')
      page.origin()
      const url = await unlessAborted(request(redirectUri), signal)
      // It was checked where it was made; what a `javascript:` address would run with is worth a second look.
      if (url.protocol !== 'https:' && url.protocol !== 'http:') {
        throw new OAuthError(
          'authorization_failed',
          'The authorization request is not an http or https address, so the page stays. Check authorization_endpoint.',
        )
      }
      return leave(page, url)
    },
  }
}

function leave(page: Page, url: URL): Promise<never> {
  return new Promise((_, reject) => {
    const stop = page.onRestored(() => {
      stop()
      reject(new OAuthError('cancelled', 'The user came back without an answer from the authorization server. Offer the sign-in again.'))
    })
    try {
      page.navigate(url)
    } catch {
      stop()
      reject(
        new OAuthError(
          'authorization_failed',
          'The browser did not let the page be left for the authorization server. Is it in a sandboxed frame?',
        ),
      )
    }
  })
}
