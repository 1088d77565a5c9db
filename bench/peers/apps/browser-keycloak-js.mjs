import Keycloak from 'keycloak-js'

const keycloak = new Keycloak({ url: 'https://auth.example.com', realm: 'app', clientId: 'app' })

export const signIn = () => keycloak.login({ scope: 'notes', redirectUri: 'https://app.example.com/callback' })
export const resume = () => keycloak.init({ pkceMethod: 'S256', checkLoginIframe: false })
export async function api(url, init) {
  await keycloak.updateToken(30)
  return fetch(url, { ...init, headers: { ...init?.headers, authorization: `Bearer ${keycloak.token}` } })
}
