import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { type DemoAuthorizationServer, startAuthorizationServer } from '../../demo/servers/authorization-server.js'
import { browserSession } from '../../src/browser/browser-session.js'
import type { Store } from '../../src/core/ports.js'
import { memoryStore } from '../../src/stores/memory.js'
import { robot } from '../support/robot.js'
import { failure } from '../support/sign-in.js'

// Rich authorization requests (RFC 9396) against oidc-provider: what was asked, what was granted, and that the program sees both.

const redirectUri = 'https://app.example/callback'
const payment = { type: 'payment', amount: 70, to: { name: 'Ben', iban: 'DE02' }, actions: ['initiate', 'status'] }
const account = { type: 'account', locations: ['https://bank.example/'] }

let server: DemoAuthorizationServer
beforeAll(async () => {
  server = await startAuthorizationServer({
    clients: [{ clientId: 'page', redirectUris: [redirectUri], metadata: { authorization_details_types: ['payment', 'account'] } }],
    detailTypes: ['payment', 'account'],
  })
})
afterEach(() => {
  server.automatic = { account: 'ann' }
})
afterAll(async () => {
  await server.close()
  expect(server.errors).toEqual([])
})

function made(store: Store = memoryStore()) {
  const userAgent = robot({ redirectUri })
  return browserSession({ issuer: server.issuer, clientId: 'page', redirectUri, scope: ['openid', 'notes:read'], store, userAgent })
}

test('A17 X9 what is granted is in the snapshot, after a renewal and in another page too', async () => {
  server.automatic = { account: 'ann' }
  const store = memoryStore()
  const session = made(store)
  await session.signIn({ authorizationDetails: [payment, account] })
  expect(session.snapshot().authorizationDetails).toEqual([payment, account])
  const before = server.counters.refreshes
  await session.token({ rejected: await session.token() })
  expect(server.counters.refreshes - before).toBe(1)
  expect(session.snapshot().authorizationDetails).toEqual([payment, account])
  const other = made(store)
  expect(await other.resume()).toBe(true)
  expect(other.snapshot().authorizationDetails).toEqual([payment, account])
})

test('X9 a user who grants less, or otherwise: the program sees what was granted, not what was asked', async () => {
  server.automatic = {
    account: 'ann',
    details: (asked) => asked.filter(({ type }) => type === 'payment').map((one) => ({ ...one, amount: 20 })),
  }
  const session = made()
  await session.signIn({ authorizationDetails: [payment, account] })
  expect(session.snapshot().authorizationDetails).toEqual([{ ...payment, amount: 20 }])
  await session.token({ rejected: await session.token() })
  expect(session.snapshot().authorizationDetails).toEqual([{ ...payment, amount: 20 }])
})

test('X9 a user who grants none of them: there are none', async () => {
  server.automatic = { account: 'ann', details: () => [] }
  const session = made()
  await session.signIn({ authorizationDetails: [payment] })
  expect(session.snapshot()).toMatchObject({ status: 'signed_in' })
  expect(session.snapshot().authorizationDetails ?? []).toEqual([])
})

test('A17 details that the server does not know are its refusal, and nobody is signed in', async () => {
  server.automatic = { account: 'ann' }
  const session = made()
  expect(await failure(session.signIn({ authorizationDetails: [{ type: 'unheard-of' }] }))).toMatchObject({
    code: 'authorization_failed',
    serverError: 'invalid_authorization_details',
  })
  expect(session.snapshot().status).not.toBe('signed_in')
})

test('A17 malformed details are refused here, before any request', async () => {
  const before = server.log.length
  for (const authorizationDetails of [{}, [{}], [{ type: '' }], [{ type: 'payment', amount: 7n }]])
    expect(await failure(made().signIn({ authorizationDetails: authorizationDetails as never }))).toMatchObject({
      code: 'invalid_configuration',
    })
  expect(server.log.length).toBe(before)
})
