import type { Client } from '../core/client.js'
import { OAuthError } from '../core/errors.js'
import type { PrepareRenewal } from '../core/exchange.js'
import { bare } from '../core/secret.js'
import { isPublic } from '../protocol/client-authentication.js'
import { prepareTokenRequest } from '../protocol/token-request.js'
import { accessTokenOnly } from './access-token-only.js'
import { targetParameters } from './target-parameters.js'

/**
 * A token by client credentials (RFC 6749 section 4.4), for what the call wants, else for what the client says. Of the record nothing is
 * used, and of the answer only the access token.
 * Throws `invalid_configuration` for a public client. Preparing it rejects with what `prepareTokenRequest` does; sending it never rejects
 * and has no deadline of its own. `invalid_grant` is `request_refused`: there is nothing that it could end.
 */
export function prepareClientCredentials(client: Client): PrepareRenewal {
  if (isPublic(client)) {
    throw new OAuthError(
      'invalid_configuration',
      'Client credentials need a client authentication (RFC 6749 section 4.4): set clientAuthentication to clientSecretBasic(…), privateKeyJwt(…) or one of their kin.',
    )
  }
  return async (_record, wanted) =>
    accessTokenOnly(
      await prepareTokenRequest(
        client,
        bare({ grantType: 'client_credentials', parameters: targetParameters(client, wanted), invalidGrant: 'request_refused' }),
      ),
    )
}
