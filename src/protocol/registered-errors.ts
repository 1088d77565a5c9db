/** The values of `error` that are registered (OAuth Extensions Error Registry). Any other text of a server's is never repeated. */
const registered: ReadonlySet<string> = new Set([
  // RFC 6749
  'invalid_request',
  'invalid_client',
  'invalid_grant',
  'unauthorized_client',
  'unsupported_grant_type',
  'unsupported_response_type',
  'invalid_scope',
  'access_denied',
  'server_error',
  'temporarily_unavailable',
  // OpenID Connect Core 3.1.2.6
  'interaction_required',
  'login_required',
  'account_selection_required',
  'consent_required',
  'invalid_request_uri',
  'invalid_request_object',
  'request_not_supported',
  'request_uri_not_supported',
  'registration_not_supported',
  // OpenID Connect Unmet Authentication Requirements
  'unmet_authentication_requirements',
  // RFC 7009, 8628, 8707, 9396, 9449
  'unsupported_token_type',
  'authorization_pending',
  'slow_down',
  'expired_token',
  'invalid_target',
  'invalid_authorization_details',
  'invalid_dpop_proof',
  'use_dpop_nonce',
])

/** This `error` if it is one that may be shown. */
export function registeredError(error: unknown): string | undefined {
  return typeof error === 'string' && registered.has(error) ? error : undefined
}

/** What a prompt of the user would answer. */
export const interactionErrors: ReadonlySet<string> = new Set([
  'interaction_required',
  'login_required',
  'consent_required',
  'account_selection_required',
])
