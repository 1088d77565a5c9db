import { describe, expect, test } from 'vitest'
import { metadata, testClient } from '../support/client.js'
import { type Route, faultServer, hangUp, json, stall, status, text } from '../support/fault-server.js'
import { renewal } from '../support/renewal.js'
import { expectNoMarker, marker } from '../support/marker.js'
import { failure, signIn } from '../support/sign-in.js'

/** How a renewal ends at a server that answers so. */
async function renewed(route: Route, more: Readonly<Record<string, unknown>> = {}) {
  const server = await faultServer({ '/token': route })
  const outcome = await renewal(testClient({ authorizationServer: metadata(server.origin), ...more }))
  if (outcome.ok) return expect.unreachable('it was accepted')
  expectNoMarker(outcome)
  expectNoMarker(outcome.error)
  return outcome
}

const error = (value: string) => ({ error: value, error_description: marker, error_uri: `javascript:${marker}` })
const challenge = { 'www-authenticate': `Basic realm="${marker}"` }
const html = { 'content-type': 'text/html' }
const tokens = { access_token: `at-${marker}`, token_type: 'Bearer' }

interface Row {
  readonly name: string
  readonly route: Route
  readonly code: string
  readonly serverError?: string
  readonly status?: number
  readonly notDone?: boolean
}

