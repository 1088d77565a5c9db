import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import {
  type DemoAuthorizationServer,
  mailResource,
  notesResource,
  startAuthorizationServer,
} from '../../demo/servers/authorization-server.js'
import { Browser, authorizationRequest, clientId, redeem, redirectUri, refresh, signIn } from './plain-client.js'

let server: DemoAuthorizationServer
const printed = ['log', 'info', 'warn', 'error'] as const

beforeEach(async () => {
  for (const name of printed) vi.spyOn(console, name)
  server = await startAuthorizationServer({
    clients: [{ clientId, name: 'Notes', redirectUris: [redirectUri] }],
    automatic: { account: 'ada' },
  })
})

afterEach(async () => {
  await server.close()
  expect(server.errors).toEqual([])
  for (const name of printed) expect(console[name]).not.toHaveBeenCalled()
  vi.restoreAllMocks()
})

test('the metadata says what the library looks for', async () => {
  const metadata = (await (await fetch(`${server.issuer}/.well-known/openid-configuration`)).json()) as Record<string, unknown>
  expect(metadata).toMatchObject({
    issuer: server.issuer,
    authorization_response_iss_parameter_supported: true,
    code_challenge_methods_supported: ['S256'],
    revocation_endpoint: `${server.issuer}/token/revocation`,
    introspection_endpoint: `${server.issuer}/token/introspection`,
    end_session_endpoint: `${server.issuer}/session/end`,
  })
  expect(metadata['scopes_supported']).toContain('notes:read')
})

test('a page signs in by code and PKCE, and the response names the issuer', async () => {
  const request = authorizationRequest(server.issuer, 'openid notes:read', { nonce: 'n' })
  const { address } = await new Browser(server.issuer).visit(request.url)
  expect(address.searchParams.get('iss')).toBe(server.issuer)
  expect(address.searchParams.get('state')).toBe(request.state)
  const tokens = await redeem(server, address, request)
  expect(tokens).toMatchObject({ status: 200, token_type: 'Bearer', scope: 'openid notes:read', expires_in: 60 })
  expect(tokens.refresh_token).toBeTypeOf('string')
  const claims = JSON.parse(Buffer.from(tokens.id_token.split('.')[1]!, 'base64url').toString()) as object
  expect(claims).toMatchObject({ iss: server.issuer, aud: clientId, sub: 'ada', nonce: 'n' })
})

test('without PKCE there is no code', async () => {
  const request = new URL(authorizationRequest(server.issuer, 'notes:read').url)
  request.searchParams.delete('code_challenge')
  request.searchParams.delete('code_challenge_method')
  const { address } = await new Browser(server.issuer).visit(request.href)
  expect(address.searchParams.get('error')).toBe('invalid_request')
})

test('a refresh token serves once, and its second use revokes the whole grant', async () => {
  const first = await signIn(server, 'notes:read')
  const second = await refresh(server, first.refresh_token)
  expect(second.status).toBe(200)
  expect(second.refresh_token).not.toBe(first.refresh_token)
  expect(await refresh(server, first.refresh_token)).toMatchObject({ status: 400, error: 'invalid_grant' })
  expect(await refresh(server, second.refresh_token)).toMatchObject({ status: 400, error: 'invalid_grant' })
  expect(server.counters).toEqual({ tokenRequests: 4, refreshes: 1, reuses: 1, grantsRevoked: 1 })
})

test('within its grace a used refresh token is answered again, and nothing is revoked', async () => {
  const lenient = await startAuthorizationServer({
    clients: [{ clientId, redirectUris: [redirectUri] }],
    graceSeconds: 60,
    automatic: { account: 'ada' },
  })
  const first = await signIn(lenient, 'notes:read')
  const answers = [await refresh(lenient, first.refresh_token), await refresh(lenient, first.refresh_token)]
  expect(answers.map(({ status }) => status)).toEqual([200, 200])
  for (const answer of answers) expect(await refresh(lenient, answer.refresh_token)).toMatchObject({ status: 200 })
  expect(lenient.counters).toMatchObject({ reuses: 1, grantsRevoked: 0 })
  await lenient.close()
})

test('of two renewals at once with one refresh token one is a reuse', async () => {
  const { refresh_token: token } = await signIn(server, 'notes:read')
  const answers = await Promise.all([1, 2, 3, 4].map(() => refresh(server, token)))
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
  expect(server.counters).toMatchObject({ refreshes: 1, reuses: 3 })
})

