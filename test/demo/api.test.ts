import { type IncomingMessage, get } from 'node:http'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type DemoApi, startApi } from '../../demo/servers/api.js'
import {
  type DemoAuthorizationServer,
  mailResource,
  notesResource,
  startAuthorizationServer,
} from '../../demo/servers/authorization-server.js'
import { challengeOf } from '../../src/index.js'
import { clientId, redirectUri, refresh, signIn } from './plain-client.js'

const page = new URL(redirectUri).origin
let server: DemoAuthorizationServer
let api: DemoApi

beforeEach(async () => {
  server = await startAuthorizationServer({ clients: [{ clientId, redirectUris: [redirectUri] }], automatic: { account: 'ada' } })
  api = await startApi({ issuer: server.issuer, resourceServer: server.resourceServer, origins: [page] })
})

afterEach(async () => {
  vi.useRealTimers()
  await Promise.all([server.close(), api.close()])
})

const call = (path: string, token?: string, init: RequestInit = {}): Promise<Response> =>
  fetch(api.origin + path, { ...init, headers: { origin: page, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) } })

async function bothTokens(scope = 'notes:read notes:write mail:read') {
  const notes = await signIn(server, scope, { resource: [notesResource.identifier, mailResource.identifier] })
  const mail = await refresh(server, notes.refresh_token, { resource: mailResource.identifier })
  return { notes: notes.access_token, mail: mail.access_token }
}

test('a random string is accepted by introspection, a JWT by its signature, and neither for the other', async () => {
  const tokens = await bothTokens()
  expect((await call('/notes', tokens.notes)).status).toBe(200)
  expect(await (await call('/mail', tokens.mail)).json()).toMatchObject({ for: 'ada' })
  expect((await call('/notes', tokens.mail)).status).toBe(401)
  expect((await call('/mail', tokens.notes)).status).toBe(401)
})

test('a token for another resource of the same kind is refused', async () => {
  const others = [
    { identifier: 'https://calendar.example/', format: 'opaque', scope: ['notes:read'] },
    { identifier: 'https://contacts.example/', format: 'jwt', scope: ['mail:read'] },
  ] as const
  await Promise.all([server.close(), api.close()])
  server = await startAuthorizationServer({
    clients: [{ clientId, redirectUris: [redirectUri] }],
    automatic: { account: 'ada' },
    resources: [notesResource, mailResource, ...others],
  })
  api = await startApi({ issuer: server.issuer, resourceServer: server.resourceServer })
  for (const [path, own, other] of [
    ['/notes', notesResource, others[0]],
    ['/mail', mailResource, others[1]],
  ] as const) {
    const { access_token: good } = await signIn(server, 'notes:read mail:read', { resource: own.identifier })
    const { access_token: bad } = await signIn(server, 'notes:read mail:read', { resource: other.identifier })
    expect([(await call(path, good)).status, (await call(path, bad)).status]).toEqual([200, 401])
  }
})

test('a note is written by who may', async () => {
  const { notes } = await bothTokens()
  const response = await call('/notes', notes, { method: 'POST', body: 'Feed the cat' })
  expect(response.status).toBe(201)
  expect(((await response.json()) as { notes: string[] }).notes).toContain('Feed the cat')
})

test('without a token the challenge has no error', async () => {
  const response = await call('/notes')
  expect(response.status).toBe(401)
  expect(response.headers.get('www-authenticate')).toMatch(/^Bearer, DPoP algs="[^"]+"$/)
})

test('a token that is no good is invalid_token, whatever it looks like', async () => {
  const { mail } = await bothTokens()
  const forged = `${mail.slice(0, -8)}AAAAAAAA`
  for (const [path, token] of [
    ['/notes', 'nonsense'],
    ['/mail', 'nonsense'],
    ['/mail', forged],
  ] as const) {
    const response = await call(path, token)
    expect(response.status).toBe(401)
    expect(response.headers.get('www-authenticate')).toContain('error="invalid_token"')
  }
})

