import type { Client } from '../core/client.js'
import { OAuthError } from '../core/errors.js'
import { Secret, bare } from '../core/secret.js'
import type { TokenAnswer } from '../core/token-record.js'
import {
  type BackchannelAuthentication,
  type BackchannelRequest,
  backchannelAuthentication,
} from '../protocol/backchannel-authentication.js'
import { pollToken } from './polling.js'

export type { BackchannelAuthentication }

/**
 * Begins a sign-in on the user's own device (OpenID Connect CIBA Core 1.0 section 7). Rejects with what `metadataOf` does, `invalid_configuration`,
 * `not_supported`, the code of a refusal (`client_refused`, `scope_refused`, `access_denied`, `request_refused`, …), and
 * `authorization_response_invalid` where what came cannot be used.
 */
export async function startBackchannel(
  client: Client,
  request: Omit<BackchannelRequest, 'resource'> & Partial<Pick<BackchannelRequest, 'resource'>>,
): Promise<BackchannelAuthentication> {
  // Own members only: what a polluted `Object.prototype` says was not asked for.
  const asked = bare({ ...request })
  return backchannelAuthentication(client, bare({ ...asked, resource: asked.resource ?? client.resource }))
}

/** The claim of an ID token that says which request it answers (CIBA Core section 10.3.1). It must be there with push; where it is, it is checked. */
const answers = 'urn:openid:params:jwt:claim:auth_req_id'

/**
 * Polls until the user has decided (CIBA Core section 10.1). Rejects with what `pollToken` does, and with `id_token_invalid` where the ID token is
 * of another request.
 *
 * @param sending called in the turn in which each poll is sent: an answer's lifetime counts from the last one
 */
export async function pollBackchannel(
  client: Client,
  request: BackchannelAuthentication,
  signal?: AbortSignal,
  sending: () => void = () => {},
): Promise<TokenAnswer> {
  const grantType = 'urn:openid:params:grant-type:ciba'
  const { authReqId } = request
  const answer = await pollToken(client, request, bare({ grantType, parameters: bare({ auth_req_id: authReqId }) }), signal, sending)
  if (answer.idTokenClaims?.[answers] === undefined) return answer
  // It is spent, and was a secret until then: the program does not see it.
  const { [answers]: answered, ...claims } = answer.idTokenClaims
  if (typeof answered !== 'string' || !Secret.equals(Secret.of(answered), authReqId))
    throw new OAuthError('id_token_invalid', 'The ID token answers another authentication request. Nothing of this answer is kept.')
  return bare({ ...answer, idTokenClaims: claims })
}
