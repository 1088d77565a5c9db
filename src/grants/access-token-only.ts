import type { PreparedRequest, TokenOutcome } from '../core/exchange.js'
import { bare } from '../core/secret.js'
import type { TokenAnswer } from '../core/token-record.js'

/**
 * A request of which only the access token is taken: the next one is asked for in the same way, so a refresh token (which should not come:
 * RFC 6749 section 4.4.3) or an ID token would be of no use, and one more thing to lose.
 */
export function accessTokenOnly(prepared: PreparedRequest): PreparedRequest {
  return bare({ send: () => prepared.send().then(without), discard: prepared.discard })
}

function without(outcome: TokenOutcome): TokenOutcome {
  if (!outcome.ok) return outcome
  const { refreshToken: _, refreshTokenLifetime: __, idToken: ___, idTokenClaims: ____, ...answer } = outcome.answer
  return bare({ ok: true, answer: bare<TokenAnswer>(answer) })
}