test('without rotation the refresh token stays', async () => {
  await server.close()
  server = await startAuthorizationServer({
    clients: [{ clientId, redirectUris: [redirectUri] }],
    automatic: { account: 'ada' },
    rotation: false,
  })
  const first = await signIn(server, 'notes:read')
  expect((await refresh(server, first.refresh_token)).refresh_token).toBe(first.refresh_token)
  expect((await refresh(server, first.refresh_token)).status).toBe(200)
  expect(server.counters).toMatchObject({ refreshes: 2, reuses: 0 })
})

test('consent to a part narrows the scope of the answer, and of every renewal', async () => {
  server.automatic = { account: 'ada', scope: ['notes:read'] }
  const tokens = await signIn(server, 'notes:read notes:write mail:read')
  expect(tokens.scope).toBe('notes:read')
  expect((await refresh(server, tokens.refresh_token)).scope).toBe('notes:read')
})

test('what was declined may be asked for again', async () => {
  const browser = new Browser(server.issuer)
  server.automatic = { account: 'ada', scope: ['notes:read'] }
  expect((await signIn(server, 'notes:read notes:write', {}, browser)).scope).toBe('notes:read')
  server.automatic = { account: 'ada' }
  expect((await signIn(server, 'notes:read notes:write', {}, browser)).scope).toBe('notes:read notes:write')
})

test('who denies everything gives access_denied', async () => {
  server.automatic = { account: 'ada', deny: true }
  const { address } = await new Browser(server.issuer).visit(authorizationRequest(server.issuer, 'notes:read').url)
  expect(address.searchParams.get('error')).toBe('access_denied')
})

test('prompt=none answers where the user is known, and asks nobody where not', async () => {
  const browser = new Browser(server.issuer)
  const { address } = await browser.visit(authorizationRequest(server.issuer, 'notes:read', { prompt: 'none' }).url)
  expect(address.searchParams.get('error')).toBe('login_required')
  await signIn(server, 'notes:read', {}, browser)
  expect((await signIn(server, 'notes:read', { prompt: 'none' }, browser)).status).toBe(200)
})

test('a person signs in and consents scope by scope', async () => {
  server.automatic = undefined
  const browser = new Browser(server.issuer)
  const request = authorizationRequest(server.issuer, 'openid notes:read notes:write')
  const signInPage = await browser.visit(request.url)
  expect(signInPage.page).toContain('<strong>Notes</strong> would like you to sign in')
  expect(signInPage.response?.headers.get('content-security-policy')).toContain("default-src 'none'")
  const consentPage = await browser.visit(signInPage.address.href, { method: 'POST', body: new URLSearchParams({ account: 'grace' }) })
  expect(consentPage.page.match(/type="checkbox"/g)).toHaveLength(3)
  const { address } = await browser.visit(consentPage.address.href, {
    method: 'POST',
    body: new URLSearchParams({ answer: 'allow', scope: 'notes:read' }),
  })
  expect((await redeem(server, address, request)).scope).toBe('openid notes:read')
})

test('a person denies on the consent page', async () => {
  server.automatic = undefined
  const browser = new Browser(server.issuer)
  const signInPage = await browser.visit(authorizationRequest(server.issuer, 'notes:read').url)
  const consentPage = await browser.visit(signInPage.address.href, { method: 'POST', body: new URLSearchParams({ name: ' <b>Eve</b> ' }) })
  expect(consentPage.page).not.toContain('<b>')
  const { address } = await browser.visit(consentPage.address.href, { method: 'POST', body: new URLSearchParams({ answer: 'deny' }) })
  expect(address.searchParams.get('error')).toBe('access_denied')
})

test('a token is for one resource, a JWT where the resource wants one', async () => {
  const resource = [notesResource.identifier, mailResource.identifier]
  const first = await signIn(server, 'notes:read mail:read', { resource })
  expect(first.access_token.split('.')).toHaveLength(1)
  const second = await refresh(server, first.refresh_token, { resource: mailResource.identifier })
  expect(second.access_token.split('.')).toHaveLength(3)
  expect(second.scope).toBe('notes:read mail:read')
  expect(await refresh(server, second.refresh_token, { resource: 'https://other.example/' })).toMatchObject({ error: 'invalid_target' })
})

test('a client that names no resource asks for all of them', async () => {
  const first = await signIn(server, 'notes:read mail:read')
  expect(first.access_token.split('.')).toHaveLength(1)
  const second = await refresh(server, first.refresh_token, { resource: mailResource.identifier })
  expect(second.access_token.split('.')).toHaveLength(3)
})

