import type { Client } from '../core/client.js'
import type { Assertion } from '../core/credentials.js'
import type { PrepareRenewal } from '../core/exchange.js'
import { ownMembers, text, wrongOption } from '../core/option.js'
import { bare } from '../core/secret.js'
import { assertionText, given } from '../protocol/given.js'
import { prepareTokenRequest } from '../protocol/token-request.js'
import { accessTokenOnly } from './access-token-only.js'
import { targetParameters } from './target-parameters.js'

export interface Exchange {
  readonly subjectToken: Assertion
  /** Such as `urn:ietf:params:oauth:token-type:jwt` (RFC 8693 section 3). */
  readonly subjectTokenType: string
  /** Default: the server's choice. */
  readonly requestedTokenType?: string | undefined
}

/**
 * One token for another (RFC 8693), which is read anew for each request; there is no actor token. Of the record nothing is used, and of
 * the answer only the access token.
 * Throws `invalid_configuration`, which names what is wrong. Preparing it rejects with the same, with `client_refused` and `timed_out` where
 * the subject token cannot be read, and with what `prepareTokenRequest` does; sending it never rejects. An answer without
 * `issued_token_type`, or with a token that is no access token, is `token_response_invalid`; `invalid_grant` is `request_refused`.
 */
export function prepareTokenExchange(client: Client, exchange: Exchange): PrepareRenewal {
  const members = ownMembers(exchange, ['subjectToken', 'subjectTokenType', 'requestedTokenType'], 'tokenExchange')
  const subjectTokenType = text(members, 'subjectTokenType')
  if (subjectTokenType === undefined) {
    throw wrongOption(
      'subjectTokenType',
      'is missing. Say what the subject token is, such as urn:ietf:params:oauth:token-type:jwt (RFC 8693 section 3).',
    )
  }
  const requestedTokenType = text(members, 'requestedTokenType')
  const ask = given(members['subjectToken'], 'the subject token', assertionText)
  return async (_record, wanted) =>
    accessTokenOnly(
      await prepareTokenRequest(
        client,
        bare({
          grantType: 'urn:ietf:params:oauth:grant-type:token-exchange',
          parameters: bare({
            ...targetParameters(client, wanted),
            subject_token: await ask(client),
            subject_token_type: subjectTokenType,
            requested_token_type: requestedTokenType,
          }),
          invalidGrant: 'request_refused',
          issuedTokenType: 'required',
        }),
      ),
    )
}
