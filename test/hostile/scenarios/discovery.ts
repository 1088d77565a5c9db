import {
  type Scenario,
  accepted,
  authorize,
  code,
  metadata,
  refresh,
  refusedIdToken,
  refusedMetadata,
  refusedTokens,
  renewal,
  resource,
} from '../scenario.js'
import { claims } from './oidc-modules.js'

// Discovery, keys, clocks and the network: section 2.5 of the requirements.

const day = 24 * 60 * 60_000

/** The same issuer to a URL parser, and another to who compares code points. */
const almost: readonly (readonly [string, (issuer: string) => unknown])[] = [
  ['another', () => 'https://evil.example'],
  ['a slash more', (issuer) => `${issuer}/`],
  ['another case', (issuer) => issuer.replace('http', 'HTTP')],
  ['a dot segment', (issuer) => issuer.replace(/\/(issuer)/, '/./$1')],
  ['a percent-encoded letter', (issuer) => issuer.replace('issuer', '%69ssuer')],
  ['a query', (issuer) => `${issuer}?`],
  ['a list', (issuer) => [issuer]],
]

export const discovery: readonly Scenario[] = [
  ...almost.map(([what, issuer]) =>
    refusedMetadata(`attack 74 an issuer that is ${what}`, what === 'a list' ? 'discovery_failed' : 'issuer_mismatch', (document) => ({
      ...document,
      issuer: issuer(String(document['issuer'])),
    })),
  ),
  accepted(
    'attack 77 85 a challenge that names metadata, and with them another authorization server, sends nobody there',
    {
      resource: (answer, _, { elsewhere }, nth) =>
        nth > 0
          ? answer
          : {
              ...answer,
              status: 401,
              headers: {
                'www-authenticate': `Bearer error="invalid_token", resource_metadata="${elsewhere}/.well-known/oauth-protected-resource", as_uri="${elsewhere}"`,
              },
            },
    },
    { requests: [metadata, authorize, code, resource, refresh, resource], tempts: true, mayReject: true },
  ),
  accepted(
    'attack 77 79 a key set at a stranger, or at an address inside, is not asked for',
    {
      discovery: (document, { elsewhere }) => ({
        ...document,
        jwks_uri: `${elsewhere}/jwks`,
        registration_endpoint: `${elsewhere}/register`,
      }),
    },
    { tempts: true },
  ),
  accepted('attack 79 81 a poisoned key set, and a key that nobody knows, change nothing: the set is not asked for', {
    jwks: () => ({ keys: Array.from({ length: 20_000 }, () => ({ kty: 'oct', k: 'AAAA', kid: 'rsa' })) }),
    idToken: (header, payload) => ({ header: { ...header, kid: `unknown-${String(payload['iat'])}` }, claims: payload }),
  }),
  ...(['none', 'None', 'HS256', 'hs256', 'RS256\0', '', 7, null, ['RS256']] as const).map((alg) =>
    refusedIdToken(`attack 80 the algorithm ${JSON.stringify(alg)}`, (parts) => ({ ...parts, header: { alg } })),
  ),
  ...['none', 'HS256', 'nOnE'].map((alg) =>
    refusedTokens(`attack 80 ${alg}, though the server lists it`, 'id_token_invalid', {
      discovery: (document) => ({ ...document, id_token_signing_alg_values_supported: [alg, 'RS256'] }),
      idToken: (_, payload) => ({ header: { alg }, claims: payload }),
    }),
  ),
  refusedIdToken('attack 82 an ID token of another sign-in', claims({ nonce: 'of another' })),
  refusedIdToken('attack 82 an ID token of another client', claims({ aud: 'another', azp: 'another' })),
  refusedIdToken('attack 82 one of ours that was issued to another', claims({ azp: 'another' })),
  refusedIdToken('attack 82 one of another access token', claims({ at_hash: 'AAAAAAAAAAAAAAAAAAAAAA' })),
  refusedTokens('attack 82 one that is no JWT', 'id_token_invalid', { token: (body) => ({ ...body, id_token: 'a.b' }) }),
  renewal(
    'attack 82 a renewal that brings another user',
    'sign_in_required',
    { idToken: (header, payload) => ({ header, claims: { ...payload, sub: 'eve' } }) },
    { kept: 'ended: user_changed' },
  ),
  ...[-day, day].map((clockIsWrongBy) =>
    accepted(
      `attack 83 a clock that is ${clockIsWrongBy < 0 ? 'a day slow' : 'a day fast'} makes nobody renew, and nobody wait`,
      {},
      {
        setting: { clockIsWrongBy, scope: ['notes:read'] },
        steps: ['sign in', 'call', 'call', 'wait', 'call', 'call'],
        requests: [metadata, authorize, code, resource, resource, refresh, resource, resource],
      },
    ),
  ),
  ...[-2 * day, 2 * day].map((clockIsWrongBy): Scenario => ({
    ...refusedTokens(
      `attack 83 an ID token by a clock that is two days ${clockIsWrongBy < 0 ? 'slow' : 'fast'} is refused`,
      'id_token_invalid',
      {
        idToken: (header, payload) => ({ header, claims: { ...payload, exp: Number(payload['exp']) + 10 * 86_400 } }),
      },
    ),
    setting: { clockIsWrongBy },
  })),
  ...['Fri, 31 Dec 9999 23:59:59 GMT', 'Thu, 01 Jan 1970 00:00:00 GMT', 'Tue, 24 Nov 2026 99:99:99 GMT', 'tomorrow'].map((date) =>
    accepted(
      `attack 83 a server whose Date is ${date} makes nobody renew at every call, and no token last longer`,
      { transport: ({ endpoint }) => (endpoint === 'token' ? { headers: { date } } : undefined) },
      {
        setting: { scope: ['notes:read'] },
        steps: ['sign in', 'call', 'call', 'wait', 'call', 'call'],
        requests: [metadata, authorize, code, resource, resource, refresh, resource, resource],
      },
    ),
  ),
  accepted(
    'attack 84 after a sleep the first call renews first, without a timer',
    {},
    { steps: ['sign in', 'call', 'wait', 'call'], requests: [metadata, authorize, code, resource, refresh, resource] },
  ),
  accepted(
    'attack 59 a token of one second is renewed once in twenty-five minutes, not once a second',
    { token: (body) => ({ ...body, expires_in: 1 }) },
    { steps: ['sign in', 'wait', 'call', 'wait', 'call'], requests: [metadata, authorize, code, refresh, resource, refresh, resource] },
  ),
  accepted(
    'attack 59 and not at every call',
    { token: (body) => ({ ...body, expires_in: 1 }) },
    { steps: ['sign in', 'call', 'call', 'call', 'call'], requests: [metadata, authorize, code, resource, resource, resource, resource] },
  ),
]