test('a token with too little scope is told which', async () => {
  const { notes } = await bothTokens('notes:read')
  const response = await call('/notes', notes, { method: 'POST', body: 'x' })
  expect(response.status).toBe(403)
  expect(challengeOf(response)).toMatchObject({ error: 'insufficient_scope', scope: ['notes:write'] })
  expect(response.headers.get('access-control-expose-headers')).toContain('WWW-Authenticate')
})

test('tokens end when their time is over', async () => {
  const tokens = await bothTokens()
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 58_000 })
  expect((await call('/notes', tokens.notes)).status).toBe(200)
  expect((await call('/mail', tokens.mail)).status).toBe(200)
  vi.setSystemTime(Date.now() + 3_000)
  expect((await call('/notes', tokens.notes)).status).toBe(401)
  expect((await call('/mail', tokens.mail)).status).toBe(401)
})

test('a token that was revoked at the server is refused at once if it is a random string, and when it expires if it is a JWT', async () => {
  const { notes, mail } = await bothTokens()
  expect([(await call('/notes', notes)).status, (await call('/mail', mail)).status]).toEqual([200, 200])
  server.revokeAll()
  expect([(await call('/notes', notes)).status, (await call('/mail', mail)).status]).toEqual([401, 200])
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 61_000 })
  expect([(await call('/notes', notes)).status, (await call('/mail', mail)).status]).toEqual([401, 401])
})

test('two tokens in one request are no token', async () => {
  const { notes } = await bothTokens()
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const headers = ['Host', new URL(api.origin).host, 'Authorization', `Bearer ${notes}`, 'Authorization', 'Bearer another']
    get(`${api.origin}/notes`, { headers }, resolve).on('error', reject)
  })
  answer.resume()
  expect(answer.statusCode).toBe(400)
})

test('trouble: one call, one token or everything is refused', async () => {
  const { notes, mail } = await bothTokens()
  api.trouble.refuse = 'next_call'
  expect((await call('/notes', notes)).status).toBe(401)
  expect((await call('/notes', notes)).status).toBe(200)
  api.trouble.refuse = 'token'
  expect((await call('/notes', notes)).status).toBe(401)
  expect((await call('/notes', notes)).status).toBe(401)
  expect((await call('/mail', mail)).status).toBe(200)
  api.trouble.refuse = 'everything'
  expect((await call('/mail', mail)).status).toBe(401)
  expect(api.answered(401)).toBe(4)
})

test('an authorization server that does not let the API ask is no reason to call a token bad', async () => {
  const { notes } = await bothTokens()
  await api.close()
  api = await startApi({ issuer: server.issuer, resourceServer: { ...server.resourceServer, clientSecret: 'another' } })
  expect((await call('/notes', notes)).status).toBe(500)
})

test('only the page that is named may call across origins', async () => {
  const preflight = (origin: string) =>
    fetch(`${api.origin}/notes`, { method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'GET' } })
  expect((await preflight(page)).headers.get('access-control-allow-origin')).toBe(page)
  expect((await preflight('https://evil.example')).headers.has('access-control-allow-origin')).toBe(false)
  const refused = await fetch(`${api.origin}/notes`, { headers: { origin: 'https://evil.example' } })
  expect([refused.status, refused.headers.get('access-control-allow-origin')]).toEqual([401, null])
})

test('an authorization server that is down is no reason to call a token bad', async () => {
  const { notes } = await bothTokens()
  await call('/notes', notes)
  await server.close()
  expect((await call('/notes', notes)).status).toBe(503)
})

test('the log tells tokens apart and holds none', async () => {
  const { notes, mail } = await bothTokens()
  await call('/notes', notes)
  await call('/mail', mail)
  expect(new Set(api.log.map(({ token }) => token)).size).toBe(2)
  expect(JSON.stringify(api.log)).not.toContain(notes)
})
