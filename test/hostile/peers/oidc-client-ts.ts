import type { Kind } from '../client-under-test.js'

// Its OidcClient, for Node has no window; the calls are the application's own `fetch`, for it has none.

interface Tokens {
  readonly access_token: string
  readonly refresh_token?: string
  readonly profile: unknown
}
interface Client {
  createSigninRequest(options: object): Promise<{ readonly url: string }>
  processSigninResponse(url: string): Promise<Tokens>
  useRefreshToken(options: object): Promise<Tokens>
}
export interface OidcClientTs {
  readonly OidcClient: new (settings: object) => Client
  readonly WebStorageStateStore: new (options: object) => object
  readonly InMemoryWebStorage: new () => object
  readonly RefreshState: new (options: object) => object
}

export const oidcClientTs = (library: OidcClientTs): Kind => ({
  name: 'oidc-client-ts',
  givesUpAfter: 1_000,
  async start({ place, browse, fetch }, { scope = ['openid', 'notes:read'] }) {
    const client = new library.OidcClient({
      authority: place.issuer,
      client_id: place.clientId,
      redirect_uri: place.redirectUri,
      scope: scope.join(' '),
      requestTimeoutInSeconds: 1,
      stateStore: new library.WebStorageStateStore({ store: new library.InMemoryWebStorage() }),
    })
    let tokens: Tokens | undefined

    /** It has no option for a fetch of one's own. */
    async function withFetch<T>(run: () => Promise<T>): Promise<T> {
      const before = globalThis.fetch
      globalThis.fetch = fetch
      try {
        return await run()
      } finally {
        globalThis.fetch = before
      }
    }

    return {
      signIn: () =>
        withFetch(async () => {
          // Without a nonce of the application's it sends none.
          const { url } = await client.createSigninRequest({ nonce: crypto.randomUUID().replaceAll('-', '') })
          tokens = await client.processSigninResponse((await browse(new URL(url))).href)
        }),
      call: async (url, init) => (await fetch(url, { ...init, headers: { authorization: `Bearer ${tokens?.access_token}` } })).status,
      renew: () =>
        withFetch(async () => {
          tokens = await client.useRefreshToken({ state: new library.RefreshState({ ...tokens, session_state: null }) })
        }),
      clientCredentials: () => Promise.reject(new Error('It has none.')),
      evidence: async () => ({ kept: tokens === undefined ? 'nothing' : 'tokens', pendingTimers: 0, shown: {} }),
    }
  },
})
