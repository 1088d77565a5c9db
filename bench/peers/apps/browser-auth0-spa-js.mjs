import { createAuth0Client } from '@auth0/auth0-spa-js'

let known
const client = () =>
  (known ??= createAuth0Client({
    domain: 'auth.example.com',
    clientId: 'app',
    useRefreshTokens: true,
    cacheLocation: 'localstorage',
    authorizationParams: { redirect_uri: 'https://app.example.com/callback', scope: 'notes' },
  }))

export const signIn = async () => (await client()).loginWithRedirect()
export async function resume() {
  const auth0 = await client()
  if (new URL(location.href).searchParams.has('state')) await auth0.handleRedirectCallback()
  return auth0.isAuthenticated()
}
export async function api(url, init) {
  const token = await (await client()).getTokenSilently()
  return fetch(url, { ...init, headers: { ...init?.headers, authorization: `Bearer ${token}` } })
}
