import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { notesResource, startAuthorizationServer } from '../../demo/servers/authorization-server.js'
import type { SourceOrder } from './programs/orders.js'
import { onlooker, places, sessionKey } from './support/places.js'
import { redirectUri, signIn } from './support/sign-in.js'
import { endsOf, startWorkers } from './support/workers.js'

// Bound tokens in a fleet: one key and one nonce for all processes that share a store, against oidc-provider, which wants nonces.

const account = 'ann'
const redis = places.find(({ name }) => name === 'Redis')

beforeAll(() => redis?.start())
afterAll(() => redis?.stop())

test('P5 P10 four processes share one key: a token request a generation, and one more for each nonce', { timeout: 120_000 }, async () => {
  if (redis === undefined) throw new Error('There is no Redis.')
  const server = await startAuthorizationServer({
    clients: [{ clientId: 'fleet', redirectUris: [redirectUri] }],
    accessTokenSeconds: 2,
    leewaySeconds: 1,
    automatic: { account },
    dpop: { nonceSecret: randomBytes(32), requireNonce: () => true },
  })
  const order: SourceOrder = {
    store: redis.order(),
    server: { issuer: server.issuer },
    clientId: 'fleet',
    accounts: [account],
    scope: ['notes:read'],
    resource: notesResource.identifier,
    dpop: true,
  }
  const look = await onlooker(order.store)
  onTestFinished(async () => void (await Promise.all([look.close(), server.close()])))
  await signIn(order, account, await look.store.of(account))
  const key = sessionKey(server.issuer, 'fleet', account)
  const { boundTo } = await look.record(account, key)
  expect(boundTo).toMatch(/^[\w-]{43}$/)
  const workers = await startWorkers(4)
  const asked = () => server.log.filter(({ path, method }) => path === '/token' && method === 'POST')
  const refused = () => asked().filter(({ status }) => status === 400).length
  const refusedBefore = refused()
  await Promise.all(workers.map((worker) => worker.open(order)))
  await Promise.all(workers.map((worker) => worker.ask(40)))
  const generation = async () => (await look.record(account, key)).generation
  await expect.poll(generation, { timeout: 60_000, interval: 200 }).toBeGreaterThanOrEqual(6)
  const counts = await Promise.all(workers.map((worker) => worker.stop()))
  expect((await endsOf(workers)).map(({ code }) => code)).toEqual([0, 0, 0, 0])
  expect(counts.map(({ failures }) => failures)).toEqual([{}, {}, {}, {}])
  expect(asked().length).toBe((await generation()) + refused())
  // The sign-in learned the nonce for all of them; oidc-provider changes it once a minute, and they notice that once.
  expect(refused() - refusedBefore).toBeLessThanOrEqual(1)
  expect(server.counters.reuses).toBe(0)
  expect((await look.record(account, key)).boundTo).toBe(boundTo)
  expect(server.errors).toEqual([])
})
