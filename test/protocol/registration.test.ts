import { expect, test } from 'vitest'
import { registerClient, userSession } from '../../src/index.js'
import { type Route, faultServer, hangUp, json, silence, status, text } from '../support/fault-server.js'

const metadata = { client_name: 'Notes', redirect_uris: ['https://notes.example/callback'] }

async function server(answer: Route) {
  const wire = await faultServer()
  wire.on('/.well-known/oauth-authorization-server', json({ issuer: wire.origin, registration_endpoint: `${wire.origin}/register` }))
  return wire.on('/register', answer)
}

test('a public client is registered, and its metadata completed (RFC 7591 section 3.1)', async () => {
  const wire = await server(json({ client_id: 'c-1', ...metadata }, 201))
  const client = await registerClient({ issuer: wire.origin, metadata })
  expect(client).toEqual({ clientId: 'c-1', clientAuthentication: { method: 'none' } })
  const [asked] = wire.to('/register')
  expect([asked?.method, asked?.headers['content-type'], asked?.headers.cookie, asked?.headers.referer]).toEqual([
    'POST',
    'application/json',
    undefined,
    undefined,
  ])
  expect(JSON.parse(asked?.body ?? '')).toEqual({
    ...metadata,
    token_endpoint_auth_method: 'none',
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    application_type: 'web',
  })
})

test.for([
  { uris: ['https://notes.example/callback'], type: 'web' },
  { uris: ['http://127.0.0.1/callback'], type: 'native' },
  { uris: ['http://[::1]/callback'], type: 'native' },
  { uris: ['com.example.notes:/callback'], type: 'native' },
])('M11 the application type goes by the redirect URIs: $type for $uris', async ({ uris, type }) => {
  const wire = await server(json({ client_id: 'c' }, 201))
  await registerClient({ issuer: wire.origin, metadata: { redirect_uris: uris } })
  expect(JSON.parse(wire.to('/register')[0]?.body ?? '')).toMatchObject({ application_type: type })
})

const clientId = 'https://notes.example/client.json'

test.for<{ name: string; supported?: unknown; registers: boolean; more?: object; expected: string; method?: string }>([
  { name: 'the server takes such documents', supported: true, registers: true, expected: clientId },
  {
    name: 'its client has a key',
    supported: true,
    registers: true,
    more: { token_endpoint_auth_method: 'private_key_jwt', jwks_uri: 'https://notes.example/keys' },
    expected: clientId,
    method: 'private_key_jwt',
  },
  { name: 'the server says no', supported: false, registers: true, expected: 'c-1' },
  { name: 'the server says nothing', registers: true, expected: 'c-1' },
  { name: 'what it says is no yes', supported: 'true', registers: true, expected: 'c-1' },
  { name: 'it takes neither', registers: false, expected: 'not_supported' },
])('M3 M4 a document of its own comes before a registration, and where neither is to be had the program is told: $name', async (row) => {
  // Who was registered by hand has a clientId, and asks for none.
  const wire = await faultServer()
  const endpoint = row.registers ? { registration_endpoint: `${wire.origin}/register` } : {}
  wire.on(
    '/.well-known/oauth-authorization-server',
    json({ issuer: wire.origin, client_id_metadata_document_supported: row.supported, ...endpoint }),
  )
  wire.on('/register', json({ client_id: 'c-1' }, 201))
  const asked = { issuer: wire.origin, clientId, metadata: { ...metadata, ...row.more } }
  const made = await registerClient(asked).catch((error: { code: string }) => ({ clientId: error.code, clientAuthentication: undefined }))
  expect(made.clientId).toBe(row.expected)
  if (row.expected === clientId) expect(made.clientAuthentication?.method).toBe(row.method ?? 'none')
  expect(wire.to('/register')).toHaveLength(row.expected === 'c-1' ? 1 : 0)
})

test('M3 a document that could not be served is refused before anything is asked', async () => {
  const wire = await server(json({ client_id: 'c-1' }, 201))
  for (const wrong of [
    { clientId: 'http://notes.example/client.json' },
    { clientId: 7 },
    { clientId, metadata: { ...metadata, token_endpoint_auth_method: 'client_secret_basic' } },
  ])
    await expect(registerClient({ issuer: wire.origin, metadata, ...wrong } as never)).rejects.toMatchObject({
      code: 'invalid_configuration',
    })
  expect(wire.received).toEqual([])
})

