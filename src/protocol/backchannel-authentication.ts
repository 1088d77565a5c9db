import * as oauth from 'oauth4webapi'
import type { Client } from '../core/client.js'
import { OAuthError } from '../core/errors.js'
import { Secret, bare } from '../core/secret.js'
import { type DecoupledEndpoint, type DecoupledRequest, type Polling, decoupledAuthorization, visible } from './decoupled-authorization.js'
import type { ServerMetadata } from './library.js'

/** An authentication request that is under way (CIBA Core section 7.3). Made with `bare`, for it carries a Secret. */
export interface BackchannelAuthentication extends Polling {
  readonly authReqId: Secret
}

export interface BackchannelRequest extends DecoupledRequest {
  /** Whom the server is to ask. */
  readonly loginHint: string
  readonly acrValues?: readonly string[] | undefined
  /** What the user sees on both devices. */
  readonly bindingMessage?: string | undefined
}

const endpoint: DecoupledEndpoint = {
  name: 'backchannel_authentication_endpoint',
  request: oauth.backchannelAuthenticationRequest,
  what: 'backchannel authentication',
  check: checkDelivery,
  // CIBA Core section 13.
  errors: ['unknown_user_id', 'expired_login_hint_token', 'missing_user_code', 'invalid_user_code', 'invalid_binding_message'],
}

/**
 * Asks the server to ask the user (CIBA Core section 7.1). Rejects with what `decoupledAuthorization` does, with `not_supported` where the server
 * does not let clients poll, and with `authorization_response_invalid` where there is no `auth_req_id` in the answer.
 */
export async function backchannelAuthentication(client: Client, asked: BackchannelRequest): Promise<BackchannelAuthentication> {
  const { body, polling } = await decoupledAuthorization(client, endpoint, asked, {
    login_hint: asked.loginHint,
    acr_values: asked.acrValues?.join(' '),
    binding_message: asked.bindingMessage,
  })
  return bare({ ...polling, authReqId: Secret.of(visible(body, 'auth_req_id', endpoint)) })
}

/** Silence proves nothing; a list without `poll` does (CIBA Core section 4). */
function checkDelivery(server: ServerMetadata): void {
  const modes: unknown = server.backchannel_token_delivery_modes_supported
  if (!Array.isArray(modes) || modes.includes('poll')) return
  throw new OAuthError('not_supported', `${server.issuer} has no backchannel authentication with polling. Sign in another way.`)
}
