import type { Place } from '../fault.js'
import {
  type Scenario,
  accepted,
  authorize,
  carried,
  code,
  credentials,
  isRenewal,
  metadata,
  refusedMetadata,
  refusedTokens,
  renewal,
  resource,
} from '../scenario.js'

// Tokens that would go where they have no business: section 2.2 of the requirements.

/** Addresses that look like the API's, or like nothing of the kind. */
const confusing: readonly (readonly [string, (place: Place) => string])[] = [
  ['another origin', ({ elsewhere }) => `${elsewhere}/api/notes`],
  ['a path that begins alike', ({ resource: api }) => `${api.slice(0, -1)}-evil/notes`],
  ['the path above', ({ resource: api }) => `${api}../api-evil`],
  ['a path that a server may read as the one above', ({ resource: api }) => `${api}%2e%2e%2fapi-evil`],
  ['the same host by another name', ({ resource: api }) => `${api.replace('127.0.0.1', 'localhost')}notes`],
  ['the host in another notation, with backslashes', ({ elsewhere }) => elsewhere.replaceAll('/', '\\')],
]

export const leakage: readonly Scenario[] = [
  ...confusing.map(([what, call]): Scenario => ({
    ...refusedTokens(`attack 22 no token for ${what}`, 'resource_not_listed', {}),
    steps: ['sign in', { call }],
    kept: 'tokens',
  })),
  ...[301, 302, 303, 307, 308].map((status): Scenario => ({
    ...refusedTokens(
      `attack 23 a ${status} of the API to a stranger takes nothing along`,
      'redirect_refused',
      carried('resource', ({ elsewhere }) => ({ status, redirect: `${elsewhere}/notes` })),
    ),
    mayEndWell: true,
    steps: ['sign in', { call: ({ resource: api }) => `${api}notes`, init: { method: 'POST', body: 'MARKER7f3a in a body' } }],
    requests: [metadata, authorize, code, resource],
    kept: 'tokens',
  })),
  ...[301, 302, 303, 307, 308].map((status) =>
    refusedTokens(
      `attack 24 a ${status} of the token endpoint takes neither code nor verifier along`,
      'server_unavailable',
      carried('token', ({ elsewhere }) => ({ status, redirect: `${elsewhere}/token` })),
    ),
  ),
  ...[302, 307, 308].flatMap((status): readonly Scenario[] => [
    {
      ...refusedTokens(
        `attack 24 a ${status} of the token endpoint takes no client secret along`,
        'server_unavailable',
        carried('token', ({ elsewhere }) => ({ status, redirect: `${elsewhere}/token` })),
      ),
      steps: ['client credentials'],
      // What they share says how long they wait together.
      kept: 'no tokens',
      requests: [metadata, credentials],
    },
    {
      ...renewal(`attack 24 a ${status} of the token endpoint takes no refresh token along`, 'server_unavailable', {
        transport: (request, { elsewhere }) => (isRenewal(request) ? { undone: true, status, redirect: `${elsewhere}/token` } : undefined),
      }),
    },
    {
      ...refusedMetadata(`attack 24 74 a ${status} of the metadata leads nowhere`, 'discovery_failed', undefined),
      fault: carried('metadata', ({ elsewhere }) => ({ status, redirect: `${elsewhere}/metadata` })),
      // At each of the three places where they may be.
      requests: [metadata, metadata, metadata],
    },
  ]),
  ...[
    ['a line break', (token: string) => `${token}\r\nX-Evil: 1`],
    ['a space', (token: string) => `${token} x`],
    ['a letter that Latin-1 has', (token: string) => `${token}ö`],
    ['a letter that it has not', (token: string) => `${token}€`],
    ['a null character', (token: string) => `${token}\0`],
  ].flatMap(([what, spoil]) =>
    (['access_token', 'refresh_token', 'id_token'] as const)
      // A refresh token goes into no header, and may have a space.
      .filter((member) => !(member === 'refresh_token' && what === 'a space'))
      .map((member) =>
        refusedTokens(`attack 28 65 ${String(what)} in the ${member}`, 'token_response_invalid', {
          token: (body) => ({ ...body, [member]: (spoil as (token: string) => string)(String(body[member])) }),
        }),
      ),
  ),
  accepted('attack 33 70 cookies that every answer sets are not brought back', {
    transport: ({ endpoint }) => (endpoint === 'authorize' ? undefined : { headers: { 'set-cookie': 'session=MARKER7f3a; Path=/' } }),
  }),
  accepted(
    'attack 32 an answer that may be kept for a year is asked for again',
    {
      transport: ({ endpoint }) => (endpoint === 'token' ? { headers: { 'cache-control': 'max-age=31536000' } } : undefined),
    },
    { steps: ['sign in', 'sign in', 'call'], requests: [metadata, authorize, code, authorize, code, resource] },
  ),
]
