import type { ServerResponse } from 'node:http'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { sendJson } from '../../demo/servers/loopback.js'
import type { Outcome, SourceOrder } from './programs/orders.js'
import { type Onlooker, onlooker, places, sessionKey } from './support/places.js'
import { signIn } from './support/sign-in.js'
import { type StrictServer, strictServer } from './support/strict-server.js'
import { endsOf, progress, startWorkers, sum } from './support/workers.js'

// What a fleet's callers get while its authorization server, or its callers themselves, give up.

const short = process.env['FLEET'] === 'short'
const clientId = 'fleet'
const account = 'ann'
const timeout = 120_000
const wait = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))

/** Something that is waited for until the test lets it go. */
function gate() {
  let open = () => {}
  const opened = new Promise<void>((resolve) => (open = resolve))
  return { opened, open: () => open() }
}

describe.for(places)('on $name', (place) => {
  let server: StrictServer
  let order: SourceOrder
  let look: Onlooker
  beforeAll(() => place.start())
  afterAll(() => place.stop())
  beforeEach(async () => {
    server = await strictServer({ graceSeconds: 0 })
    const { authorizationServer } = server
    order = { store: place.order(), server: { authorizationServer }, clientId, accounts: [account], deadlineSeconds: 1 }
    look = await onlooker(order.store)
  })
  afterEach(async () => {
    await look.close()
    await server.close()
  })

  const signedIn = async () => signIn(order, account, await look.store.of(account))
  const record = () => look.record(account, sessionKey(server.authorizationServer.issuer, clientId, account))
  const started = async (count: number, more: Partial<SourceOrder> = {}) => {
    const workers = await startWorkers(count)
    await Promise.all(workers.map((worker) => worker.open({ ...order, ...more })))
    return workers
  }

  test('a caller that aborts after 10 milliseconds is gone at once, and the renewal is stored all the same', { timeout }, async () => {
    await signedIn()
    const workers = await started(2, { deadlineSeconds: 10 })
    const [one, other] = workers
    await one?.token(account)
    const { opened, open } = gate()
    server.trouble.answering = () => opened
    const asked = server.tokenRequests()
    expect(await one?.token(account, { rejected: true, abortAfter: 10 })).toMatchObject({ ok: false, code: 'aborted' })
    // It may have gone before its request went out: then the request goes out without it.
    await expect.poll(server.tokenRequests, { timeout: 10_000 }).toBe(asked + 1)
    expect((await record()).generation).toBe(1)
    open()
    await expect.poll(async () => (await record()).generation, { timeout: 10_000 }).toBe(2)
    expect((await record()).refreshToken?.reveal()).toBe(server.family(account).current)
    expect(await other?.token(account)).toMatchObject({ ok: true })
    expect(server.tokenRequests()).toBe(asked + 1)
    await endsOf(workers)
  })

  test('while the token endpoint stalls, callers fail at their own deadline, and a token that lives is served', { timeout }, async () => {
    server.live.accessTokenSeconds = 8
    await signedIn()
    const workers = await started(4)
    const first = await workers[0]?.token(account)
    const { opened, open } = gate()
    server.trouble.answering = () => opened
    const asked = server.tokenRequests()
    // In the last quarter of its life it is renewed behind the call: the request goes out, and no call waits for it.
    while (server.tokenRequests() === asked) {
      for (const worker of workers) expect(await worker.token(account)).toMatchObject({ token: first?.ok === true ? first.token : '' })
      await wait(20)
    }
    for (const worker of workers) expect(await worker.token(account)).toMatchObject({ token: first?.ok === true ? first.token : '' })
    // Until it is dead. Then they wait no longer than a deadline of a second, and what others of them may have had to wait before.
    await wait(2_500)
    for (const outcome of await Promise.all(workers.map((worker) => worker.token(account)))) {
      expect(outcome).toMatchObject({ ok: false, code: 'timed_out' })
      expect(outcome.milliseconds).toBeLessThan(10_000)
    }
    expect(server.family(account)).toMatchObject({ rotations: 1, reuses: 0 })
    open()
    // The answer that was held is stored, late as it is, by a process that has given up long ago.
    await expect.poll(async () => (await record()).generation, { timeout: 20_000 }).toBe(2)
    expect((await record()).refreshToken?.reveal()).toBe(server.family(account).current)
    await endsOf(workers)
  })

  // A short run sees it on one of the stores.
  if (short && place.name !== 'Redis') return

  test('R9 sixteen processes make at most five requests in 20 seconds of 429 with Retry-After: 5', { timeout }, async () => {
    server.live.accessTokenSeconds = 1
    await signedIn()
    const workers = await started(16)
    await wait(1_000)
    server.live.accessTokenSeconds = 600
    server.trouble.answer = (response) => sendJson(response, 429, {}, { 'retry-after': '5' })
    const before = server.tokenRequests()
    await Promise.all(workers.map((worker) => worker.ask(100)))
    await expect.poll(server.tokenRequests, { timeout: 10_000 }).toBeGreaterThan(before)
    await wait(20_000)
    const made = server.tokenRequests() - before
    progress(`${place.name}: ${made} requests of 16 processes in 20 seconds of 429`)
    expect(made).toBeLessThanOrEqual(5)
    expect(made).toBeGreaterThanOrEqual(2)
    server.trouble.answer = undefined
    // When it is over, one of them renews for all.
    await expect.poll(async () => (await record()).generation, { timeout: 15_000 }).toBe(2)
    await wait(1_000)
    const counts = await Promise.all(workers.map((worker) => worker.stop()))
    expect(Object.keys(sum(counts, ({ failures }) => failures))).toEqual(['server_unavailable'])
    expect(sum(counts, ({ statuses }) => statuses)['token']).toBeGreaterThan(16)
    expect(server.family(account)).toMatchObject({ rotations: 1, reuses: 0 })
    await endsOf(workers)
  })

  if (short || place.name !== 'Redis') return

  test(
    'a token endpoint that stalls for a minute costs no living token, no caller more than its deadline, and no session',
    { timeout: 240_000 },
    async () => {
      server.live.accessTokenSeconds = 20
      await signedIn()
      const workers = await started(4)
      const first = await workers[0]?.token(account)
      const token = first?.ok === true ? first.token : ''
      const held: ServerResponse[] = []
      server.trouble.answer = (response) => void held.push(response)
      const outcomes: Outcome[] = []
      let servedMeanwhile = 0
      const begun = performance.now()
      while (held.length === 0 || performance.now() - begun < 75_000) {
        const stalls = held.length > 0
        const round = await Promise.all(workers.map((worker) => worker.token(account)))
        outcomes.push(...round)
        if (stalls && round.every(({ ok }) => ok)) servedMeanwhile += 1
        await wait(50)
      }
      // The living token, until it is dead; then an error each, in time.
      expect(servedMeanwhile).toBeGreaterThan(0)
      expect(new Set(outcomes.map((one) => (one.ok ? one.token : one.code)))).toEqual(new Set([token, 'timed_out']))
      expect(outcomes.findLastIndex(({ ok }) => ok)).toBeLessThan(outcomes.findIndex(({ ok }) => !ok) + workers.length)
      for (const { milliseconds } of outcomes) expect(milliseconds).toBeLessThan(10_000)
      progress(`${place.name}: ${held.length} requests of 4 processes while the token endpoint stalled`)
      server.trouble.answer = undefined
      for (const response of held) response.destroy()
      for (const outcome of await Promise.all(workers.map((worker) => worker.token(account, { triesFor: 30_000 })))) {
        expect(outcome).toMatchObject({ ok: true })
      }
      expect(server.family(account)).toMatchObject({ rotations: 1, reuses: 0, revoked: false })
      await endsOf(workers)
    },
  )
})