// Every row of what oauth4webapi throws (and where it does not see what there is), and what this means to a renewal.
const rows: readonly Row[] = [
  {
    name: '400 with an OAuth error',
    route: json(error('invalid_request'), 400),
    code: 'request_refused',
    serverError: 'invalid_request',
    status: 400,
    notDone: true,
  },
  {
    name: 'invalid_grant',
    route: json(error('invalid_grant'), 400),
    code: 'sign_in_required',
    serverError: 'invalid_grant',
    status: 400,
    notDone: true,
  },
  {
    name: 'invalid_grant with status 401',
    route: json(error('invalid_grant'), 401),
    code: 'sign_in_required',
    serverError: 'invalid_grant',
    status: 401,
    notDone: true,
  },
  {
    name: 'invalid_client',
    route: json(error('invalid_client'), 401),
    code: 'client_refused',
    serverError: 'invalid_client',
    status: 401,
    notDone: true,
  },
  {
    name: 'invalid_client beside a WWW-Authenticate header',
    route: json(error('invalid_client'), 401, challenge),
    code: 'client_refused',
    serverError: 'invalid_client',
    status: 401,
    notDone: true,
  },
  {
    name: 'invalid_grant beside a WWW-Authenticate header',
    route: json(error('invalid_grant'), 400, challenge),
    code: 'sign_in_required',
    serverError: 'invalid_grant',
    status: 400,
    notDone: true,
  },
  {
    name: 'unauthorized_client',
    route: json(error('unauthorized_client'), 400),
    code: 'client_refused',
    serverError: 'unauthorized_client',
    status: 400,
    notDone: true,
  },
  {
    name: 'unsupported_grant_type',
    route: json(error('unsupported_grant_type'), 400),
    code: 'request_refused',
    serverError: 'unsupported_grant_type',
    status: 400,
    notDone: true,
  },
  {
    name: 'invalid_scope',
    route: json(error('invalid_scope'), 400),
    code: 'scope_refused',
    serverError: 'invalid_scope',
    status: 400,
    notDone: true,
  },
  {
    name: 'invalid_target',
    route: json(error('invalid_target'), 400),
    code: 'resource_refused',
    serverError: 'invalid_target',
    status: 400,
    notDone: true,
  },
  {
    name: 'access_denied',
    route: json(error('access_denied'), 403),
    code: 'access_denied',
    serverError: 'access_denied',
    status: 403,
    notDone: true,
  },
  {
    name: 'interaction_required',
    route: json(error('interaction_required'), 400),
    code: 'interaction_required',
    serverError: 'interaction_required',
    status: 400,
    notDone: true,
  },
  {
    name: 'temporarily_unavailable',
    route: json(error('temporarily_unavailable'), 400),
    code: 'server_unavailable',
    serverError: 'temporarily_unavailable',
    status: 400,
    notDone: true,
  },
  {
    name: 'server_error, which may have struck after the work',
    route: json(error('server_error'), 400),
    code: 'server_unavailable',
    serverError: 'server_error',
    status: 400,
  },
  {
    name: 'an error that is not registered',
    route: json(error(`made_up_${marker}`), 400),
    code: 'request_refused',
    status: 400,
    notDone: true,
  },
  { name: 'T26 an error of control characters', route: json(error(`\u001b[31m${marker}\n`), 400), code: 'request_refused', status: 400 },
  { name: 'an error that is no text', route: json({ error: { code: marker } }, 400), code: 'request_refused', status: 400 },
  { name: 'an empty error', route: json(error(''), 400), code: 'request_refused', status: 400 },
  { name: '400 without an error', route: json({ message: marker }, 400), code: 'request_refused', status: 400 },
  { name: '400 of HTML', route: text(`<h1>${marker}`, html, 400), code: 'request_refused', status: 400 },
  {
    name: '400 of JSON that calls itself HTML',
    route: text(JSON.stringify(error('invalid_grant')), html, 400),
    code: 'request_refused',
    status: 400,
  },
  {
    name: '400 of problem+json',
    route: text(JSON.stringify(error('invalid_grant')), { 'content-type': 'application/problem+json' }, 400),
    code: 'request_refused',
    status: 400,
  },
  {
    name: '400 of a form',
    route: text('error=invalid_grant', { 'content-type': 'application/x-www-form-urlencoded' }, 400),
    code: 'request_refused',
    status: 400,
  },
  {
    name: '400 of malformed JSON',
    route: text('{"error":"invalid_grant"', { 'content-type': 'application/json' }, 400),
    code: 'request_refused',
    status: 400,
  },
  { name: '400 of a list', route: json([error('invalid_grant')], 400), code: 'request_refused', status: 400 },
  { name: '400 of nothing', route: status(400), code: 'request_refused', status: 400 },
  { name: '400 of 2 MB', route: json({ ...error('invalid_grant'), x: 'x'.repeat(2_000_000) }, 400), code: 'request_refused', status: 400 },
  { name: '401 of nothing but a challenge', route: status(401, challenge), code: 'request_refused', status: 401 },
  { name: '403 of a firewall', route: text(marker, html, 403), code: 'request_refused', status: 403 },
  { name: '404', route: status(404), code: 'request_refused', status: 404 },
  {
    name: '57 invalid_grant as Application/JSON',
    route: text(JSON.stringify(error('invalid_grant')), { 'content-type': 'Application/JSON' }, 400),
    code: 'sign_in_required',
    serverError: 'invalid_grant',
    status: 400,
    notDone: true,
  },
  {
    name: '57 invalid_grant as application/json ;charset=UTF-8',
    route: text(JSON.stringify(error('invalid_grant')), { 'content-type': 'application/json ;charset=UTF-8' }, 400),
    code: 'sign_in_required',
    serverError: 'invalid_grant',
    status: 400,
    notDone: true,
  },
  { name: '408', route: json(error('invalid_grant'), 408), code: 'server_unavailable', status: 408 },
  { name: '429 of nothing', route: status(429), code: 'server_unavailable', status: 429, notDone: true },
  { name: '429 with any error', route: json(error('invalid_grant'), 429), code: 'server_unavailable', status: 429, notDone: true },
  { name: '500', route: status(500), code: 'server_unavailable', status: 500 },
  { name: '503 with any error', route: json(error('invalid_grant'), 503), code: 'server_unavailable', status: 503 },
  { name: '502 of HTML', route: text(marker, html, 502), code: 'server_unavailable', status: 502 },
  { name: '3xx', route: status(307, { location: `https://evil.example/${marker}` }), code: 'server_unavailable' },
  { name: '201', route: json(tokens, 201), code: 'token_response_invalid', status: 201 },
  { name: '204', route: status(204), code: 'token_response_invalid', status: 204 },
  { name: '200 with an error', route: json(error('invalid_grant')), code: 'token_response_invalid' },
  { name: '200 with expires_in: null', route: json({ ...tokens, expires_in: null }), code: 'token_response_invalid' },
  { name: '200 with an unknown token_type', route: json({ ...tokens, token_type: 'N_A' }), code: 'token_response_invalid' },
  { name: '200 of JSON that calls itself HTML', route: text(JSON.stringify(tokens), html), code: 'token_response_invalid' },
  { name: 'a broken connection', route: hangUp, code: 'network' },
]

test.for(rows)('T25 $name is $code', async ({ route, code, serverError, status: expected, notDone = false }) => {
  const outcome = await renewed(route)
  expect(outcome.error).toMatchObject({ name: 'OAuthError', code })
  expect(outcome.error.serverError).toBe(serverError)
  expect(outcome.error.status).toBe(expected)
  expect(outcome.error.message).toMatch(/\.$/)
  expect(outcome.surelyNotDone).toBe(notDone)
})

