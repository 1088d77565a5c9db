import type { Client } from '../core/client.js'
import type { Rejected, Wanted } from '../core/decide.js'
import type { Emit } from '../core/events.js'
import type { Clock } from '../core/ports.js'
import { bare } from '../core/secret.js'
import type { Round } from '../engine/renewal.js'
import { readReply, renewalConfig, requestMessage } from './renewal-messages.js'
import { type WorkerContainer, findWorker, workerContainer } from './worker-registration.js'

export interface RenewalWorkerParts {
  readonly container: WorkerContainer
  /** The address of the worker's script, of this origin. */
  readonly url: URL
  /** The client as plain data. */
  readonly config: object
  readonly clock: Clock
  /** How long the outcome is waited for, in milliseconds. */
  readonly patience: number
  readonly emit: Emit
}

/** The worker of a page, which renews in its place. */
export interface RenewalWorker {
  /** Registers it where it is not yet, so that it is there when a renewal is due. */
  makeReady(): void
  /** `undefined`: there is none, it did not answer, or it has no such record. Never rejects. */
  renew(wanted: Wanted, due: Rejected): Promise<Round | undefined>
}

/** How long a worker may take to be there and to say that it has begun. It has to be started first, which takes milliseconds. */
const startTime = 2_000
/** A worker that was not there is not waited for again at once: each renewal would be later by the start time. */
const notAskedAgain = 60_000

/** Beyond the deadline, as the engine waits for a sender: what a worker may need to write down what came of a request, in milliseconds. */
const grace = 3_000

/** The worker of a session; none where there is no page, or none of this address can be had in it. */
export function workerOf(
  url: URL | undefined,
  client: Client,
  account: string | undefined,
  database: string | undefined,
): RenewalWorker | undefined {
  const container = workerContainer()
  if (url === undefined || container === undefined) return undefined
  const { clock, deadline, emit } = client
  return renewalWorker({ container, url, config: renewalConfig(client, account, database), clock, patience: deadline + grace, emit })
}

/** One worker, asked by messages. */
export function renewalWorker({ container, url, config, clock, patience, emit }: RenewalWorkerParts): RenewalWorker {
  let finding: ReturnType<typeof findWorker> | undefined
  let notBefore = -Infinity

  function find(): ReturnType<typeof findWorker> {
    finding ??= findWorker(container, url).catch(() => undefined)
    return finding
  }

  async function renew(wanted: Wanted, due: Rejected): Promise<Round | undefined> {
    if (clock.monotonic() < notBefore) return undefined
    const round = await ask(wanted, due)
    if (round === 'no_answer') {
      finding = undefined
      notBefore = clock.monotonic() + notAskedAgain
    }
    return typeof round === 'string' ? undefined : round
  }

  /** `no_answer`: not even that it has begun. `gone`: it has no such record, or it began and was not heard of again. */
  function ask(wanted: Wanted, due: Rejected): Promise<Round | 'no_answer' | 'gone'> {
    return new Promise((settle) => {
      const { port1: mine, port2: its } = new MessageChannel()
      const [taken, over] = [new AbortController(), new AbortController()]
      const finish = (outcome: Round | 'no_answer' | 'gone') => {
        taken.abort()
        over.abort()
        mine.close()
        settle(outcome)
      }
      mine.onmessage = ({ data }: MessageEvent<unknown>) => {
        const reply = readReply(data)
        if (reply?.kind === 'fact') emit(reply.fact)
        if (reply?.kind === 'absent') finish('gone')
        if (reply?.kind === 'done') finish(reply.round)
        if (reply?.kind !== 'taken' || taken.signal.aborted) return
        taken.abort()
        after(patience, over.signal, () => finish('gone'))
      }
      after(startTime, taken.signal, () => finish('no_answer'))
      void find().then((worker) => {
        if (over.signal.aborted) return
        if (worker === undefined) return finish('no_answer')
        try {
          worker.postMessage(requestMessage(bare({ config, wanted, due })), [its])
        } catch {
          // There is something in the metadata that cannot be copied.
          finish('no_answer')
        }
      })
    })
  }

  function after(milliseconds: number, signal: AbortSignal, run: () => void): void {
    void clock.wait(milliseconds, signal).then(run, () => {})
  }

  return { makeReady: () => void find(), renew }
}
