// A job in its own right whose tokens are bound to a key (RFC 9449).
import * as oauth from 'oauth4webapi'

const issuer = new URL('https://auth.example.com')
const client = { client_id: 'job' }
let server
let held
let asking
let options

async function proven(run) {
  options ??= { DPoP: oauth.DPoP(client, await oauth.generateKeyPair('ES256')) }
  try {
    return await run()
  } catch (error) {
    if (!oauth.isDPoPNonceError(error)) throw error
    return run()
  }
}

async function ask() {
  server ??= await oauth.discoveryRequest(issuer).then((response) => oauth.processDiscoveryResponse(issuer, response))
  return proven(async () => {
    const authentication = oauth.ClientSecretBasic(process.env.SECRET)
    const response = await oauth.clientCredentialsGrantRequest(server, client, authentication, {}, options)
    const { access_token, expires_in = 60 } = await oauth.processClientCredentialsResponse(server, client, response)
    held = { access_token, over: Date.now() + expires_in * 900 }
    return held
  })
}

export async function api(url, init) {
  if (!url.startsWith('https://api.example.com/')) throw new Error('not listed')
  if (held === undefined || Date.now() >= held.over) await (asking ??= ask().finally(() => (asking = undefined)))
  const { access_token } = held
  return proven(() =>
    oauth.protectedResourceRequest(access_token, init?.method ?? 'GET', new URL(url), new Headers(init?.headers), init?.body, options),
  )
}
