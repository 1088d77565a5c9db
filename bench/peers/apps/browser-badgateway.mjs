import { OAuth2Client, OAuth2Fetch, generateCodeVerifier } from '@badgateway/oauth2-client'

const client = new OAuth2Client({
  server: 'https://auth.example.com/',
  clientId: 'app',
  discoveryEndpoint: '/.well-known/openid-configuration',
})
const redirectUri = 'https://app.example.com/callback'
const read = (name) => JSON.parse(sessionStorage.getItem(name) ?? 'null')
const write = (name, value) => sessionStorage.setItem(name, JSON.stringify(value))
const fetcher = new OAuth2Fetch({
  client,
  getNewToken: () => null,
  getStoredToken: () => read('tokens'),
  storeToken: (tokens) => write('tokens', tokens),
})

export async function signIn() {
  const pending = { state: await generateCodeVerifier(), codeVerifier: await generateCodeVerifier() }
  write('pending', pending)
  location.assign(await client.authorizationCode.getAuthorizeUri({ redirectUri, scope: ['notes'], ...pending }))
}
export async function resume() {
  const pending = read('pending')
  if (pending === null) return read('tokens') !== null
  sessionStorage.removeItem('pending')
  write('tokens', await client.authorizationCode.getTokenFromCodeRedirect(location.href, { redirectUri, ...pending }))
  return true
}
export const api = (url, init) => fetcher.fetch(url, init)
