import type { Store } from '../../../src/core/ports.js'
import { userSession } from '../../../src/user-session.js'
import { robot } from '../../support/robot.js'
import type { SourceOrder } from '../programs/orders.js'

export const redirectUri = 'https://app.example/callback'

/** A user signs in, once, somewhere: from then on the session is in the store. */
export async function signIn(
  order: Pick<SourceOrder, 'server' | 'clientId' | 'scope' | 'resource' | 'dpop'>,
  account: string,
  store: Store,
): Promise<void> {
  const session = userSession({
    ...order.server,
    clientId: order.clientId,
    dpop: order.dpop ?? false,
    ...(order.scope === undefined ? {} : { scope: order.scope }),
    ...(order.resource === undefined ? {} : { resource: order.resource }),
    account,
    store,
    redirectUri,
    userAgent: robot({ redirectUri }),
  })
  await session.signIn({ loginHint: account })
}
