import type { ClientAuthentication } from '../core/client.js'
import type { Assertion } from '../core/credentials.js'
import { authenticatedBy } from './client-authentication.js'
import { assertionText, given } from './given.js'

/**
 * An assertion that the platform signs proves the client (RFC 7523 section 2.2): Kubernetes, GitHub Actions, SPIFFE, a cloud's metadata
 * server. As a function it is read anew for each request.
 * Throws `invalid_configuration` for an assertion that is empty or no string. A request rejects with the same, `timed_out`, or
 * `client_refused` where the function fails.
 *
 * @example
 * const clientAuthentication = clientAssertion(() => readFile('/var/run/secrets/tokens/oauth', 'utf8').then((text) => text.trim()))
 */
export function clientAssertion(assertion: Assertion): ClientAuthentication {
  const ask = given(assertion, 'the client assertion', assertionText)
  return authenticatedBy('client_assertion', (client) => async (_server, _library, body) => {
    const text = (await ask(client)).reveal()
    body.set('client_id', client.clientId)
    body.set('client_assertion_type', 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer')
    body.set('client_assertion', text)
  })
}
