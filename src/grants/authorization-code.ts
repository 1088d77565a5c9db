import type { Client } from '../core/client.js'
import { OAuthError } from '../core/errors.js'
import type { PendingRequest } from '../core/pending-request.js'
import { bare } from '../core/secret.js'
import type { TokenAnswer } from '../core/token-record.js'
import { type AuthorizationRequest, authorizationRequest } from '../protocol/authorization-request.js'
import { authorizationCode } from '../protocol/authorization-response.js'
import { metadataOf } from '../protocol/authorization-server.js'
import { withinDeadline } from '../protocol/exchange.js'
import type { IdTokenExpectation } from '../protocol/id-token.js'
import { prepareTokenRequest } from '../protocol/token-request.js'

export type { AuthorizationRequest }

/**
 * Begins a sign-in by authorization code with PKCE (RFC 6749 section 4.1, RFC 7636): where the user is to be sent, and what the
 * response will be held against. Rejects with what `metadataOf` does, `invalid_configuration` and `not_supported`.
 */
export async function startAuthorization(
  client: Client,
  request: AuthorizationRequest,
): Promise<{ readonly url: URL; readonly pending: PendingRequest }> {
  return authorizationRequest(client, await metadataOf(client), request)
}

/**
 * Ends a sign-in: checks the response, and redeems its code, once. What becomes of the request after that, the code is spent
 * (RFC 6749 section 4.1.2): it is never sent again.
 * Rejects with an OAuthError: of the response (`authorization_response_invalid`, `access_denied`, `interaction_required`,
 * `authorization_failed`, `dpop_key_lost`) before anything is sent, else of the token request.
 */
export async function finishAuthorization(client: Client, pending: PendingRequest, response: URL): Promise<TokenAnswer> {
  if (pending.issuer !== client.server.issuer || pending.clientId !== client.clientId) {
    throw new OAuthError(
      'authorization_response_invalid',
      'The authorization response answers the request of another client or issuer. Sign in again.',
    )
  }
  const code = await authorizationCode(client, await metadataOf(client), pending, response)
  const prepared = await prepareTokenRequest(
    client,
    bare({
      grantType: 'authorization_code',
      // Of several resources the first: a token is for one (RFC 8707 section 2.2), and the others get theirs when they are called.
      parameters: bare({
        code,
        redirect_uri: pending.redirectUri,
        code_verifier: pending.codeVerifier,
        resource: pending.resource.slice(0, 1),
      }),
      invalidGrant: 'authorization_failed',
      idToken: expectedIdToken(pending),
      boundTo: pending.boundTo,
    }),
  )
  const outcome = await withinDeadline(client, (signal) => prepared.send(signal))
  if (!outcome.ok) throw outcome.error
  return outcome.answer
}

function expectedIdToken(pending: PendingRequest): IdTokenExpectation | undefined {
  if (pending.nonce === undefined) return undefined
  return bare<IdTokenExpectation>({ after: 'sign_in', nonce: pending.nonce, maxAgeSeconds: pending.maxAgeSeconds })
}