test('of_its_resource: the scope of a token is only what its resource knows', async () => {
  await server.close()
  server = await startAuthorizationServer({
    clients: [{ clientId, redirectUris: [redirectUri] }],
    automatic: { account: 'ada' },
    tokenScope: 'of_its_resource',
  })
  const first = await signIn(server, 'notes:read mail:read', { resource: [notesResource.identifier, mailResource.identifier] })
  expect(first.scope).toBe('notes:read')
  expect((await refresh(server, first.refresh_token, { resource: mailResource.identifier })).scope).toBe('mail:read')
})

test('the token endpoint can be out of order, and a page may read that', async () => {
  const { refresh_token: token } = await signIn(server, 'notes:read')
  server.trouble.tokenEndpoint = '503'
  server.trouble.retryAfterSeconds = 2
  const response = await fetch(`${server.issuer}/token`, {
    method: 'POST',
    headers: { origin: new URL(redirectUri).origin },
    body: new URLSearchParams({ client_id: clientId, grant_type: 'refresh_token', refresh_token: token }),
  })
  expect(response.status).toBe(503)
  expect(response.headers.get('access-control-allow-origin')).toBe(new URL(redirectUri).origin)
  expect(response.headers.get('retry-after')).toBe('2')
  server.trouble.tokenEndpoint = 'none'
  expect((await refresh(server, token)).status).toBe(200)
  expect(server.log.filter(({ grantType }) => grantType === 'refresh_token').map(({ status }) => status)).toEqual([503, 200])
})

test('an answer can be dropped after the work was done', async () => {
  const { refresh_token: token } = await signIn(server, 'notes:read')
  server.trouble.tokenEndpoint = 'drop_answer'
  await expect(refresh(server, token)).rejects.toThrow()
  server.trouble.tokenEndpoint = 'none'
  expect(await refresh(server, token)).toMatchObject({ error: 'invalid_grant' })
  expect(server.counters).toMatchObject({ refreshes: 1, reuses: 1 })
})

test('a request can be dropped before anything was done', async () => {
  const { refresh_token: token } = await signIn(server, 'notes:read')
  server.trouble.tokenEndpoint = 'drop_request'
  await expect(refresh(server, token)).rejects.toThrow()
  server.trouble.tokenEndpoint = 'none'
  expect((await refresh(server, token)).status).toBe(200)
})

test('only pages of known clients may read answers', async () => {
  const { refresh_token: token } = await signIn(server, 'notes:read')
  const send = (origin: string) =>
    fetch(`${server.issuer}/token`, {
      method: 'POST',
      headers: { origin },
      body: new URLSearchParams({ client_id: clientId, grant_type: 'refresh_token', refresh_token: token }),
    })
  expect((await send('https://evil.example')).headers.has('access-control-allow-origin')).toBe(false)
  const known = await send(new URL(redirectUri).origin)
  expect(known.headers.get('access-control-allow-origin')).toBe(new URL(redirectUri).origin)
})

test('revocation of a refresh token ends the grant', async () => {
  const tokens = await signIn(server, 'notes:read')
  const body = new URLSearchParams({ client_id: clientId, token: tokens.refresh_token, token_type_hint: 'refresh_token' })
  expect((await fetch(`${server.issuer}/token/revocation`, { method: 'POST', body })).status).toBe(200)
  expect(await refresh(server, tokens.refresh_token)).toMatchObject({ error: 'invalid_grant' })
})

test('every secret that passed is known to a sweep, and none is in the log', async () => {
  const request = authorizationRequest(server.issuer, 'openid notes:read mail:read', { resource: [mailResource.identifier] })
  const { address } = await new Browser(server.issuer).visit(request.url)
  const first = await redeem(server, address, request)
  const second = await refresh(server, first.refresh_token)
  const secrets = [
    address.searchParams.get('code')!,
    request.verifier,
    first.access_token,
    first.refresh_token,
    first.id_token,
    second.access_token,
  ]
  expect(server.issued()).toEqual(expect.arrayContaining(secrets))
  const log = JSON.stringify(server.log)
  for (const secret of server.issued()) expect(log).not.toContain(secret)
})

test('a sign-out at the server asks, and ends the session there', async () => {
  const browser = new Browser(server.issuer)
  await signIn(server, 'openid notes:read', {}, browser)
  const { page } = await browser.visit(`${server.issuer}/session/end?client_id=${clientId}`)
  const xsrf = /name="xsrf" value="([^"]+)"/.exec(page)?.[1] ?? ''
  const done = await browser.visit(`${server.issuer}/session/end/confirm`, {
    method: 'POST',
    body: new URLSearchParams({ xsrf, logout: 'yes' }),
  })
  expect(done.page).toContain('Signed out')
  const { address } = await browser.visit(authorizationRequest(server.issuer, 'notes:read', { prompt: 'none' }).url)
  expect(address.searchParams.get('error')).toBe('login_required')
})
