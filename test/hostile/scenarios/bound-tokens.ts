import { type Scenario, accepted, authorize, code, isRenewal, metadata, refresh, refusedTokens, renewal, resource } from '../scenario.js'

// Tokens that are bound to a key (RFC 9449), and servers that take the binding back, never have enough of nonces, or mix them up.

const setting = { dpop: true } as const

export const boundTokens: readonly Scenario[] = [
  refusedTokens(
    'attack 60 a Bearer answer to a proven request is refused',
    'token_response_invalid',
    { token: (body) => ({ ...body, token_type: 'Bearer' }) },
    { setting },
  ),
  renewal(
    'attack 60 a renewal that takes the binding back is refused',
    'token_response_invalid',
    { token: (body, request) => (isRenewal(request) ? { ...body, token_type: 'Bearer' } : body) },
    { setting },
  ),
  refusedTokens(
    'attack 66 a token endpoint that always wants another nonce gets two requests',
    'request_refused',
    { nonce: (endpoint, nth) => `${endpoint}-${endpoint === 'token' ? nth : 'nonce'}` },
    { setting, requests: [metadata, authorize, code, code] },
  ),
  accepted(
    'attack 66 an API that always wants another nonce gets two requests',
    { nonce: (endpoint, nth) => `${endpoint}-${endpoint === 'resource' ? nth : 'nonce'}` },
    // What it is about is that there is no third; whether the 401 comes back as an answer or as an error is a matter of taste.
    { setting, requests: [metadata, authorize, code, code, resource, resource], status: 401, tempts: true, mayReject: true },
  ),
  accepted(
    'attack 67 the nonce of the authorization server is not sent to an API of its own origin, nor the other way round',
    { nonce: (endpoint) => `${endpoint}-nonce` },
    {
      setting,
      steps: ['sign in', 'call', 'renew', 'call'],
      requests: [metadata, authorize, code, code, resource, resource, refresh, resource],
    },
  ),
]