test('a job has no redirect URIs, and says nothing of users', async () => {
  const wire = await server(json({ client_id: 'c', client_secret: 'the-secret', token_endpoint_auth_method: 'client_secret_basic' }, 201))
  const asked = { grant_types: ['client_credentials'], token_endpoint_auth_method: 'client_secret_basic' }
  const { clientAuthentication } = await registerClient({ issuer: wire.origin, metadata: asked })
  expect(JSON.parse(wire.to('/register')[0]?.body ?? '')).toEqual(asked)
  expect(clientAuthentication).toEqual({ method: 'client_secret_basic' })
  expect(JSON.stringify(clientAuthentication)).not.toContain('the-secret')
})

test('what the server says of pushed requests for this client is an option of its sessions', async () => {
  const wire = await server(json({ client_id: 'c-1', require_pushed_authorization_requests: true }, 201))
  const client = await registerClient({ issuer: wire.origin, metadata })
  expect(client).toEqual({ clientId: 'c-1', clientAuthentication: { method: 'none' }, pushedAuthorizationRequests: true })
  userSession({ issuer: wire.origin, ...client })
})

test.for(['client_secret_basic', 'client_secret_post', 'client_secret_jwt', 'private_key_jwt', 'tls_client_auth'])(
  'the server says how the client authenticates: %s',
  async (method) => {
    const wire = await server(json({ client_id: 'c', client_secret: 'the-secret', token_endpoint_auth_method: method }, 201))
    expect((await registerClient({ issuer: wire.origin, metadata })).clientAuthentication.method).toBe(method)
  },
)

test.for<{ name: string; answer: Route; code: string }>([
  {
    name: 'refuses the metadata',
    answer: json({ error: 'invalid_client_metadata', error_description: 'MARKER' }, 400),
    code: 'request_refused',
  },
  { name: 'refuses who asks', answer: json({ error: 'invalid_client' }, 401), code: 'client_refused' },
  { name: 'is out of order', answer: status(503), code: 'server_unavailable' },
  { name: 'redirects', answer: status(307, { location: 'https://evil.example/' }), code: 'server_unavailable' },
  { name: 'gives no client id', answer: json({ client_secret: 'MARKER' }, 201), code: 'request_refused' },
  { name: 'gives a client id that is no text', answer: json({ client_id: 7 }, 201), code: 'request_refused' },
  {
    name: 'gives no secret where one is due',
    answer: json({ client_id: 'c', token_endpoint_auth_method: 'client_secret_post' }, 201),
    code: 'request_refused',
  },
  { name: 'answers with text', answer: text('{"client_id":"MARKER"}', { 'content-type': 'text/plain' }, 201), code: 'request_refused' },
  { name: 'hangs up', answer: hangUp, code: 'network' },
])('a server that $name is a typed error, and nothing that it said is in it', async ({ answer, code }) => {
  const wire = await server(answer)
  const error: unknown = await registerClient({ issuer: wire.origin, metadata }).catch((error: unknown) => error)
  expect(error).toMatchObject({ name: 'OAuthError', code })
  expect(`${JSON.stringify(error)}${(error as Error).stack}`).not.toContain('MARKER')
})

test('a server that registers nobody is not_supported', async () => {
  const wire = await faultServer()
  wire.on('/.well-known/oauth-authorization-server', json({ issuer: wire.origin }))
  await expect(registerClient({ issuer: wire.origin, metadata })).rejects.toMatchObject({ code: 'not_supported' })
})

test.for<{ name: string; options: object }>([
  { name: 'metadata', options: {} },
  { name: 'metadata', options: { metadata: 'none' } },
  { name: 'metadata.client_id', options: { metadata: { ...metadata, client_id: 'c' } } },
  { name: 'metadata.client_secret', options: { metadata: { ...metadata, client_secret: 's' } } },
  { name: 'metadata.redirect_uris', options: { metadata: { redirect_uris: 'https://notes.example/callback' } } },
  { name: 'metadata.redirect_uris', options: { metadata: { redirect_uris: ['/callback'] } } },
  { name: 'issuer', options: { metadata, issuer: 'http://as.example' } },
  { name: 'clientId', options: { metadata, clientId: 'c' } },
])('a wrong option is named before anything is asked: $name', async ({ name, options }) => {
  const wire = await server(silence)
  await expect(registerClient({ issuer: wire.origin, ...options } as never)).rejects.toMatchObject({
    code: 'invalid_configuration',
    message: expect.stringContaining(`\`${name}\``),
  })
  expect(wire.received).toEqual([])
})
