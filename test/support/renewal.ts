import type { Client } from '../../src/core/client.js'
import type { TokenOutcome } from '../../src/core/exchange.js'
import { Secret } from '../../src/core/secret.js'
import { type TokenRecord, tokenRecord } from '../../src/core/token-record.js'
import type { TokenTarget } from '../../src/core/tokens.js'
import { prepareRenewal } from '../../src/grants/refresh-token.js'
import { marker } from './marker.js'

export const refreshToken = `rt-${marker}`

/** What a session holds that is to be renewed. */
export function recordOf(client: Client, change: Partial<TokenRecord> = {}): TokenRecord {
  return tokenRecord({
    issuer: client.server.issuer,
    clientId: client.clientId,
    session: 's',
    generation: 1,
    ended: undefined,
    grantedScope: ['notes:read', 'notes:write'],
    refreshToken: Secret.of(refreshToken),
    idToken: undefined,
    idTokenClaims: undefined,
    authorizationDetails: undefined,
    sessionExpiresAt: undefined,
    accessTokens: [],
    sending: undefined,
    unclear: undefined,
    wait: undefined,
    ...change,
  })
}

/** One renewal, made ready and sent. */
export async function renewal(client: Client, target: TokenTarget = {}, change: Partial<TokenRecord> = {}): Promise<TokenOutcome> {
  return (await prepareRenewal(client)(recordOf(client, change), target)).send()
}
