import {
  type Scenario,
  accepted,
  authorize,
  carried,
  code,
  isRenewal,
  metadata,
  refresh,
  refusedMetadata,
  refusedTokens,
  renewal,
  resource,
  without,
} from '../scenario.js'

// Answers that are hostile or broken: section 2.4 of the requirements.

const invalid = 'token_response_invalid'
const text = (body: object): string => JSON.stringify(body)
const megabyte = 1024 * 1024

const lifetimes: readonly (readonly [string, string])[] = [
  ['-1', '-1'],
  ['null', 'null'],
  ['true', 'true'],
  ['an object', '{}'],
  ['a list', '[60]'],
  ['text with a number', '"3600abc"'],
  ['a negative text', '"-5"'],
  ['NaN as text', '"NaN"'],
]
const longLifetimes: readonly (readonly [string, string])[] = [
  ['1e300', '1e300'],
  ['more than a number holds', '1e999'],
  ['more than a timer holds', '2147484'],
  ['a decimal text', '"3600"'],
  ['0, which says nothing', '0'],
  ['less than a millisecond', '0.0001'],
]

/** An answer whose `expires_in` is this JSON text. */
const expiring = (value: string) => ({
  token: (body: object) => text(body).replace('"expires_in":1200', `"expires_in":${value}`),
})

