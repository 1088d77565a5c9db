import type { Client } from '../core/client.js'
import type { Assertion } from '../core/credentials.js'
import { bare } from '../core/secret.js'
import { withinDeadline } from '../protocol/exchange.js'
import { assertionText, given } from '../protocol/given.js'
import { identityAssertionIn, identityAssertionType } from '../protocol/identity-assertion.js'
import { refusalOf } from '../protocol/token-error.js'
import { readyTokenRequest } from '../protocol/token-request.js'
import { targetParameters } from './target-parameters.js'

/**
 * An ID-JAG for the authorization server that `audience` names, by token exchange (RFC 8693) at the identity provider
 * (draft-ietf-oauth-identity-assertion-authz-grant section 4.3).
 * Rejects with `invalid_configuration`, `client_refused` and `timed_out` where the subject token cannot be read, with what `prepareTokenRequest` does,
 * with the code of a refusal, of which `invalid_grant` is `request_refused`, and with `token_response_invalid` where no such assertion comes.
 */
export async function requestIdentityAssertion(
  client: Client,
  asked: { readonly audience: string; readonly subjectToken: Assertion; readonly subjectTokenType: string },
): Promise<string> {
  const { audience, subjectToken, subjectTokenType } = bare({ ...asked })
  const { ready } = await readyTokenRequest(
    client,
    bare({
      grantType: 'urn:ietf:params:oauth:grant-type:token-exchange',
      parameters: bare({
        ...targetParameters(client, bare({ audience })),
        subject_token: await given(subjectToken, 'the subject token', assertionText)(client),
        subject_token_type: subjectTokenType,
        requested_token_type: identityAssertionType,
      }),
    }),
  )
  const { answer } = await withinDeadline(client, (signal) => ready.send(signal))
  if (answer.status !== 200) throw refusalOf(answer, 'request_refused').error
  return identityAssertionIn(answer, audience)
}
