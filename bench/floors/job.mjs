// A job in its own right: client credentials, a token in memory, renewed behind the call at 75 % of its life, one request however many ask.
import * as oauth from 'oauth4webapi'

export function jobOf({ issuer, clientId, secret, resource, share = 0.75, fetch: send = globalThis.fetch, insecure = false }) {
  const client = { client_id: clientId }
  const options = { [oauth.customFetch]: send, [oauth.allowInsecureRequests]: insecure }
  let server
  let held
  let asking

  async function ask() {
    server ??= await oauth
      .discoveryRequest(new URL(issuer), options)
      .then((response) => oauth.processDiscoveryResponse(new URL(issuer), response))
    const began = Date.now()
    const response = await oauth.clientCredentialsGrantRequest(server, client, oauth.ClientSecretBasic(secret), {}, options)
    const { access_token, expires_in = 60 } = await oauth.processClientCredentialsResponse(server, client, response)
    held = { authorization: `Bearer ${access_token}`, due: began + expires_in * 1000 * share, over: began + expires_in * 900 }
    return held
  }

  function renew() {
    asking ??= ask().finally(() => (asking = undefined))
    return asking
  }

  return async function api(url, init) {
    if (!url.startsWith(resource)) throw new Error('not listed')
    const now = Date.now()
    let token = held
    if (token === undefined || now >= token.over) token = await renew()
    else if (now >= token.due) void renew().catch(() => {})
    const response = await send(url, { ...init, headers: { ...init?.headers, authorization: token.authorization } })
    if (response.status !== 401 || init?.body instanceof ReadableStream) return response
    const later = held === token ? await renew() : held
    return send(url, { ...init, headers: { ...init?.headers, authorization: later.authorization } })
  }
}
