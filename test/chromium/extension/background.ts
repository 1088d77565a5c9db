import { type OAuthEvent, type Session, type UserAgent, browserSession, oauthFetch } from '../../../src/browser/index.js'

// The background service worker of an extension (Manifest V3): no window, no `import()`, and ended by the browser whenever it likes.

declare const chrome: {
  readonly identity: { launchWebAuthFlow(options: { readonly url: string; readonly interactive: boolean }): Promise<string | undefined> }
}

/** What a test may have it do. */
export interface Background {
  readonly session: Session
  readonly events: OAuthEvent[]
  call(path: string): Promise<number>
}

/** The browser's own window for signing in to an extension; it comes back with the address of the response. */
const identity: UserAgent = {
  async authorize(request, { redirectUri = '' }) {
    const url = await request(redirectUri)
    const response = await chrome.identity.launchWebAuthFlow({ url: url.href, interactive: true })
    if (response === undefined) throw new Error('The window was closed.')
    return new URL(response)
  },
}

function begin(issuer: string, api: string): Background {
  const events: OAuthEvent[] = []
  const session = browserSession({
    issuer,
    clientId: 'extension',
    redirectUri: `https://${location.host}.chromiumapp.org/`,
    scope: ['openid', 'notes:read'],
    userAgent: identity,
    observe: (event) => events.push(event),
  })
  const fetchApi = oauthFetch(session, { resources: [`${api}/`] })
  return { session, events, call: async (path) => (await fetchApi(`${api}${path}`)).status }
}

Object.assign(globalThis, { begin })
