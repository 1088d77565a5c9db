import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Received } from './fault.js'
import { type FaultAuthorizationServer, type Stage, faultAuthorizationServer } from './fault-authorization-server.js'
import { brokenInvariants, invariants } from './invariants.js'
import { valetkey } from './valetkey.js'

// The invariants that are checked in every scenario, shown to bite: each is broken once, by one request that is a little otherwise.

let server: FaultAuthorizationServer
beforeAll(async () => {
  server = await faultAuthorizationServer()
})
afterAll(() => server.close())

async function usual(): Promise<Stage> {
  const stage = server.stage({ nonce: (endpoint) => (endpoint === 'resource' ? 'resource-nonce' : 'token-nonce') })
  const client = await valetkey.start(stage, { dpop: true })
  await client.signIn()
  await client.call(`${stage.place.resource}notes`)
  await client.renew()
  await (await valetkey.start(stage, { pushed: true, dpop: true })).signIn()
  return stage
}

const atUrl =
  (endpoint: Received['endpoint'], change: (parameters: URLSearchParams, stage: Stage) => void) =>
  (request: Received, stage: Stage): Received => {
    if (request.endpoint !== endpoint) return request
    const url = new URL(request.url)
    change(url.searchParams, stage)
    return { ...request, url }
  }
const atForm =
  (change: (form: URLSearchParams) => void, endpoint: Received['endpoint'] = 'token') =>
  (request: Received): Received => {
    if (request.endpoint !== endpoint) return request
    const form = new URLSearchParams(request.form)
    change(form)
    return { ...request, form }
  }
const withHeader = (endpoint: Received['endpoint'], name: string, value: string | undefined) => (request: Received) =>
  request.endpoint === endpoint ? { ...request, headers: { ...request.headers, [name]: value } } : request
const anyOf = (stage: Stage, kind: string): string => [...stage.server.secrets].find((text) => text.startsWith(kind)) ?? 'nothing'

const breaks: Readonly<Record<string, (request: Received, stage: Stage) => Received>> = {
  'response_type is code': atUrl('authorize', (asked) => asked.set('response_type', 'code id_token')),
  'PKCE with S256': atUrl('authorize', (asked) => asked.set('code_challenge_method', 'plain')),
  'a state that nobody guesses': atUrl('authorize', (asked) => asked.set('state', '1')),
  'a nonce where openid is asked for': atUrl('authorize', (asked) => asked.delete('nonce')),
  'redirect_uri as it is registered, to the byte': atForm((form) => form.set('redirect_uri', `${form.get('redirect_uri')}/`)),
  'a pushed request is named by client_id and request_uri, and nothing else is in the address': atUrl('authorize', (asked) =>
    asked.set('scope', 'admin'),
  ),
  'a request_uri serves once': atUrl('authorize', (asked) => asked.set('request_uri', 'the same')),
  'a push is a POST of a form that names no other request': atForm((form) => form.set('request_uri', 'another'), 'par'),
  'no parameter twice': atUrl('authorize', (asked) => asked.append('scope', 'admin')),
  'no parameter without a value': atForm((form) => form.set('scope', '')),
  'a token request is a POST of a form, without a query': withHeader('token', 'content-type', 'application/json'),
  'a token request accepts JSON': withHeader('token', 'accept', 'text/html'),
  'exactly one client authentication': atForm((form) => {
    form.set('client_secret', 'x')
    form.set('client_assertion', 'x')
  }),
  'a verifier with every code': atForm((form) => form.delete('code_verifier')),
  'a code is redeemed once': atForm((form) => {
    form.set('grant_type', 'authorization_code')
    form.set('code', 'the same')
  }),
  'a refresh token goes to the token and the revocation endpoint of its issuer': (request, stage) =>
    request.endpoint === 'resource' ? { ...request, body: anyOf(stage, 'refresh-') } : request,
  'no secret in an address': atUrl('resource', (asked, stage) => asked.set('t', anyOf(stage, 'access-'))),
  'no secret to a stranger': (request, stage) => ({ ...request, endpoint: 'elsewhere', body: anyOf(stage, 'access-') }),
  'a token in one Authorization header, and nowhere else': withHeader('resource', 'authorization', 'Bearer a, Bearer b'),
  'a proof is of this request, and is sent once': withHeader('token', 'dpop', 'none'),
  'a DPoP nonce goes to the endpoint that it came from': (request) =>
    request.endpoint === 'resource' ? { ...request, endpoint: 'nowhere' } : request,
  'no Referer': withHeader('token', 'referer', 'http://127.0.0.1:1/callback'),
  'no cookie': withHeader('token', 'cookie', 'a=b'),
}

test.for(invariants.map(({ name }) => name))('the invariant bites: %s', async (name) => {
  const stage = await usual()
  expect(brokenInvariants(stage)).toEqual([])
  const change = breaks[name]
  const received = stage.received.map((request) => change?.(request, stage) ?? request)
  expect(brokenInvariants({ ...stage, received })).toContain(name)
})
