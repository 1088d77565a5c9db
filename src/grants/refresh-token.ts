import type { Client } from '../core/client.js'
import { OAuthError } from '../core/errors.js'
import type { PrepareRenewal } from '../core/exchange.js'
import { formatScope, missingScope } from '../core/scope.js'
import { bare } from '../core/secret.js'
import type { TokenRecord } from '../core/token-record.js'
import type { IdTokenExpectation } from '../protocol/id-token.js'
import { prepareTokenRequest } from '../protocol/token-request.js'

/**
 * Renewal by refresh token (RFC 6749 section 6). Preparing it rejects with what `metadataOf` does, `sign_in_required` where there is
 * no refresh token, and `scope_not_granted`; sending it never rejects and has no deadline of its own.
 */
export function prepareRenewal(client: Client): PrepareRenewal {
  return async (record, wanted) => {
    // Own members only: what a polluted `Object.prototype` says is not wanted.
    const target = bare({ ...wanted })
    const { refreshToken, idTokenClaims } = record
    if (refreshToken === undefined) throw new OAuthError('sign_in_required', 'There is no refresh token. Sign in again.')
    checkScope(client, record, target.scope)
    return prepareTokenRequest(
      client,
      bare({
        grantType: 'refresh_token',
        parameters: bare({
          refresh_token: refreshToken,
          scope: formatScope(target.scope),
          resource: target.resource,
          audience: target.audience,
        }),
        invalidGrant: 'sign_in_required',
        boundTo: record.boundTo,
        idToken: idTokenClaims === undefined ? undefined : bare<IdTokenExpectation>({ after: 'renewal', original: idTokenClaims }),
      }),
    )
  }
}

/** RFC 6749 section 6: nothing may be asked for that was not granted, unless the server is known to name the same scope in other words. */
function checkScope(client: Client, record: TokenRecord, scope: readonly string[] | undefined): void {
  const missing = missingScope(record.grantedScope, scope ?? [])
  if (missing.length === 0 || client.quirks.has('scope_named_differently')) return
  throw new OAuthError('scope_not_granted', `The session was not granted ${missing.join(' ')}. Call signIn with this scope.`, {
    missingScope: missing,
  })
}
