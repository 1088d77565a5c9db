import type { Lock } from '../../../src/core/ports.js'
import type { Context } from './context.js'
import type { Random, Timeline } from './timeline.js'

export const lockKinds = ['none', 'death_released', 'lease'] as const
/** `lease`: a lock that its holder may lose while it lives. */
export type LockKind = (typeof lockKinds)[number]

/** How long a lease holds. */
const leaseSpan = 6_000

interface Waiting {
  readonly context: Context
  readonly take: (release: () => void) => void
}

/** One lock of one name for all contexts; gives each its own view of it. */
export function sharedLock(kind: LockKind, time: Timeline, random: Random): (context: Context) => Lock | undefined {
  const queue: Waiting[] = []
  let holder: Waiting | undefined

  function next(): void {
    if (holder !== undefined) return
    holder = queue.shift()
    if (holder === undefined) return
    const mine = holder
    if (!mine.context.isAlive()) return release(mine)
    if (kind === 'lease') time.at(time.now() + leaseSpan, () => release(mine))
    mine.context.enter(() => mine.take(() => release(mine)), 3)
  }

  function release(by: Waiting): void {
    if (holder !== by) return
    holder = undefined
    time.at(time.now() + random.between(0, 5), next)
  }

  return (context) => {
    if (kind === 'none') return undefined
    context.onDeath(() => {
      if (holder?.context === context) release(holder)
    })
    const lock = <T>(_name: string, run: () => Promise<T>): Promise<T> =>
      new Promise((resolve, reject) => {
        const take = (done: () => void): void => void run().then(resolve, reject).finally(done)
        queue.push({ context, take })
        time.at(time.now() + random.between(0, 5), next)
      })
    return Object.assign(lock, { releasedOnlyByDeath: kind === 'death_released' })
  }
}
