import type { Client } from '../core/client.js'
import { bare } from '../core/secret.js'
import type { TokenAnswer } from '../core/token-record.js'
import type { DecoupledRequest } from '../protocol/decoupled-authorization.js'
import { type DeviceAuthorization, deviceAuthorization } from '../protocol/device-authorization.js'
import { pollToken } from './polling.js'

export type { DeviceAuthorization }

/**
 * Begins a sign-in on another device (RFC 8628): what the user is to be shown, and the code to poll with.
 * Rejects with what `metadataOf` does, `invalid_configuration`, `not_supported`, the code of a refusal (`client_refused`, `scope_refused`, …),
 * and `authorization_response_invalid` where what came cannot be used or shown.
 */
export async function startDevice(
  client: Client,
  request: Omit<DecoupledRequest, 'resource'> & Partial<Pick<DecoupledRequest, 'resource'>>,
): Promise<DeviceAuthorization> {
  // Own members only: what a polluted `Object.prototype` says was not asked for.
  const asked = bare({ ...request })
  return deviceAuthorization(client, bare({ ...asked, resource: asked.resource ?? client.resource }))
}

/**
 * Polls until the user has decided (RFC 8628 section 3.4, 3.5). Rejects with what `pollToken` does.
 *
 * @param sending called in the turn in which each poll is sent: an answer's lifetime counts from the last one
 */
export async function pollDevice(
  client: Client,
  device: DeviceAuthorization,
  signal?: AbortSignal,
  sending: () => void = () => {},
): Promise<TokenAnswer> {
  const grantType = 'urn:ietf:params:oauth:grant-type:device_code'
  return pollToken(client, device, bare({ grantType, parameters: bare({ device_code: device.deviceCode }) }), signal, sending)
}
