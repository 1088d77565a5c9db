// What must not compile, and what must.
import { clientSecretBasic, oauthFetch, serverSignIn, type TokenSource, type OAuthErrorCode } from 'valetkey'
import * as page from 'valetkey/browser'
import { browserSession } from 'valetkey/browser'
declare const source: TokenSource
const asFetch: typeof fetch = oauthFetch(source, { resources: ['https://a.example/'] })
void asFetch
// @ts-expect-error scope is a list
browserSession({ issuer: 'https://a', clientId: 'x', redirectUri: '/c', scope: 'openid profile' })
// @ts-expect-error issuer or authorizationServer, not both
browserSession({ issuer: 'https://a', authorizationServer: { issuer: 'https://a' }, clientId: 'x', redirectUri: '/c' })
// @ts-expect-error neither
browserSession({ clientId: 'x', redirectUri: '/c' })
// @ts-expect-error a page has no client secret
browserSession({ issuer: 'https://a', clientId: 'x', redirectUri: '/c', clientAuthentication: { method: 'client_secret_basic' } })
// @ts-expect-error unknown option
browserSession({ issuer: 'https://a', clientId: 'x', redirectUri: '/c', resources: [] })
// @ts-expect-error not in a page
void page.clientCredentials
export function say(code: OAuthErrorCode): string {
  switch (code) {
    case 'sign_in_required':
      return 'Sign in'
    default:
      return code
  }
}
// @ts-expect-error the routes of a server need a store that outlives a request
serverSignIn({ issuer: 'https://a', clientId: 'x', redirectUri: 'https://site.example/callback' })
// @ts-expect-error a secret is text, or a function that reads it
clientSecretBasic(undefined)
