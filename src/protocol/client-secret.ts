import * as oauth from 'oauth4webapi'
import type { ClientAuthentication } from '../core/client.js'
import type { ClientSecret } from '../core/credentials.js'
import { OAuthError } from '../core/errors.js'
import { bare } from '../core/secret.js'
import { authenticatedBy } from './client-authentication.js'
import { type Ask, given, secretText } from './given.js'
import type { Secret } from '../core/secret.js'
import { withoutPrototype } from './library.js'

/**
 * The client secret in an `Authorization: Basic` header, id and secret form-encoded first (RFC 6749 section 2.3.1); the quirk
 * `basic_without_encoding` is for servers that decode nothing. As a function the secret is read anew for each request.
 * Throws `invalid_configuration` for a secret that is empty or no string. A request rejects with the same, `timed_out`, or `client_refused`
 * where the function fails.
 *
 * @example
 * const clientAuthentication = clientSecretBasic(() => readFile('/run/secrets/client', 'utf8').then((text) => text.trim()))
 */
export function clientSecretBasic(secret: ClientSecret): ClientAuthentication {
  const ask = asked(secret)
  return authenticatedBy('client_secret_basic', (client) => async (server, library, body, headers) => {
    const text = (await ask(client)).reveal()
    if (client.quirks.has('basic_without_encoding')) headers.set('authorization', basicAsWritten(client.clientId, text))
    else await oauth.ClientSecretBasic(text)(server, library, body, headers)
  })
}

/**
 * The client secret in the request's body (RFC 6749 section 2.3.1), for servers that know no Basic. Never in an address. Errors as for
 * `clientSecretBasic`.
 *
 * @example
 * const settings = { issuer, clientId, clientAuthentication: clientSecretPost(process.env['CLIENT_SECRET'] ?? '') } satisfies ClientOptions
 */
export function clientSecretPost(secret: ClientSecret): ClientAuthentication {
  const ask = asked(secret)
  return authenticatedBy('client_secret_post', (client) => async (server, library, body, headers) => {
    await oauth.ClientSecretPost((await ask(client)).reveal())(server, library, body, headers)
  })
}

/**
 * A short-lived JWT for each request, signed with the client secret (HS256; OpenID Connect Core section 9, RFC 7523): the secret itself is
 * not sent. Errors as for `clientSecretBasic`.
 *
 * @example
 * const settings = { issuer, clientId, clientAuthentication: clientSecretJwt(process.env['CLIENT_SECRET'] ?? '') } satisfies ClientOptions
 */
export function clientSecretJwt(secret: ClientSecret): ClientAuthentication {
  const ask = asked(secret)
  return authenticatedBy('client_secret_jwt', (client) => async (server, library, body, headers) => {
    const text = (await ask(client)).reveal()
    await oauth.ClientSecretJwt(text, bare({ [oauth.modifyAssertion]: withoutPrototype }))(server, library, body, headers)
  })
}

function asked(secret: ClientSecret): Ask<Secret> {
  return given(secret, 'the client secret', secretText)
}

/** RFC 7617 section 2, in UTF-8. A colon would end the id there. */
function basicAsWritten(clientId: string, secret: string): string {
  if (clientId.includes(':')) {
    throw new OAuthError(
      'invalid_configuration',
      'A clientId with a colon cannot be sent with the quirk basic_without_encoding. Use clientSecretPost, or leave the quirk out.',
    )
  }
  return `Basic ${btoa(String.fromCharCode(...new TextEncoder().encode(`${clientId}:${secret}`)))}`
}
