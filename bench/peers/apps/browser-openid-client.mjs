import {
  None, authorizationCodeGrant, buildAuthorizationUrl, calculatePKCECodeChallenge, discovery, fetchProtectedResource, randomPKCECodeVerifier,
  randomState, refreshTokenGrant,
} from 'openid-client' // prettier-ignore

let known
const configuration = () => (known ??= discovery(new URL('https://auth.example.com'), 'app', undefined, None()))
const read = (name) => JSON.parse(sessionStorage.getItem(name) ?? 'null')
const write = (name, value) => sessionStorage.setItem(name, JSON.stringify(value))
const keep = (tokens, before) =>
  write('tokens', { refresh_token: before, ...tokens, expires: Date.now() + (tokens.expires_in ?? 60) * 1000 })

export async function signIn() {
  const pending = { pkceCodeVerifier: randomPKCECodeVerifier(), expectedState: randomState() }
  write('pending', pending)
  const parameters = {
    redirect_uri: 'https://app.example.com/callback',
    scope: 'notes',
    state: pending.expectedState,
    code_challenge: await calculatePKCECodeChallenge(pending.pkceCodeVerifier),
    code_challenge_method: 'S256',
  }
  location.assign(buildAuthorizationUrl(await configuration(), parameters))
}
export async function resume() {
  const pending = read('pending')
  if (pending === null) return read('tokens') !== null
  sessionStorage.removeItem('pending')
  keep(await authorizationCodeGrant(await configuration(), new URL(location.href), pending))
  return true
}
export async function api(url, init) {
  let tokens = read('tokens')
  if (tokens.expires - 30_000 < Date.now()) {
    keep(await refreshTokenGrant(await configuration(), tokens.refresh_token), tokens.refresh_token)
    tokens = read('tokens')
  }
  const { method = 'GET', body, headers } = init ?? {}
  return fetchProtectedResource(await configuration(), tokens.access_token, new URL(url), method, body, new Headers(headers))
}
