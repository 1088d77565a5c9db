import { accessTokenCheck } from '../../../demo/servers/access-token-check.js'
import { fingerprint, listen, sendJson } from '../../../demo/servers/loopback.js'
import type { DemoAuthorizationServer, DemoResource } from '../../../demo/servers/authorization-server.js'

export interface FleetApi {
  readonly url: string
  close(): Promise<void>
}

/** What a resource server may keep of an introspection: hundreds of calls a second are not as many questions. In milliseconds. */
const kept = 50

/** An API that asks the authorization server what a token is worth. */
export async function fleetApi(server: DemoAuthorizationServer, resource: DemoResource): Promise<FleetApi> {
  const check = accessTokenCheck(server)
  const known = new Map<string, { readonly at: number; readonly good: Promise<boolean> }>()

  function isGood(token: string): Promise<boolean> {
    const before = known.get(token)
    if (before !== undefined && performance.now() - before.at < kept) return before.good
    const good = check(token, resource).then((facts) => facts !== undefined)
    known.set(token, { at: performance.now(), good })
    for (const oldest of [...known.keys()].slice(0, -20)) known.delete(oldest)
    return good
  }

  const api = await listen({}, () => (request, response) => {
    const token = request.headers.authorization?.slice('Bearer '.length) ?? ''
    isGood(token).then(
      (good) =>
        good
          ? sendJson(response, 200, { token: fingerprint(token) })
          : sendJson(response, 401, {}, { 'www-authenticate': 'Bearer error="invalid_token"' }),
      () => sendJson(response, 503, {}),
    )
  })
  return { url: `${api.origin}/`, close: api.close }
}
