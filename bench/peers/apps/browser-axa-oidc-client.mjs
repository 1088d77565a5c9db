import { OidcClient } from '@axa-fr/oidc-client'

const configuration = {
  client_id: 'app',
  redirect_uri: 'https://app.example.com/callback',
  scope: 'notes',
  authority: 'https://auth.example.com',
}
const client = OidcClient.getOrCreate(() => fetch)(configuration)

export const signIn = () => client.loginAsync('/')
export const resume = async () => {
  await client.tryKeepExistingSessionAsync()
  return client.tokens != null
}
export const api = (url, init) => client.fetchWithTokens(fetch)(url, init)
