import type { Lock } from '../core/ports.js'
import { equal, fresh, rejection, soon, turn } from './contract.js'
import type { ContractRule } from './contract.js'

/**
 * What a lock must do, one rule each. `make` gives a lock, each time another one of the same kind if it likes.
 *
 * @example
 * for (const rule of lockContract(async () => webLocks())) test(rule.name, rule.run)
 */
export function lockContract(make: () => Promise<Lock>): readonly ContractRule[] {
  return rules.map(({ name, holds }) => ({ name, run: async () => soon(holds(await make()), name) }))
}

interface Rule {
  readonly name: string
  readonly holds: (lock: Lock) => Promise<void>
}

const rules: readonly Rule[] = [
  {
    name: 'the outcome of what runs is the outcome of the lock',
    async holds(lock) {
      const failure = new Error('of the run')
      equal(await lock(fresh(), async () => 'result'), 'result', 'result')
      equal(
        await rejection(
          lock(fresh(), () => Promise.reject(failure)),
          'a failing run',
        ),
        failure,
        'reason',
      )
    },
  },
  {
    name: 'of one name one runs at a time, and each runs',
    async holds(lock) {
      const name = fresh()
      let [running, most, runs] = [0, 0, 0]
      const run = async () => {
        running += 1
        most = Math.max(most, running)
        await turn()
        runs += 1
        running -= 1
      }
      await Promise.all(Array.from({ length: 10 }, () => lock(name, run)))
      equal(most, 1, 'at a time')
      equal(runs, 10, 'runs')
    },
  },
  {
    name: 'another name is another lock',
    async holds(lock) {
      const name = fresh()
      equal(await lock(name, () => lock(`${name}.`, async () => 'inner')), 'inner', 'result')
    },
  },
  {
    name: 'a run that failed has released the lock',
    async holds(lock) {
      const name = fresh()
      await rejection(
        lock(name, () => Promise.reject(new Error('of the run'))),
        'a failing run',
      )
      equal(await lock(name, async () => 'next'), 'next', 'result')
    },
  },
  {
    name: 'an aborted signal ends the waiting with its reason, and what waited never runs',
    async holds(lock) {
      const name = fresh()
      const [holder, waiter, reason] = [held(lock, name), new AbortController(), new Error('gave up')]
      await holder.began
      let ran = false
      const waiting = lock(name, async () => void (ran = true), { signal: waiter.signal })
      await turn()
      waiter.abort(reason)
      equal(await rejection(waiting, 'the waiting'), reason, 'reason')
      holder.release()
      await holder.ended
      await lock(name, async () => {})
      equal(ran, false, 'whether it ran')
    },
  },
  {
    name: 'a signal that is already aborted rejects with its reason, though the lock is free',
    async holds(lock) {
      let ran = false
      const reason = new Error('gave up')
      const waiting = lock(fresh(), async () => void (ran = true), { signal: AbortSignal.abort(reason) })
      equal(await rejection(waiting, 'the waiting'), reason, 'reason')
      equal(ran, false, 'whether it ran')
    },
  },
  {
    name: 'a signal never ends what runs, nor releases its lock',
    async holds(lock) {
      const name = fresh()
      const holding = new AbortController()
      const holder = held(lock, name, holding.signal)
      await holder.began
      holding.abort(new Error('gave up'))
      let ran = false
      const next = lock(name, async () => void (ran = true))
      await turn()
      equal(ran, false, 'whether another ran meanwhile')
      holder.release()
      equal(await holder.ended, 'held', 'result')
      await next
    },
  },
]

/** Holds the lock until it is told to release it. */
function held(lock: Lock, name: string, signal?: AbortSignal): { began: Promise<void>; ended: Promise<string>; release: () => void } {
  let [begin, release] = [() => {}, () => {}]
  const began = new Promise<void>((resolve) => (begin = resolve))
  const over = new Promise<void>((resolve) => (release = resolve))
  const run = async () => {
    begin()
    await over
    return 'held'
  }
  const ended = lock(name, run, signal === undefined ? {} : { signal })
  // It is looked at later.
  ended.catch(() => {})
  return { began, ended, release }
}
