import * as oauth from 'oauth4webapi'
import { isLoopback } from '../core/address.js'
import type { Client } from '../core/client.js'
import { bare } from '../core/secret.js'
import { usesMutualTls } from './client-authentication.js'
import type { WireRequest } from './exchange.js'
import { objectOf } from './json.js'

// What oauth4webapi is given. Nothing of it has a prototype and every option is its own: a polluted `Object.prototype` could
// otherwise send a refresh token elsewhere (`use_mtls_endpoint_aliases`) or add parameters to a request (`additionalParameters`).

export type ServerMetadata = oauth.AuthorizationServer

/** How far apart the two clocks may be when an ID token is judged, in seconds. */
const tolerance = 60

/** @param now the time by which the library judges, in milliseconds since the epoch */
export function libraryClient(client: Client, now: number = client.clock.now()): oauth.Client {
  return bare<oauth.Client>({
    client_id: client.clientId,
    use_mtls_endpoint_aliases: false,
    require_auth_time: false,
    // The library reads the machine's clock; valetkey knows one clock only, the client's.
    [oauth.clockSkew]: Math.round((now - Date.now()) / 1000),
    [oauth.clockTolerance]: tolerance,
  })
}

/**
 * The server's endpoint of this name, and the metadata in which the library finds it; `undefined` where it has none. With mutual TLS it is
 * that of `mtls_endpoint_aliases`, where there is one (RFC 8705 section 5).
 */
export function endpointOf(
  client: Client,
  server: ServerMetadata,
  name:
    | 'token_endpoint'
    | 'revocation_endpoint'
    | 'device_authorization_endpoint'
    | 'backchannel_authentication_endpoint'
    | 'introspection_endpoint'
    | 'pushed_authorization_request_endpoint',
): { readonly endpoint: string; readonly server: ServerMetadata } | undefined {
  const alias = usesMutualTls(client) ? objectOf(server.mtls_endpoint_aliases)?.[name] : undefined
  const endpoint = typeof alias === 'string' ? alias : server[name]
  return endpoint === undefined ? undefined : bare({ endpoint, server: bare({ ...server, [name]: endpoint }) })
}

/** What a JWT is made of, without prototypes: a polluted `toJSON` would change what is signed. */
export function withoutPrototype(...parts: readonly object[]): void {
  for (const part of parts) Object.setPrototypeOf(part, null)
}

/**
 * Lets the library make a request and takes it as it would go on the wire. It is not sent: who holds it says when,
 * with nothing slow left to do.
 */
export function captured(
  endpoint: string,
  make: (options: oauth.HttpRequestOptions<'POST', URLSearchParams>) => Promise<unknown>,
): Promise<WireRequest> {
  return new Promise((resolve, reject) => {
    const options = bare<oauth.HttpRequestOptions<'POST', URLSearchParams> & oauth.DPoPRequestOptions>({
      [oauth.allowInsecureRequests]: isLoopback(new URL(endpoint).hostname),
      [oauth.customFetch]: (url, { method, headers, body }) => {
        resolve(bare({ url, method, headers: bare(headers), body: body.toString() }))
        // The library waits for ever for what it need not see, and is forgotten with its promise.
        return new Promise<never>(() => {})
      },
    })
    make(options).catch(reject)
  })
}
