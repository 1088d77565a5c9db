import { describe, expect, test } from 'vitest'
import { prepareClientCredentials } from '../../src/grants/client-credentials.js'
import type { TokenTarget } from '../../src/core/tokens.js'
import { none } from '../../src/protocol/client-authentication.js'
import { clientSecretPost } from '../../src/protocol/client-secret.js'
import { systemClock } from '../../src/system-clock.js'
import { metadata, testClient } from '../support/client.js'
import { confidentialServer, jobClient } from '../support/confidential-server.js'
import { type Route, faultServer, json, status, text } from '../support/fault-server.js'
import { claimsFor, jwt } from '../support/id-token.js'
import { expectNoMarker, marker } from '../support/marker.js'
import { recordOf } from '../support/renewal.js'

const tokens = { access_token: `at-${marker}`, token_type: 'Bearer', expires_in: 60 }

async function answered(route: Route = json(tokens), more: Readonly<Record<string, unknown>> = {}, target: TokenTarget = {}) {
  const server = await faultServer({ '/token': route })
  const authorizationServer = metadata(server.origin)
  const client = testClient({ authorizationServer, clientAuthentication: clientSecretPost('s'), ...more })
  const outcome = await (await prepareClientCredentials(client)(recordOf(client), target)).send()
  return { outcome, form: server.received[0]?.form ?? new URLSearchParams() }
}

describe('the request', () => {
  test('K2 it is the client credentials grant: nothing of the record is in it', async () => {
    const { form, outcome } = await answered()
    expect(Object.fromEntries(form)).toEqual({ grant_type: 'client_credentials', client_id: 'app', client_secret: 's' })
    expect(outcome.ok && outcome.answer.lifetime).toBe(60_000)
  })

  test('K11 what the client says of scope, resources, audience and further parameters is sent', async () => {
    const { form } = await answered(undefined, {
      scope: ['a', 'b'],
      resource: ['https://one.example/', 'https://two.example/'],
      audience: 'api',
      tokenParameters: { tenant: 'mine' },
    })
    expect(form.getAll('resource')).toEqual(['https://one.example/', 'https://two.example/'])
    expect(Object.fromEntries(form)).toMatchObject({ scope: 'a b', audience: 'api', tenant: 'mine' })
  })

  test('K11 what the call says takes its place', async () => {
    const { form } = await answered(
      undefined,
      { scope: ['a'], resource: 'https://one.example/', audience: 'api' },
      { scope: ['b'], resource: 'https://two.example/', audience: 'other' },
    )
    expect(form.getAll('resource')).toEqual(['https://two.example/'])
    expect(Object.fromEntries(form)).toMatchObject({ scope: 'b', audience: 'other' })
  })

  test('K1 a public client is refused when it is made, in words that say what is missing', () => {
    for (const more of [{}, { clientAuthentication: none() }]) {
      const client = testClient({ authorizationServer: metadata('https://as.example'), ...more })
      expect(() => prepareClientCredentials(client)).toThrow(
        expect.objectContaining({
          code: 'invalid_configuration',
          message: expect.stringContaining('need a client authentication') as string,
        }) as Error,
      )
    }
  })
})

describe('the answer', () => {
  test('K2 a refresh token and an ID token are dropped before anybody sees them', async () => {
    const id_token = jwt(claimsFor('https://as.example', undefined, Date.now(), { marker }))
    const { outcome } = await answered(json({ ...tokens, refresh_token: `rt-${marker}`, id_token }))
    expect(outcome.ok && Object.keys(outcome.answer).toSorted()).toEqual(['accessToken', 'lifetime', 'serverTime', 'tokenType'])
    expect(outcome.ok && outcome.answer.accessToken.reveal()).toBe(tokens.access_token)
    expect(outcome.ok && Object.getPrototypeOf(outcome.answer)).toBeNull()
  })

  test.for<readonly [string, Route, string]>([
    ['invalid_client', json({ error: 'invalid_client' }, 401), 'client_refused'],
    ['invalid_scope', json({ error: 'invalid_scope' }, 400), 'scope_refused'],
    ['invalid_target', json({ error: 'invalid_target' }, 400), 'resource_refused'],
    ['invalid_grant, for there is nothing that it could end', json({ error: 'invalid_grant' }, 400), 'request_refused'],
    ['nothing readable', text(marker, {}, 403), 'request_refused'],
    ['503', status(503), 'server_unavailable'],
  ])('K2 %s', async ([, route, code]) => {
    const { outcome } = await answered(route)
    expect(!outcome.ok && outcome.error).toMatchObject({ code })
    expectNoMarker(!outcome.ok && outcome.error)
  })
})

test('K2 against oidc-provider: a token of the client’s own, for its scope', async () => {
  const client_secret = 'of-the-job'
  const server = await confidentialServer({
    clients: [jobClient('nightly', { client_secret, token_endpoint_auth_method: 'client_secret_post' })],
  })
  const client = testClient(
    { issuer: server.issuer, clientId: 'nightly', clientAuthentication: clientSecretPost(client_secret), scope: ['reports:write'] },
    systemClock,
  )
  const outcome = await (await prepareClientCredentials(client)(recordOf(client), {})).send()
  expect(outcome.ok && outcome.answer).toMatchObject({ tokenType: 'Bearer', scope: ['reports:write'], lifetime: 600_000 })
  const refused = await (await prepareClientCredentials(client)(recordOf(client), { scope: ['admin'] })).send()
  expect(!refused.ok && refused.error).toMatchObject({ code: 'scope_refused', serverError: 'invalid_scope' })
})
