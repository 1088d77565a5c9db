// One process of a fleet. It does what its parent says, and ends by itself when it has nothing more to do: there is no process.exit.
import { setTimeout as sleep } from 'node:timers/promises'
import type { AccessToken, Clock, OAuthEvent, Session, Store, TokenSource } from '../../../src/index.js'
import { OAuthError, clientCredentials, clientSecretBasic, oauthFetch, userSession } from '../../../src/index.js'
import { systemClock } from '../../../src/system-clock.js'
import { mortal } from './mortal.js'
import { type OpenStore, openStore } from './open-store.js'
import type { Counts, Order, Orders, Outcome, SourceOrder } from './orders.js'

interface Opened {
  readonly source: TokenSource
  readonly session?: Session
  last?: AccessToken
}

const { store: mortalStore, fetch, dieAt } = mortal((url) => new URL(url).pathname === '/token')
const opened = new Map<string, Opened>()
const keys = new Set<string>()
const statuses: Record<string, number> = {}
const failures: Record<string, number> = {}
let [rejections, renewals, going, closed] = [0, 0, true, false]
const loops: Promise<void>[] = []
let store: OpenStore | undefined

function source(order: SourceOrder, account: string, store: Store): Opened {
  const { clientId, clientSecret, clockOffset = 0 } = order
  const clock: Clock = { ...systemClock, now: () => systemClock.now() + clockOffset }
  const options = {
    ...order.server,
    clientId,
    dpop: order.dpop ?? false,
    store: noting(mortalStore(store)),
    fetch,
    clock,
    observe,
    ...(order.scope === undefined ? {} : { scope: order.scope }),
    ...(order.resource === undefined ? {} : { resource: order.resource }),
    ...(order.deadlineSeconds === undefined ? {} : { deadlineSeconds: order.deadlineSeconds }),
  }
  if (clientSecret !== undefined)
    return { source: clientCredentials({ ...options, clientAuthentication: clientSecretBasic(clientSecret) }) }
  const session = userSession({ ...options, account })
  return { source: session, session }
}

function observe(event: OAuthEvent): void {
  if (event.type === 'token_rejected') rejections += 1
  if (event.type === 'renewal_finished') renewals += 1
}

function noting(store: Store): Store {
  return {
    ...store,
    get(key) {
      keys.add(key)
      return store.get(key)
    },
  }
}

function of(account: string): Opened {
  const found = opened.get(account)
  if (found === undefined) throw new Error(`no ${account}`)
  return found
}

async function token(account: string, { rejected = false, abortAfter = 0, triesFor = 0 } = {}): Promise<Outcome> {
  const one = of(account)
  const begun = performance.now()
  for (;;) {
    try {
      const signal = abortAfter > 0 ? { signal: AbortSignal.timeout(abortAfter) } : {}
      one.last = await one.source.token({ ...(rejected && one.last !== undefined ? { rejected: one.last } : {}), ...signal })
      return { ok: true, milliseconds: performance.now() - begun, token: one.last.reveal() }
    } catch (error) {
      const milliseconds = performance.now() - begun
      const code = error instanceof OAuthError ? error.code : 'aborted'
      if (milliseconds < triesFor && ['timed_out', 'network', 'server_unavailable', 'store_unavailable'].includes(code)) {
        await sleep(100)
        continue
      }
      const ended = one.session?.snapshot().ended
      return { ok: false, milliseconds, code, message: String(error), ...(ended === undefined ? {} : { ended }) }
    }
  }
}

async function again(pause: number, once: () => Promise<string>): Promise<void> {
  // They begin spread over a pause.
  await sleep(Math.random() * pause)
  while (going) {
    try {
      const status = await once()
      statuses[status] = (statuses[status] ?? 0) + 1
    } catch (error) {
      const code = error instanceof OAuthError ? error.code : String(error)
      failures[code] = (failures[code] ?? 0) + 1
    }
    await sleep(pause)
  }
}

const orders: Orders = {
  async open(order) {
    store = await openStore(order.store)
    for (const account of order.accounts) {
      const one = source(order, account, await store.of(account))
      opened.set(account, one)
      // Their snapshots tell how they ended.
      one.session?.subscribe(() => {})
    }
  },
  token,
  async call(api, pause) {
    for (const { source } of opened.values()) {
      const call = oauthFetch(source, { resources: [api] })
      loops.push(
        again(pause, async () => {
          const response = await call(api)
          await response.text()
          return String(response.status)
        }),
      )
    }
  },
  async warmUp(api) {
    for (const { source } of opened.values())
      for (let calls = 0; calls < 3; calls += 1) await (await oauthFetch(source, { resources: [api] })(api)).text()
  },
  async ask(pause) {
    for (const { source } of opened.values()) loops.push(again(pause, async () => ((await source.token()) ? 'token' : '')))
  },
  async renewOn(account) {
    void (async () => {
      while (going) await token(account, { rejected: true })
    })()
  },
  async stop(): Promise<Counts> {
    going = false
    await Promise.all(loops)
    return { statuses, failures, rejections, renewals }
  },
  keys: async () => [...keys],
  dieAt: async (point) => dieAt(point),
  async begin(account, how) {
    void token(account, how)
  },
  async subscribe(account) {
    of(account).session?.subscribe(() => {})
  },
  async close() {
    ;[going, closed] = [false, true]
    await Promise.all(loops)
    await store?.close()
  },
}

process.on('message', (message) => {
  const { id, name, parameters } = message as Order
  const call = orders[name] as (...parameters: readonly unknown[]) => Promise<unknown>
  call(...parameters).then(
    (result) => reply({ id, result }, name),
    (error: unknown) => reply({ id, failed: error instanceof Error ? `${error.stack}` : String(error) }, name),
  )
})

// Without its parent it has nothing to do.
process.on('disconnect', () => closed || process.kill(process.pid, 'SIGKILL'))

function reply(answer: object, name: string): void {
  // A listener of its own: to the parent's orders nobody listens any more.
  if (process.connected) process.send?.(answer, () => name === 'close' && process.disconnect())
}