test('T25 a body that breaks off is a network failure', async () => {
  const breaking: Route = (request, response) => {
    void stall(request, response)
    setImmediate(() => response.destroy())
  }
  expect((await renewed(breaking)).error).toMatchObject({ code: 'network' })
})

test('T25 the body of a 503 is not waited for', async () => {
  const endless: Route = (_, response) => void response.writeHead(503).write('…')
  expect((await renewed(endless)).error).toMatchObject({ code: 'server_unavailable' })
})

test('invalid_grant for a code is not the end of a session', async () => {
  const server = await faultServer({ '/token': json(error('invalid_grant'), 400) })
  const thrown = await failure(signIn(testClient({ authorizationServer: metadata(server.origin) })))
  expect(thrown).toMatchObject({ code: 'authorization_failed', serverError: 'invalid_grant' })
})

describe('73 Retry-After', () => {
  const date = 'Tue, 06 Jan 2026 10:00:00 GMT'
  test.for([
    ['seconds', '5', 5_000],
    ['a date, by the clock of the server', 'Tue, 06 Jan 2026 10:00:30 GMT', 30_000],
    ['a date in the year 9999', 'Fri, 31 Dec 9999 23:59:59 GMT', Date.UTC(9999, 11, 31, 23, 59, 59) - Date.parse(date)],
    ['many seconds', '1000000000', 1e12],
    ['0', '0', undefined],
    ['negative', '-5', undefined],
    ['a date that is past', 'Tue, 06 Jan 2026 09:00:00 GMT', undefined],
    ['words', 'soon', undefined],
    ['a fraction', '1.5', undefined],
    ['more than there are numbers', '9'.repeat(400), undefined],
    ['a date that is none', 'Tue, 99 Foo 2026 10:00:00 GMT', undefined],
  ] as const)('73 %s', async ([, said, expected]) => {
    for (const code of [429, 503, 400]) {
      expect((await renewed(status(code, { 'retry-after': said, date }))).retryAfter).toBe(expected)
    }
  })
})

describe('server quirks', () => {
  test.for([
    ['bad_verification_code', 'invalid_grant'],
    ['bad_refresh_token', 'invalid_grant'],
    ['invalid_grant', 'invalid_grant'],
  ])('error_with_status_200: %s is an error', async ([said, expected]) => {
    const route = json({ error: said, error_description: marker })
    expect((await renewed(route, { serverQuirks: ['error_with_status_200'] })).error).toMatchObject({
      code: 'sign_in_required',
      serverError: expected,
      status: 400,
    })
  })

  test.for([
    ['json_as_text', text(JSON.stringify({ ...tokens, scope: 'a' }), { 'content-type': 'text/plain;charset=utf-8' })],
    ['expires_in_null', json({ ...tokens, expires_in: null, scope: 'a' })],
    ['comma_separated_scope', json({ ...tokens, scope: 'a' })],
  ] as const)('%s: what this server means is read', async ([quirk, route]) => {
    const server = await faultServer({ '/token': route })
    const answer = await signIn(testClient({ authorizationServer: metadata(server.origin), serverQuirks: [quirk] }))
    expect(answer.scope).toEqual(['a'])
    expect(answer.lifetime).toBeUndefined()
  })

  test('comma_separated_scope: commas part the values, with spaces or without', async () => {
    const server = await faultServer({ '/token': json({ ...tokens, scope: 'repo,user, gist' }) })
    const client = (more = {}) => testClient({ authorizationServer: metadata(server.origin), ...more })
    expect((await signIn(client({ serverQuirks: ['comma_separated_scope'] }))).scope).toEqual(['repo', 'user', 'gist'])
    expect((await signIn(client())).scope).toEqual(['repo,user,', 'gist'])
  })

  test('json_as_text: an error is read too, and JSON of other types is not', async () => {
    const plain = (type: string) => text(JSON.stringify(error('invalid_grant')), { 'content-type': type }, 400)
    const quirk = { serverQuirks: ['json_as_text'] }
    expect((await renewed(plain('text/plain'), quirk)).error).toMatchObject({ code: 'sign_in_required' })
    expect((await renewed(plain('application/octet-stream'), quirk)).error).toMatchObject({ code: 'request_refused' })
  })

  test('each is off by default', async () => {
    expect((await renewed(text(JSON.stringify(tokens), { 'content-type': 'text/plain' }))).error).toMatchObject({
      code: 'token_response_invalid',
    })
  })
})
