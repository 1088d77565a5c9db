import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { notesResource, startAuthorizationServer } from '../../demo/servers/authorization-server.js'
import type { SourceOrder } from './programs/orders.js'
import { fleetApi } from './support/fleet-api.js'
import { onlooker, places, type Place, sessionKey } from './support/places.js'
import { redirectUri, signIn } from './support/sign-in.js'
import { endsOf, inGroups, progress, startWorkers, sum } from './support/workers.js'

// Many processes and one token, for many of its lifetimes, against oidc-provider, which revokes the whole grant when a refresh token comes twice.

const short = process.env['FLEET'] === 'short'
const lifetimes = short ? 5 : 15
const lifetimeSeconds = 2
const longLifetimeSeconds = 600
/** A short run sees the small fleets on one of the stores. */
const sizesOn = ({ name, most }: Place) =>
  [1, 4, 16, 64].filter((size) => size <= most && (short ? size <= 16 && (size === 16 || name === 'Redis') : true))
const clientSecret = 'secret-of-nightly'
const account = 'ann'

const wait = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))

/** What a fleet did, and what the servers saw of it. */
interface Report {
  readonly tokenRequests: number
  readonly generations: number
  readonly reuses: number
  /** Token requests after all tokens were revoked at once. */
  readonly afterRevocation: number
  readonly statuses: Readonly<Record<string, number>>
  readonly failures: Readonly<Record<string, number>>
  /** Answers of 401 that no caller saw. */
  readonly repaired: number
  readonly ends: readonly string[]
}

async function run(place: Place, grant: 'refresh_token' | 'client_credentials', processes: number, clockOffsets = [0]): Promise<Report> {
  const server = await startAuthorizationServer({
    clients: [
      { clientId: 'fleet', redirectUris: [redirectUri] },
      { clientId: 'nightly', clientSecret, grants: ['client_credentials'] },
    ],
    accessTokenSeconds: longLifetimeSeconds,
    // It counts whole seconds: without this, many a token would be dead after one.
    leewaySeconds: 1,
    automatic: { account },
  })
  const api = await fleetApi(server, notesResource)
  const clientId = grant === 'refresh_token' ? 'fleet' : 'nightly'
  const order: SourceOrder = {
    store: place.order(),
    server: { issuer: server.issuer },
    clientId,
    ...(grant === 'refresh_token' ? {} : { clientSecret }),
    accounts: [account],
    scope: ['notes:read'],
    resource: notesResource.identifier,
  }
  const look = await onlooker(order.store)
  onTestFinished(async () => void (await Promise.all([look.close(), api.close(), server.close()])))
  if (grant === 'refresh_token') await signIn(order, account, await look.store.of(account))
  const workers = await startWorkers(processes)
  await Promise.all(workers.map((worker, index) => worker.open({ ...order, clockOffset: clockOffsets[index % clockOffsets.length] ?? 0 })))
  // A fleet is measured that has started: while 64 processes read their programs, two processors leave no one a moment for two seconds on end.
  await inGroups(workers, (worker) => worker.warmUp(api.url))
  server.live.accessTokenSeconds = lifetimeSeconds
  server.revokeAll()
  const key = grant === 'refresh_token' ? sessionKey(server.issuer, clientId, account) : ((await workers[0]?.keys())?.[0] ?? '')
  const record = () => look.record(account, key)
  const { generation: generationBefore } = await record()
  const before = server.counters.tokenRequests
  // The whole fleet makes some 100 calls a second, and each process at least two in the life of a token.
  await Promise.all(workers.map((worker) => worker.call(api.url, Math.max(25, processes * 10))))
  const asked = () => server.counters.tokenRequests - before
  await wait(lifetimes * lifetimeSeconds * 1_000)
  // On a busy machine they may take a little longer.
  await expect.poll(asked, { timeout: 30_000 }).toBeGreaterThanOrEqual(lifetimes)

  server.live.accessTokenSeconds = longLifetimeSeconds
  const lifetime = async () => (await record()).accessTokens[0]?.lifetime
  await expect.poll(lifetime, { timeout: 20_000 }).toBe(longLifetimeSeconds * 1_000)
  // And those who have a short one in hand are done.
  await wait(1_000)
  const beforeRevocation = asked()
  server.revokeAll()
  await wait(3_000)
  const afterRevocation = asked() - beforeRevocation

  const counts = await Promise.all(workers.map((worker) => worker.stop()))
  const ends = await endsOf(workers)
  const { generation } = await record()
  expect(server.errors).toEqual([])
  const report: Report = {
    tokenRequests: asked(),
    generations: generation - generationBefore,
    reuses: server.counters.reuses,
    afterRevocation,
    statuses: sum(counts, (one) => one.statuses),
    failures: sum(counts, (one) => one.failures),
    repaired: counts.reduce((all, { rejections }) => all + rejections, 0),
    ends: [...new Set(ends.map(({ code, signal }) => String(code ?? signal)))],
  }
  progress(`${place.name}, ${processes} processes, ${grant}: ${JSON.stringify(report)}`)
  return report
}

function holds(report: Report): void {
  expect(report.tokenRequests).toBe(report.generations)
  expect(report.generations).toBeGreaterThanOrEqual(lifetimes)
  expect(report.reuses).toBe(0)
  expect(report.afterRevocation).toBe(1)
  expect(report.failures).toEqual({})
  // No 401, nor anything else than what was called for.
  expect(Object.keys(report.statuses)).toEqual(['200'])
  expect(report.ends).toEqual(['0'])
}

const timeout = 180_000
const many = (processes: number) => (processes === 1 ? 'one process' : `${processes} processes`)

describe.for(places)('on $name', (place) => {
  beforeAll(() => place.start())
  afterAll(() => place.stop())

  for (const processes of sizesOn(place)) {
    test(
      `R6 one rotating refresh token serves ${many(processes)} for ${lifetimes} lifetimes: a renewal each, one after a revocation`,
      { timeout },
      async () => {
        holds(await run(place, 'refresh_token', processes))
      },
    )
    test(
      `K11 one client-credentials token serves ${many(processes)} for ${lifetimes} lifetimes: a request each, one after a revocation`,
      { timeout },
      async () => {
        holds(await run(place, 'client_credentials', processes))
      },
    )
  }

  if (short && place.name !== 'Redis') return

  test('R6 processes whose clocks are ten minutes apart share one renewal a generation', { timeout }, async () => {
    holds(await run(place, 'refresh_token', 6, [0, 600_000, -600_000]))
  })
})
