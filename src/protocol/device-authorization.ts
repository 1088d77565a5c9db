import * as oauth from 'oauth4webapi'
import { isSecure, parseAddress } from '../core/address.js'
import type { Client } from '../core/client.js'
import type { DevicePrompt } from '../core/device-prompt.js'
import { Secret, bare, present } from '../core/secret.js'
import {
  type DecoupledEndpoint,
  type DecoupledRequest,
  type Polling,
  decoupledAuthorization,
  unusable,
  visible,
} from './decoupled-authorization.js'
import type { JsonObject } from './json.js'

/** A device authorization that is under way (RFC 8628 section 3.2). Made with `bare`, for it carries a Secret. */
export interface DeviceAuthorization extends Polling {
  readonly deviceCode: Secret
  readonly prompt: DevicePrompt
}

const endpoint: DecoupledEndpoint = {
  name: 'device_authorization_endpoint',
  request: oauth.deviceAuthorizationRequest,
  what: 'device authorization',
}

/**
 * Asks for a device code (RFC 8628 section 3.1). Rejects with what `decoupledAuthorization` does, and with `authorization_response_invalid` where
 * the answer cannot be used, or not be shown.
 */
export async function deviceAuthorization(client: Client, asked: DecoupledRequest): Promise<DeviceAuthorization> {
  const { body, polling, expiresAt } = await decoupledAuthorization(client, endpoint, asked)
  const complete = body['verification_uri_complete']
  return bare({
    ...polling,
    deviceCode: Secret.of(visible(body, 'device_code', endpoint)),
    // Shown in a terminal or a page: no character in it may do anything there.
    prompt: Object.freeze(
      present<DevicePrompt>({
        userCode: visible(body, 'user_code', endpoint),
        verificationUri: address(body, 'verification_uri'),
        verificationUriComplete: complete === undefined ? undefined : address(body, 'verification_uri_complete'),
        expiresAt,
      }),
    ),
  })
}

/** Users are sent there, so it is an address that can do no more than be visited. */
function address(body: JsonObject, name: string): string {
  const url = parseAddress(body[name])
  if (url === undefined || !isSecure(url)) throw unusable(endpoint, `has a ${name} that is not an https URL`)
  return body[name] as string
}
