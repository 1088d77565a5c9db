import { onTestFinished, expect, test } from 'vitest'
import { renewalWorker } from '../../src/browser/renewal-worker.js'
import type { WorkerContainer } from '../../src/browser/worker-registration.js'
import type { OAuthFact } from '../../src/core/events.js'
import { manualClock } from '../../src/testing/manual-clock.js'

// The page's side, by a clock that a test moves: how long a worker is waited for. Real workers: test/chromium/worker.test.ts.

const url = new URL('https://app.example/worker.js')
const wanted = { minimumValidity: 0, after: Infinity }
const due = { session: 's', generation: 1 }

/** A page whose worker does this with what it is sent. */
function pageWith(answer: (port: MessagePort, message: unknown) => void, postable: (message: unknown) => unknown = structuredClone) {
  const clock = manualClock()
  const facts: OAuthFact[] = []
  let looked = 0
  const active = {
    scriptURL: url.href,
    postMessage: (message: unknown, [port]: [MessagePort]) => {
      onTestFinished(() => port.close())
      answer(port, postable(message))
    },
  }
  const container = {
    getRegistrations: async () => ((looked += 1), [{ active, waiting: null, installing: null, scope: 'https://app.example/' }]),
    register: () => Promise.reject(new Error('there is one')),
  } as unknown as WorkerContainer
  const config = { issuer: 'https://as.example' }
  const worker = renewalWorker({ container, url, config, clock, patience: 13_000, emit: (fact) => void facts.push(fact) })
  return { clock, facts, worker, looked: () => looked }
}

const say = (port: MessagePort, ...messages: object[]) => messages.forEach((message) => port.postMessage(message))

test('what the worker says happens here, and its outcome is the outcome', async () => {
  const messages: unknown[] = []
  const { worker, facts } = pageWith((port, message) => {
    messages.push(message)
    say(
      port,
      { valetkey: 'taken' },
      { valetkey: 'fact', fact: { type: 'renewal_started' } },
      { valetkey: 'done', error: { code: 'network', message: 'm' } },
    )
  })
  expect(await worker.renew(wanted, due)).toMatchObject({ error: { code: 'network', message: 'm' } })
  expect(facts).toEqual([{ type: 'renewal_started' }])
  expect(messages).toEqual([{ valetkey: 'renew', config: { issuer: 'https://as.example' }, wanted, due }])
})

test('a worker that has no such record leaves it to the page, and is asked again the next time', async () => {
  let asked = 0
  const { worker } = pageWith((port) => {
    asked += 1
    say(port, { valetkey: 'taken' }, { valetkey: 'absent' })
  })
  expect(await worker.renew(wanted, due)).toBeUndefined()
  expect(await worker.renew(wanted, due)).toBeUndefined()
  expect(asked).toBe(2)
})

test('a worker that does not answer is waited for two seconds, not again for a minute, and is then looked for anew', async () => {
  let asked = 0
  const { worker, clock, looked } = pageWith(() => void (asked += 1))
  const first = worker.renew(wanted, due)
  await clock.advance(1_999)
  expect(await Promise.race([first, 'waiting'])).toBe('waiting')
  await clock.advance(1)
  expect(await first).toBeUndefined()
  await clock.advance(59_999)
  expect(await worker.renew(wanted, due)).toBeUndefined()
  expect([asked, looked()]).toEqual([1, 1])
  await clock.advance(1)
  void worker.renew(wanted, due)
  await clock.advance(2_000)
  expect([asked, looked()]).toEqual([2, 2])
})

test('one that has begun is waited for as long as for any sender, and asked again the next time', async () => {
  let asked = 0
  const { worker, clock } = pageWith((port) => {
    asked += 1
    say(port, { valetkey: 'taken' }, { valetkey: 'taken' })
  })
  const first = worker.renew(wanted, due)
  await heard()
  await clock.advance(12_999)
  expect(await Promise.race([first, 'waiting'])).toBe('waiting')
  await clock.advance(1)
  expect(await first).toBeUndefined()
  void worker.renew(wanted, due)
  await clock.advance(0)
  expect(asked).toBe(2)
})

test('what cannot be copied to a worker leaves the renewal to the page', async () => {
  const { worker } = pageWith(
    () => {},
    () => structuredClone(() => {}),
  )
  expect(await worker.renew(wanted, due)).toBeUndefined()
})

/** What was posted on another channel after this has been posted has come. */
async function heard(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}
