import type { DemoAuthorizationServer, DemoResource } from '../../../demo/servers/authorization-server.js'
import { fingerprint, listen, sendJson } from '../../../demo/servers/loopback.js'
import { sendWebResponse, webRequest } from '../../../demo/servers/web-messages.js'
import { clientSecretBasic } from '../../../src/index.js'
import { resourceServer } from '../../../src/resource-server/index.js'

export interface FleetApi {
  readonly url: string
  close(): Promise<void>
}

/** What a resource server may keep of an introspection: hundreds of calls a second are not as many questions. */
const cacheSeconds = 0.05

/** An API that asks the authorization server what a token is worth. */
export async function fleetApi({ issuer, resourceServer: asks }: DemoAuthorizationServer, resource: DemoResource): Promise<FleetApi> {
  const guard = resourceServer({
    issuer,
    audience: resource.identifier,
    introspection: { clientId: asks.clientId, clientAuthentication: clientSecretBasic(asks.clientSecret), cacheSeconds },
  })
  const api = await listen({}, (origin) => async (incoming, outgoing) => {
    const token = incoming.headers.authorization?.slice('Bearer '.length) ?? ''
    try {
      const verified = await guard.verifyAccessToken(await webRequest(origin, incoming))
      if (verified.ok) sendJson(outgoing, 200, { token: fingerprint(token) })
      else await sendWebResponse(outgoing, verified.response)
    } catch {
      outgoing.writeHead(500).end()
    }
  })
  return { url: `${api.origin}/`, close: api.close }
}