export const answers: readonly Scenario[] = [
  refusedTokens('attack 51 a token in __proto__ is none', invalid, {
    token: (body) => `{"__proto__":${text({ access_token: body['access_token'] })},"token_type":"Bearer"}`,
  }),
  accepted('attack 51 __proto__ and constructor in an answer change nothing', {
    token: (body) => text(body).replace('{', '{"__proto__":{"polluted":1,"token_type":"MAC"},"constructor":{"prototype":{"polluted":1}},'),
    discovery: (document) => text(document).replace('{', `{"__proto__":{"token_endpoint":"https://evil.example"},`),
  }),
  accepted('attack 52 of two members of one name the last counts', {
    token: (body) => text(body).replace('{', '{"access_token":"first",'),
  }),
  refusedTokens('attack 53 a token response of 3 MiB', invalid, carried('token', { padding: 3 * megabyte })),
  {
    ...refusedMetadata('attack 53 a metadata document of 3 MiB', 'discovery_failed', undefined),
    fault: carried('metadata', { padding: 3 * megabyte }),
  },
  refusedTokens(
    'attack 54 a token response of some KB that unpacks to 20 MiB',
    invalid,
    carried('token', { padding: 20 * megabyte, gzip: true }),
  ),
  {
    ...refusedMetadata('attack 54 a metadata document of some KB that unpacks to 20 MiB', 'discovery_failed', undefined),
    fault: carried('metadata', { padding: 20 * megabyte, gzip: true }),
  },
  accepted('attack 54 an honest answer may be compressed', { transport: () => ({ gzip: true }) }),
  refusedTokens('attack 55 a token endpoint that never answers', 'timed_out', carried('token', { silent: true })),
  refusedTokens('attack 55 a token response that comes byte by byte', 'timed_out', carried('token', { drip: true })),
  {
    ...refusedMetadata('attack 55 a metadata document that never comes', 'timed_out', undefined),
    fault: carried('metadata', { silent: true }),
  },
  {
    ...refusedMetadata('attack 55 a metadata document that comes byte by byte', 'timed_out', undefined),
    fault: carried('metadata', { drip: true }),
  },
  refusedTokens(
    'attack 55 a connection that breaks amid the answer, whose code is not sent again',
    'network',
    carried('token', { truncate: 40 }),
  ),
  refusedTokens(
    'attack 55 a connection that breaks before the answer, whose code is not sent again',
    'network',
    carried('token', { reset: true }),
  ),
  ...(
    [
      ['cut short', (body) => text(body).slice(0, -10)],
      ['with a byte order mark', (body) => `\uFEFF${text(body)}`],
      ['in UTF-16', (body) => Buffer.from(text(body), 'utf16le')],
      ['with something after it', (body) => `${text(body)}x`],
      ['twice', (body) => text(body) + text(body)],
      ['as a list', (body) => `[${text(body)}]`],
      ['as text in JSON', (body) => JSON.stringify(text(body))],
      ['as a form', (body) => new URLSearchParams({ access_token: String(body['access_token']), token_type: 'Bearer' }).toString()],
      ['as bytes that are no text', (body) => Buffer.concat([Buffer.from(text(body)), Buffer.from([0xff])])],
      ['as null', () => 'null'],
      ['nested beyond all measure', (body) => text(body).replace('{', `{"deep":${'['.repeat(1_000)}${']'.repeat(1_000)},`)],
      ['empty', () => ''],
    ] satisfies readonly (readonly [string, NonNullable<Scenario['fault']['token']>])[]
  ).map(([what, token]) => refusedTokens(`attack 56 an answer ${what}`, invalid, { token })),
  ...['text/html', 'text/plain', 'application/json2', 'application/jwt', undefined].map((type) =>
    refusedTokens(`attack 57 JSON by the type ${type ?? 'of none'}`, invalid, carried('token', { headers: { 'content-type': type } })),
  ),
  accepted(
    'attack 57 Application/JSON ;charset=x is JSON',
    carried('token', { headers: { 'content-type': 'Application/JSON ;charset=x' } }),
  ),
  renewal(
    'attack 57 an invalid_grant by the type Application/JSON ;charset=x ends the session, and is not tried for ever',
    'sign_in_required',
    {
      token: () => ({ error: 'invalid_grant' }),
      transport: (request) =>
        isRenewal(request) ? { status: 400, headers: { 'content-type': 'Application/JSON ;charset=x' } } : undefined,
    },
    { kept: 'ended: invalid_grant' },
  ),
  ...lifetimes.map(([what, value]) => refusedTokens(`attack 58 expires_in is ${what}`, invalid, expiring(value))),
  ...longLifetimes.map(([what, value]) =>
    accepted(`attack 58 expires_in is ${what}: no call renews`, expiring(value), {
      steps: ['sign in', 'call', 'call', 'call'],
      requests: [metadata, authorize, code, resource, resource, resource],
    }),
  ),
  ...['DPoP', 'MAC', 'N_A', '', 'Bearer ', 7, null].map((type) =>
    refusedTokens(`attack 60 the token_type ${JSON.stringify(type)} where Bearer was asked for`, invalid, {
      token: (body) => ({ ...body, token_type: type }),
    }),
  ),
  refusedTokens('attack 60 no token_type', invalid, { token: (body) => without(body, 'token_type') }),
  ...['constructor', '__proto__', 'toString', 'hasOwnProperty'].map((type) =>
    refusedTokens(`attack 61 the token_type ${type}`, invalid, { token: (body) => ({ ...body, token_type: type }) }),
  ),
  ...['a\r\nX: 1', 'a "b"', 'ä', 7, ['notes:read'], null].map((scope) =>
    refusedTokens(`attack 65 the scope ${JSON.stringify(scope)}`, invalid, { token: (body) => ({ ...body, scope }) }),
  ),
  ...['', null, 7, undefined].map((token) =>
    refusedTokens(`attack 56 the access_token ${JSON.stringify(token)}`, invalid, { token: (body) => ({ ...body, access_token: token }) }),
  ),
  ...[500, 502, 503, 429, 408].map((status) =>
    refusedTokens(`attack 56 status ${status} with a whole answer`, 'server_unavailable', carried('token', { status })),
  ),
  ...[201, 202, 204, 206].map((status) =>
    refusedTokens(`attack 56 status ${status} with a whole answer`, invalid, carried('token', { status })),
  ),
  refusedTokens('attack 56 status 400 with a whole answer', 'request_refused', carried('token', { status: 400 })),
  renewal(
    'attack 64 an answer that is lost after the token was rotated: the session ends, and says why',
    'ambiguous_rotation',
    { transport: (request, _, nth) => (isRenewal(request) && nth === 1 ? { reset: true } : undefined) },
    {
      steps: ['sign in', 'try to renew', 'wait', 'call'],
      requests: [metadata, authorize, code, refresh, refresh],
      kept: 'ended: ambiguous_rotation',
    },
  ),
  accepted(
    'attack 69 an API that refuses every token gets one renewal and one more call',
    { resource: (answer) => ({ ...answer, status: 401, headers: { 'www-authenticate': 'Bearer error="invalid_token"' } }) },
    { status: 401, requests: [metadata, authorize, code, resource, refresh, resource], tempts: true, mayReject: true },
  ),
  accepted(
    'attack 69 and no renewal more, however often it is called',
    { resource: (answer) => ({ ...answer, status: 401, headers: {} }) },
    {
      steps: ['sign in', 'call', 'call', 'call'],
      status: 401,
      requests: [metadata, authorize, code, resource, refresh, resource, resource, resource],
      tempts: true,
    },
  ),
  accepted('attack 71 a 200 with a challenge is a 200', {
    resource: (answer) => ({ ...answer, headers: { 'www-authenticate': 'Bearer error="invalid_token"' } }),
  }),
  ...[204, 205, 304, 404, 500].map((status) =>
    accepted(`attack 72 a ${status} comes back as it is`, { resource: (answer) => ({ ...answer, status, body: '' }) }, { status }),
  ),
  accepted(
    'attack 72 so does the answer to HEAD',
    {},
    { steps: ['sign in', { call: ({ resource: api }) => `${api}notes`, init: { method: 'HEAD' } }] },
  ),
  ...(
    [
      ['-5', 1],
      ['1e9', 1],
      ['Thu, 01 Jan 1970 00:00:00 GMT', 1],
      ['soon', 1],
      ['999999999999', 3],
      ['Fri, 31 Dec 9999 23:59:59 GMT', 3],
    ] as const
  ).map(([said, waits]) =>
    accepted(
      `attack 73 after a 503 with Retry-After: ${said} the session is renewed within ${waits === 1 ? 'minutes' : 'little more than an hour'}`,
      {
        transport: (request, _, nth) =>
          isRenewal(request) && nth === 1 ? { undone: true, status: 503, headers: { 'retry-after': said } } : undefined,
      },
      {
        // The server's clock stands, and with it the end of its ID tokens.
        setting: { scope: ['notes:read'] },
        steps: ['sign in', 'try to renew', ...Array.from({ length: waits }, () => 'wait' as const), 'call'],
        // After an hour the metadata are asked for again.
        requests: [metadata, authorize, code, refresh, ...(waits === 1 ? [] : [metadata]), refresh, resource],
      },
    ),
  ),
]
