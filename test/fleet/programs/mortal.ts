import { setTimeout as sleep } from 'node:timers/promises'
import { decodeTokenRecord } from '../../../src/core/codec.js'
import type { Store, Versioned } from '../../../src/core/ports.js'
import type { KillPoint } from './orders.js'

/** The ports of a process that can be told where to die. Nothing in the product knows of it. */
export interface Mortal {
  store(inner: Store): Store
  readonly fetch: typeof fetch
  dieAt(point: KillPoint): void
}

export function mortal(isTokenEndpoint: (url: string) => boolean): Mortal {
  let armed: KillPoint | undefined

  async function at(point: KillPoint): Promise<void> {
    if (armed !== point) return
    process.kill(process.pid, 'SIGKILL')
    await new Promise(() => {})
  }

  /** A moment after the call has begun: it may have been done by then, or half done, or not have left the process. */
  async function during<T>(point: KillPoint, longest: number, running: Promise<T>): Promise<T> {
    if (armed === point) {
      await sleep(Math.random() * longest)
      await at(point)
    }
    return running
  }

  function store(inner: Store): Store {
    const generations = new Map<string, number>()
    /** What a write is for: another generation, a mark, or neither. */
    function purpose(key: string, next: Versioned | undefined): 'commit' | 'mark' | undefined {
      const record = next === undefined ? undefined : decodeTokenRecord(next.value)
      if (record === undefined) return undefined
      if (record.generation > (generations.get(key) ?? Infinity)) return 'commit'
      return record.sending === undefined ? undefined : 'mark'
    }
    return {
      ...inner,
      async get(key) {
        await at('before_look')
        const held = await inner.get(key)
        const record = held === undefined ? undefined : decodeTokenRecord(held.value)
        if (record !== undefined) generations.set(key, record.generation)
        await at('after_look')
        return held
      },
      async replace(key, seen, next) {
        const what = purpose(key, next)
        if (what === undefined) return inner.replace(key, seen, next)
        await at(`before_${what}`)
        const done = await during(`during_${what}`, 4, inner.replace(key, seen, next))
        if (done) await at(`after_${what}`)
        return done
      },
    }
  }

  return {
    store,
    async fetch(input, init) {
      if (!isTokenEndpoint(String(input instanceof Request ? input.url : input))) return globalThis.fetch(input, init)
      // Called in this very turn, as the engine asks: where nobody is to die, nothing is awaited first.
      if (armed === 'before_send') await at('before_send')
      const response = await during('request_out', 40, globalThis.fetch(input, init))
      await at('after_answer')
      return response
    },
    dieAt(point) {
      armed = point
    },
  }
}
