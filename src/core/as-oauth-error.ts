import { OAuthError } from './errors.js'

/** A failed renewal as the error that it was, or as one of ours. */
export function asOAuthError(error: unknown): OAuthError {
  if (error instanceof OAuthError) return error
  return new OAuthError('request_refused', 'The token could not be renewed for a reason that valetkey does not know. Try again.')
}
