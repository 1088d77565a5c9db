import { expect, test } from 'vitest'
import { Secret } from '../../src/core/secret.js'
import { endSessionUrl } from '../../src/protocol/end-session.js'
import { metadata, testClient } from '../support/client.js'
import { faultServer, json } from '../support/fault-server.js'
import { failure } from '../support/sign-in.js'

const origin = 'https://as.example'
const clientOf = (more = {}) => testClient({ authorizationServer: metadata(origin, more), fetch: () => expect.unreachable('fetched') })

test('O22 the hint, the client, where to return and the state, and nothing else', async () => {
  const url = await endSessionUrl(clientOf(), { idToken: Secret.of('a.b.c'), returnTo: 'https://app.example/bye', state: 's' })
  expect(url?.href.split('?')[0]).toBe(`${origin}/logout`)
  expect(Object.fromEntries(url?.searchParams ?? [])).toEqual({
    id_token_hint: 'a.b.c',
    client_id: 'app',
    post_logout_redirect_uri: 'https://app.example/bye',
    state: 's',
  })
})

test('O22 what is not there is not sent, and the query of the endpoint is kept', async () => {
  const url = await endSessionUrl(clientOf({ end_session_endpoint: `${origin}/logout?tenant=1` }), {})
  expect(url?.search).toBe('?tenant=1&client_id=app')
})

test('O22 a server without such a place has none', async () => {
  expect(await endSessionUrl(clientOf({ end_session_endpoint: undefined }), {})).toBeUndefined()
})

test.for(['javascript:alert(1)', 'http://as.example/logout', 'data:text/html,x'])(
  'O23 %s is nowhere to send a user',
  async (end_session_endpoint) => {
    const server = await faultServer()
    server.on('/.well-known/oauth-authorization-server', json(metadata(server.origin, { end_session_endpoint })))
    expect(await failure(endSessionUrl(testClient({ issuer: server.origin }), {}))).toMatchObject({ code: 'discovery_failed' })
  },
)
