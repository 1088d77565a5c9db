import { type ClientOptions } from '../../src/core/client.js'
import { authorizationOptions, clientOptions, readClient } from '../../src/core/client-options.js'
import type { Client } from '../../src/core/client.js'
import type { Clock } from '../../src/core/ports.js'
import { manualClock } from '../../src/testing/manual-clock.js'

const known = [...clientOptions, ...authorizationOptions, 'signedRequests']

/** Stands still: on a busy machine no deadline comes before an answer. */
const still = manualClock(Date.now())

/** A client as a program makes it. Each has a fetch of its own, so that no metadata is shared between tests. */
export function testClient(options: Partial<ClientOptions> & Readonly<Record<string, unknown>>, clock: Clock = still): Client {
  const ownFetch: typeof fetch = (input, init) => fetch(input, init)
  return readClient({ clientId: 'app', fetch: ownFetch, ...options }, known, { clock })
}

/** A server's metadata by hand: the usual endpoints on one origin. */
export function metadata(
  origin: string,
  more: Readonly<Record<string, unknown>> = {},
): { readonly issuer: string } & Record<string, unknown> {
  return {
    issuer: origin,
    authorization_endpoint: `${origin}/authorize`,
    token_endpoint: `${origin}/token`,
    revocation_endpoint: `${origin}/revoke`,
    end_session_endpoint: `${origin}/logout`,
    ...more,
  }
}
