import type { Kind } from '../client-under-test.js'

// As its README has it, with every check that it offers asked for.

interface Tokens {
  readonly access_token: string
  readonly refresh_token?: string
}
type Configuration = object
export interface OpenidClient {
  readonly customFetch: symbol
  readonly allowInsecureRequests: (configuration: Configuration) => void
  discovery(issuer: URL, clientId: string, metadata: unknown, authentication: unknown, options: unknown): Promise<Configuration>
  None(): unknown
  ClientSecretBasic(secret: string): unknown
  randomPKCECodeVerifier(): string
  calculatePKCECodeChallenge(verifier: string): Promise<string>
  randomState(): string
  randomNonce(): string
  readonly useJwtResponseMode: (configuration: Configuration) => void
  buildAuthorizationUrl(configuration: Configuration, parameters: Readonly<Record<string, string>>): URL
  buildAuthorizationUrlWithPAR(configuration: Configuration, parameters: Readonly<Record<string, string>>, options: unknown): Promise<URL>
  authorizationCodeGrant(
    configuration: Configuration,
    response: URL,
    checks: Readonly<Record<string, unknown>>,
    parameters?: unknown,
    options?: unknown,
  ): Promise<Tokens>
  refreshTokenGrant(configuration: Configuration, refreshToken: string, parameters?: unknown, options?: unknown): Promise<Tokens>
  clientCredentialsGrant(configuration: Configuration): Promise<Tokens>
  randomDPoPKeyPair(algorithm: string): Promise<unknown>
  getDPoPHandle(configuration: Configuration, keyPair: unknown): unknown
  fetchProtectedResource(
    configuration: Configuration,
    token: string,
    url: URL,
    method: string,
    body?: unknown,
    headers?: unknown,
    options?: unknown,
  ): Promise<Response>
}

export const openidClient = (library: OpenidClient): Kind => ({
  name: 'openid-client',
  givesUpAfter: 1_000,
  async start({ place, browse, fetch }, { scope = ['openid', 'notes:read'], dpop = false, pushed = false, signedResponses = false }) {
    let tokens: Tokens | undefined
    const configured = (authentication: unknown) =>
      library.discovery(new URL(place.issuer), place.clientId, undefined, authentication, {
        timeout: 1,
        execute: [library.allowInsecureRequests, ...(signedResponses ? [library.useJwtResponseMode] : [])],
        [library.customFetch]: fetch,
      })
    let known: Promise<Configuration> | undefined
    const publicClient = () => (known ??= configured(library.None()))
    let proving: Promise<object> | undefined
    const options = () =>
      (proving ??= (async () =>
        dpop ? { DPoP: library.getDPoPHandle(await publicClient(), await library.randomDPoPKeyPair('ES256')) } : {})())

    return {
      async signIn() {
        const configuration = await publicClient()
        const pkceCodeVerifier = library.randomPKCECodeVerifier()
        const [expectedState, nonce] = [library.randomState(), library.randomNonce()]
        const openid = scope.includes('openid')
        const parameters = {
          redirect_uri: place.redirectUri,
          scope: scope.join(' '),
          state: expectedState,
          code_challenge: await library.calculatePKCECodeChallenge(pkceCodeVerifier),
          code_challenge_method: 'S256',
          ...(openid ? { nonce } : {}),
        }
        const request = pushed
          ? await library.buildAuthorizationUrlWithPAR(configuration, parameters, await options())
          : library.buildAuthorizationUrl(configuration, parameters)
        const checks = { pkceCodeVerifier, expectedState, ...(openid ? { expectedNonce: nonce, idTokenExpected: true } : {}) }
        tokens = await library.authorizationCodeGrant(configuration, await browse(request), checks, undefined, await options())
      },
      async call(url, { method = 'GET', body } = {}) {
        const configuration = await publicClient()
        const response = await library.fetchProtectedResource(
          configuration,
          tokens?.access_token ?? '',
          new URL(url),
          method,
          body,
          undefined,
          await options(),
        )
        return response.status
      },
      async renew() {
        tokens = await library.refreshTokenGrant(await publicClient(), tokens?.refresh_token ?? '', undefined, await options())
      },
      async clientCredentials() {
        tokens = await library.clientCredentialsGrant(await configured(library.ClientSecretBasic(place.clientSecret)))
      },
      evidence: async () => ({ kept: tokens === undefined ? 'nothing' : 'tokens', pendingTimers: 0, shown: {} }),
    }
  },
})
