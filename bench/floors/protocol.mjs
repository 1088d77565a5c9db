// The protocol of the floors, over oauth4webapi: discovery, PKCE, state, iss, refresh; proofs where there is a key.
import * as oauth from 'oauth4webapi'

const issuer = new URL('https://auth.example.com')
const client = { client_id: 'app' }
const redirectUri = 'https://app.example.com/callback'
let known

const server = () =>
  (known ??= oauth.discoveryRequest(issuer, { algorithm: 'oauth2' }).then((response) => oauth.processDiscoveryResponse(issuer, response)))

export async function authorizationRequest() {
  const as = await server()
  const [state, verifier] = [oauth.generateRandomState(), oauth.generateRandomCodeVerifier()]
  const url = new URL(as.authorization_endpoint)
  const parameters = {
    client_id: client.client_id,
    redirect_uri: redirectUri,
    response_type: 'code',
    scope: 'notes',
    state,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  }
  for (const name in parameters) url.searchParams.set(name, parameters[name])
  return { url, pending: { state, verifier } }
}

const kept = ({ access_token, refresh_token, expires_in = 60 }, before) => ({
  access_token,
  refresh_token: refresh_token ?? before,
  expires: Date.now() + expires_in * 1000,
})

export async function redeem(address, { state, verifier }, options) {
  const as = await server()
  const parameters = oauth.validateAuthResponse(as, client, address, state)
  const response = await oauth.authorizationCodeGrantRequest(as, client, oauth.None(), parameters, redirectUri, verifier, options)
  return kept(await oauth.processAuthorizationCodeResponse(as, client, response))
}

export async function renew({ refresh_token }, options) {
  const as = await server()
  const response = await oauth.refreshTokenGrantRequest(as, client, oauth.None(), refresh_token, options)
  return kept(await oauth.processRefreshTokenResponse(as, client, response), refresh_token)
}
