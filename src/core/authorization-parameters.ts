import { type Members, parameters } from './option.js'

/** Parameters of an authorization request that valetkey sets, or that would undo what it promises. */
const authorizationRequest: readonly string[] = [
  'response_type', 'response_mode', 'client_id', 'redirect_uri', 'scope', 'state', 'nonce', 'code_challenge', 'code_challenge_method',
  'resource', 'audience', 'prompt', 'login_hint', 'id_token_hint', 'acr_values', 'max_age', 'ui_locales', 'authorization_details',
  'request', 'request_uri', 'dpop_jkt', 'client_secret', 'client_assertion', 'client_assertion_type',
] // prettier-ignore

/** Reads an option with further authorization request parameters. */
export function readAuthorizationParameters(
  members: Members,
  name = 'authorizationParameters',
): Readonly<Record<string, string>> | undefined {
  return parameters(members, name, authorizationRequest)
}
