import { randomInt } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { type KillPoint, type Outcome, type SourceOrder, killPoints } from './programs/orders.js'
import { type Place, onlooker, places, sessionKey } from './support/places.js'
import { signIn } from './support/sign-in.js'
import { type StrictServer, strictServer } from './support/strict-server.js'
import { type Worker, endsOf, inGroups, progress, startWorker, startWorkers } from './support/workers.js'

// Processes that are killed in the middle of a renewal, many sessions side by side; two others go on with the same sessions.

const short = process.env['FLEET'] === 'short'
/** How often each point is the last of a process, and how often the moment is left to chance: for each store and each server. */
const [each, atRandom] = short ? [1, 4] : [5, 35]
const deadlineSeconds = 1
const clientId = 'fleet'

/** A session, and the process that died in the middle of renewing it. */
interface Case {
  readonly account: string
  readonly point: KillPoint | 'at random'
  /** The server has spent a refresh token whose successor is in no store. */
  readonly lost: boolean
}

const wait = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))

async function runBatch(place: Place, server: StrictServer, points: readonly Case['point'][], batch: string): Promise<readonly Survived[]> {
  const accounts = points.map((_, index) => `${batch}-${index}`)
  const order: SourceOrder = {
    store: place.order(),
    server: { authorizationServer: server.authorizationServer },
    clientId,
    accounts,
    deadlineSeconds,
  }
  const look = await onlooker(order.store)
  for (const account of accounts) await signIn(order, account, await look.store.of(account))
  const survivors = await startWorkers(2)
  await Promise.all(survivors.map((one) => one.open(order)))
  for (const one of survivors) for (const outcome of await all(one, accounts, false)) expect(outcome.ok).toBe(true)

  await inGroups(
    points.map((point, index) => ({ point, account: accounts[index] ?? '' })),
    ({ point, account }) => die(order, account, point),
    6,
  )
  // What was on its way has arrived, at the server and at the store.
  await wait(300)
  const cases = await Promise.all(
    points.map(async (point, index): Promise<Case> => {
      const account = accounts[index] ?? ''
      const record = await look.record(account, sessionKey(server.authorizationServer.issuer, clientId, account))
      const { current } = server.family(account)
      return { account, point, lost: record.refreshToken?.reveal() !== current }
    }),
  )
  // They take up what was stored; then they need more than that.
  for (const one of survivors) for (const outcome of await all(one, accounts, false)) expect(outcome.ok).toBe(true)
  const first = await Promise.all(survivors.map((one) => all(one, accounts, true)))
  const second = await Promise.all(survivors.map((one) => all(one, accounts, true)))
  for (const { code } of await endsOf(survivors)) expect(code).toBe(0)
  await look.close()
  return cases.map((one, index) => ({
    ...one,
    outcomes: first.map((outcomes) => outcomes[index] as Outcome),
    later: second.map((outcomes) => outcomes[index] as Outcome),
  }))
}

interface Survived extends Case {
  /** What each of the others came to, when it needed another token. */
  readonly outcomes: readonly Outcome[]
  /** And once more. */
  readonly later: readonly Outcome[]
}

/** Every session at the same time. */
function all(worker: Worker, accounts: readonly string[], rejected: boolean): Promise<readonly Outcome[]> {
  return Promise.all(accounts.map((account) => worker.token(account, { rejected, triesFor: 30_000 })))
}

async function die(order: SourceOrder, account: string, point: Case['point']): Promise<void> {
  const worker = await startWorker()
  await worker.open({ ...order, accounts: [account] })
  await worker.token(account)
  if (point === 'at random') {
    await worker.renewOn(account)
    await wait(randomInt(0, 300))
    worker.kill()
  } else {
    await worker.dieAt(point)
    void worker.token(account, { rejected: true }).catch(() => {})
  }
  const late = setTimeout(() => worker.process.kill('SIGTERM'), 20_000)
  expect(await worker.ended, point).toEqual({ code: null, signal: 'SIGKILL' })
  clearTimeout(late)
}

const wanted: readonly Case['point'][] = [
  ...Array.from({ length: each }, () => killPoints).flat(),
  ...Array.from({ length: atRandom }, () => 'at random' as const),
]
/** Between these two the answer may be lost with the process. */
const mayLose: readonly Case['point'][] = ['request_out', 'after_answer', 'before_commit', 'during_commit', 'at random']
const surelyLoses: readonly Case['point'][] = ['after_answer', 'before_commit']

/** As many side by side as the machine can carry. */
async function killAll(place: Place, server: StrictServer, name: string): Promise<readonly Survived[]> {
  const size = 30
  const survived: Survived[] = []
  for (let index = 0; index < wanted.length; index += size) {
    survived.push(...(await runBatch(place, server, wanted.slice(index, index + size), `${name}-${index}`)))
    progress(`${place.name}, ${name}: ${survived.length} of ${wanted.length} processes killed`)
  }
  const lost = survived.filter((one) => one.lost)
  progress(`${place.name}, ${name}: ${survived.length} killed, ${lost.length} answers lost with their process`)
  for (const { point, lost } of survived) {
    if (lost) expect(mayLose).toContain(point)
    else expect(surelyLoses).not.toContain(point)
  }
  // There was something to survive.
  expect(lost.length).toBeGreaterThan(survived.length / 10)
  return survived
}

const timeout = 600_000

describe.for(places)('R7 on $name', (place: Place) => {
  beforeAll(() => place.start())
  afterAll(() => place.stop())

  test(
    'a process that is killed anywhere in a renewal costs nobody a session, where the server has 60 seconds of grace',
    { timeout },
    async () => {
      const server = await strictServer({ graceSeconds: 60 })
      onTestFinished(server.close)
      server.trouble.answering = () => wait(randomInt(30, 60))
      for (const { account, point, outcomes, later } of await killAll(place, server, 'grace')) {
        for (const outcome of [...outcomes, ...later]) expect(outcome, point).toMatchObject({ ok: true })
        // They share what came of it.
        expect(new Set(later.map((outcome) => outcome.ok && outcome.token)).size).toBeLessThanOrEqual(2)
        expect(server.family(account)).toMatchObject({ reuses: 0, revoked: false })
      }
    },
  )

  test(
    'without any, the session ends as ambiguous_rotation in every process, and only where its answer was lost',
    { timeout },
    async () => {
      const server = await strictServer({ graceSeconds: 0 })
      onTestFinished(server.close)
      server.trouble.answering = () => wait(randomInt(30, 60))
      for (const { account, point, lost, outcomes, later } of await killAll(place, server, 'no grace')) {
        for (const outcome of [...outcomes, ...later]) {
          const expected = lost ? { ok: false, code: 'ambiguous_rotation', ended: 'ambiguous_rotation' } : { ok: true }
          expect(outcome, point).toMatchObject(expected)
        }
        // The doubt cost one request, by one of them.
        expect(server.family(account), point).toMatchObject({ reuses: lost ? 1 : 0, revoked: lost })
      }
    },
  )
})
