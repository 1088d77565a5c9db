import type { Client } from '../core/client.js'
import type { Assertion } from '../core/credentials.js'
import type { PrepareRenewal } from '../core/exchange.js'
import { bare } from '../core/secret.js'
import { assertionText, given } from '../protocol/given.js'
import { prepareTokenRequest } from '../protocol/token-request.js'
import { accessTokenOnly } from './access-token-only.js'
import { targetParameters } from './target-parameters.js'

/**
 * A token for an assertion (RFC 7523 section 2.1), which is read anew for each request. Of the record nothing is used, and of the answer
 * only the access token.
 * Throws `invalid_configuration` for an assertion that is empty or no string. Preparing it rejects with the same, with `client_refused` and
 * `timed_out` where the assertion cannot be read, and with what `prepareTokenRequest` does; sending it never rejects. `invalid_grant` (the
 * assertion was not accepted) is `request_refused`.
 */
export function prepareJwtBearer(client: Client, assertion: Assertion): PrepareRenewal {
  const ask = given(assertion, 'the assertion', assertionText)
  return async (_record, wanted) =>
    accessTokenOnly(
      await prepareTokenRequest(
        client,
        bare({
          grantType: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
          parameters: bare({ ...targetParameters(client, wanted), assertion: await ask(client) }),
          invalidGrant: 'request_refused',
        }),
      ),
    )
}
