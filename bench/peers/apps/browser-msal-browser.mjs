import { PublicClientApplication } from '@azure/msal-browser'

const application = new PublicClientApplication({
  auth: { clientId: 'app', authority: 'https://auth.example.com/', knownAuthorities: ['auth.example.com'], redirectUri: '/callback' },
})
const scopes = ['notes']

export const signIn = () => application.loginRedirect({ scopes })
export async function resume() {
  await application.initialize()
  await application.handleRedirectPromise()
  return application.getAllAccounts().length > 0
}
export async function api(url, init) {
  const { accessToken } = await application.acquireTokenSilent({ scopes, account: application.getAllAccounts()[0] })
  return fetch(url, { ...init, headers: { ...init?.headers, authorization: `Bearer ${accessToken}` } })
}
