import { randomBytes } from 'node:crypto'
import type { Kind } from '../client-under-test.js'

// Its client and its fetch wrapper. It knows nothing of OpenID Connect, and claims nothing of it.

interface Token {
  readonly accessToken: string
  readonly refreshToken: string | null
}
interface Client {
  readonly authorizationCode: {
    getAuthorizeUri(options: object): Promise<string>
    getTokenFromCodeRedirect(url: string, options: object): Promise<Token>
  }
  refreshToken(token: Token): Promise<Token>
  clientCredentials(): Promise<Token>
}
export interface Badgateway {
  readonly OAuth2Client: new (settings: object) => Client
  readonly OAuth2Fetch: new (options: object) => { fetch: typeof fetch }
  generateCodeVerifier(): Promise<string>
}

export const badgateway = (library: Badgateway): Kind => ({
  name: '@badgateway/oauth2-client',
  async start({ place, browse, fetch }, { scope = ['openid', 'notes:read'] }) {
    const settings = {
      server: `${place.issuer}/`,
      clientId: place.clientId,
      discoveryEndpoint: `${place.issuer}/.well-known/openid-configuration`,
      fetch,
    }
    const client = new library.OAuth2Client(settings)
    let token: Token | null = null
    const api = new library.OAuth2Fetch({
      client,
      scheduleRefresh: false,
      getNewToken: () => token,
      getStoredToken: () => token,
      storeToken: (next: Token) => (token = next),
    })

    return {
      async signIn() {
        const codeVerifier = await library.generateCodeVerifier()
        const state = randomBytes(16).toString('base64url')
        const shared = { redirectUri: place.redirectUri, state, codeVerifier }
        // A nonce is not among its options; it is sent for the server's sake.
        const extraParams = { nonce: randomBytes(16).toString('base64url') }
        const request = await client.authorizationCode.getAuthorizeUri({ ...shared, scope, extraParams })
        token = await client.authorizationCode.getTokenFromCodeRedirect((await browse(new URL(request))).href, shared)
      },
      call: async (url, init) => (await api.fetch(url, init)).status,
      async renew() {
        if (token !== null) token = await client.refreshToken(token)
      },
      async clientCredentials() {
        token = await new library.OAuth2Client({ ...settings, clientSecret: place.clientSecret }).clientCredentials()
      },
      evidence: async () => ({ kept: token === null ? 'nothing' : 'tokens', pendingTimers: 0, shown: {} }),
    }
  },
})
