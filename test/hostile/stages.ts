import { afterAll, beforeAll } from 'vitest'
import { type UserSessionSettings } from '../../src/core/client.js'
import type { Session } from '../../src/core/session-contract.js'
import { userSession } from '../../src/index.js'
import type { Fault } from './fault.js'
import { type FaultAuthorizationServer, type Stage, faultAuthorizationServer } from './fault-authorization-server.js'

/** The fault authorization server of one test file; a function that makes issuers of it. */
export function stages(): (fault?: Fault) => Stage {
  let server: FaultAuthorizationServer
  beforeAll(async () => {
    server = await faultAuthorizationServer()
  })
  afterAll(() => server.close())
  return (fault = {}) => server.stage(fault)
}

/** A session with this issuer, for what no scenario can say. Its user agent goes there and comes back. */
export function sessionAt({ place, browse }: Stage, more: Partial<UserSessionSettings> = {}): Session {
  return userSession({
    issuer: place.issuer,
    clientId: place.clientId,
    scope: ['openid', 'notes:read'],
    redirectUri: place.redirectUri,
    userAgent: { authorize: async (request) => browse(await request(place.redirectUri)) },
    // A function of its own, so that no metadata is shared with another test.
    fetch: (...call) => fetch(...call),
    ...more,
  })
}

export function tokenRequests({ received }: Stage): readonly string[] {
  return received.filter(({ endpoint }) => endpoint === 'token').map(({ form }) => form.get('grant_type') ?? '')
}
