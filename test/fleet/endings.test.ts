import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { SourceOrder, StoreOrder } from './programs/orders.js'
import { type Onlooker, onlooker, places, sessionKey } from './support/places.js'
import { signIn } from './support/sign-in.js'
import { type StrictServer, strictServer } from './support/strict-server.js'
import { endsOf, startWorker } from './support/workers.js'

// A process ends by itself when its work is done: the worker program never says process.exit, and closes only what is its own.

const clientId = 'fleet'
const account = 'ann'
const timeout = 60_000
const byItself = { code: 0, signal: null }
const wait = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))

describe.for(places)('on $name', (place) => {
  let server: StrictServer
  let order: SourceOrder
  let look: Onlooker
  beforeAll(() => place.start())
  afterAll(() => place.stop())
  beforeEach(async () => {
    server = await strictServer({ graceSeconds: 0 })
    order = {
      store: place.order(),
      server: { authorizationServer: server.authorizationServer },
      clientId,
      accounts: [account],
      deadlineSeconds: 1,
    }
    look = await onlooker(order.store)
    await signIn(order, account, await look.store.of(account))
  })
  afterEach(async () => {
    await look.close()
    await server.close()
  })

  // A timer of such a length would not be over when the test is.
  const long = { deadlineSeconds: 300 }
  const opened = async (store: StoreOrder, more: Partial<SourceOrder> = long) => {
    const worker = await startWorker()
    await worker.open({ ...order, store, ...more })
    expect(await worker.token(account)).toMatchObject({ ok: true })
    return worker
  }
  const record = () => look.record(account, sessionKey(server.authorizationServer.issuer, clientId, account))
  const { kinds } = place
  const watched = (kind: StoreOrder['kind']) => ({ ...place.order(kind), watched: kind !== 'file' })

  test.for(kinds)('a process ends by itself after a token, a renewal and a call, still subscribed (%s)', { timeout }, async (kind) => {
    const worker = await opened(watched(kind))
    await worker.subscribe(account)
    expect(await worker.token(account, { rejected: true })).toMatchObject({ ok: true })
    const before = server.requests()
    await worker.call(server.api, 50)
    await expect.poll(server.requests, { timeout: 20_000 }).toBeGreaterThan(before)
    expect((await worker.stop()).statuses['200']).toBeGreaterThan(0)
    expect(await endsOf([worker])).toEqual([byItself])
  })

  test.for(kinds)('a process ends by itself during a back-off (%s)', { timeout }, async (kind) => {
    const worker = await opened(watched(kind))
    server.trouble.answer = (response) => response.writeHead(503, { 'retry-after': '600' }).end()
    expect(await worker.token(account, { rejected: true })).toMatchObject({ ok: false, code: 'server_unavailable' })
    expect(await endsOf([worker])).toEqual([byItself])
  })

  test.for(kinds)('a process ends by itself after a token in its own right (%s)', { timeout }, async (kind) => {
    const worker = await startWorker()
    await worker.open({ ...order, ...long, store: watched(kind), clientSecret: 'secret-of-nightly' })
    expect(await worker.token(account)).toMatchObject({ ok: true })
    expect(await worker.token(account, { rejected: true })).toMatchObject({ ok: true })
    expect(await endsOf([worker])).toEqual([byItself])
  })

  // Where the store is no connection, nothing but the commit itself keeps the process.
  if (place.name !== 'a file') return

  test('a commit that is due keeps the process, however late the answer, and nothing does afterwards', { timeout }, async () => {
    let open = () => {}
    const opening = new Promise<void>((resolve) => (open = resolve))
    const worker = await opened(place.order(), {})
    server.trouble.answering = () => opening
    const asked = server.tokenRequests()
    expect(await worker.token(account, { rejected: true })).toMatchObject({ ok: false, code: 'timed_out' })
    expect(server.tokenRequests()).toBe(asked + 1)
    await worker.close()
    // It would have ended by now.
    await wait(3_000)
    expect(worker.process.exitCode).toBeNull()
    expect((await record()).generation).toBe(1)
    open()
    expect(await worker.ended).toEqual(byItself)
    expect(await record()).toMatchObject({ generation: 2 })
    expect((await record()).refreshToken?.reveal()).toBe(server.family(account).current)
  })
})
