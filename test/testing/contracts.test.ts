import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Lock, Store, UserAgent, Versioned } from '../../src/core/ports.js'
import { memoryStore } from '../../src/stores/memory.js'
import { lockContract, storeContract, userAgentContract, type ContractRule } from '../../src/testing/index.js'

// A contract is worth what it finds: each of these breaks a rule on purpose, and the rule says so.

// What fails by never coming is given up after a fifth of a second here.
beforeAll(() => {
  const { setTimeout } = globalThis
  vi.stubGlobal('setTimeout', (run: () => void, milliseconds: number) => setTimeout(run, milliseconds === 10_000 ? 200 : milliseconds))
})
afterAll(() => void vi.unstubAllGlobals())

/** The names of the rules that do not hold. */
async function broken(rules: readonly ContractRule[]): Promise<readonly string[]> {
  const names: string[] = []
  for (const { name, run } of rules) await run().catch(() => names.push(name))
  return names
}

/** A store whose two operations go through these. */
function faulty(change: (store: Store) => Partial<Store>): () => Promise<Store> {
  return async () => {
    const store = memoryStore()
    return { ...store, ...change(store) }
  }
}

const slowly = () => new Promise((resolve) => setImmediate(resolve))

describe('the store contract', () => {
  test('holds for a store without watch, too', async () => {
    expect(await broken(storeContract(async () => ({ get: memoryStore().get, replace: memoryStore().replace })))).not.toEqual([])
    const whole = () => {
      const { get, replace } = memoryStore()
      return Promise.resolve({ get, replace })
    }
    expect(await broken(storeContract(whole))).toEqual([])
  })

  test.for<{ name: string; finds: RegExp; change: (store: Store) => Partial<Store> }>([
    {
      name: 'compares, then writes in another turn',
      finds: /lose no increment/,
      change: (store) => ({
        async replace(key, seen, next) {
          const now = (await store.get(key))?.version
          await slowly()
          return now === seen && store.replace(key, (await store.get(key))?.version, next)
        },
      }),
    },
    {
      name: 'writes over a record that nobody has seen',
      finds: /undefined as the seen version/,
      change: (store) => ({ replace: async (key, seen, next) => store.replace(key, seen ?? (await store.get(key))?.version, next) }),
    },
    {
      name: 'writes where nothing is, whatever was seen',
      finds: /a seen version writes nothing/,
      change: (store) => ({
        replace: async (key, seen, next) => store.replace(key, (await store.get(key)) === undefined ? undefined : seen, next),
      }),
    },
    {
      name: 'deletes whatever is there',
      finds: /only the seen version is deleted/,
      change: (store) => ({
        replace: async (key, seen, next) => store.replace(key, next === undefined ? (await store.get(key))?.version : seen, next),
      }),
    },
    {
      name: 'compares versions as numbers',
      finds: /compared as texts/,
      change: (store) => ({
        replace: async (key, seen, next) => {
          const now = (await store.get(key))?.version
          return store.replace(key, Number(now) === Number(seen) ? now : seen, next)
        },
      }),
    },
    {
      name: 'cuts long values',
      finds: /64 KB/,
      change: (store) => ({
        replace: (key, seen, next) => store.replace(key, seen, next && { ...next, value: next.value.slice(0, 60_000) }),
      }),
    },
    {
      name: 'trims keys',
      finds: /none is another/,
      change: (store) => ({ get: (key) => store.get(key.trim()), replace: (key, seen, next) => store.replace(key.trim(), seen, next) }),
    },
    {
      name: 'reads an inherited expiresAt',
      finds: /polluted/,
      change: (store) => ({
        get: async (key) => {
          const held: Versioned | undefined = await store.get(key)
          return held !== undefined && ({ ...held, __proto__: Object.prototype } as Versioned).expiresAt === 1 ? undefined : held
        },
      }),
    },
    { name: 'tells no watcher', finds: /a watcher is told/, change: () => ({ watch: () => () => {} }) },
    {
      name: 'tells a watcher that has stopped',
      finds: /a watcher is told/,
      change: (store) => ({
        watch: (key, changed) => {
          store.watch?.(key, changed)
          return () => {}
        },
      }),
    },
  ])('finds a store that $name', { timeout: 30_000 }, async ({ change, finds }) => {
    expect(await broken(storeContract(faulty(change)))).toContainEqual(expect.stringMatching(finds))
  })
})

describe('the lock contract', () => {
  test('holds for a queue in this process', async () => {
    expect(await broken(lockContract(async () => queue()))).toEqual([])
  })

  test.for<{ name: string; finds: RegExp; lock: Lock }>([
    { name: 'lets everybody in', finds: /one runs at a time/, lock: (_, run) => run() },
    { name: 'ends what runs', finds: /never ends what runs/, lock: ending(queue()) },
    {
      name: 'has one lock for all names',
      finds: /another name/,
      lock: (
        (lock) => (_, run, options) =>
          lock('one', run, options)
      )(queue()),
    },
    {
      name: 'ignores the signal',
      finds: /already aborted/,
      lock: (
        (lock) => (name, run) =>
          lock(name, run)
      )(queue()),
    },
  ])('finds a lock that $name', { timeout: 120_000 }, async ({ lock, finds }) => {
    expect(await broken(lockContract(async () => lock).filter(({ name }) => finds.test(name)))).toHaveLength(1)
  })
})

/** One after the other. */
function queue(): Lock {
  const tails = new Map<string, Promise<unknown>>()
  return async (name, run, options) => {
    const before = tails.get(name) ?? Promise.resolve()
    let release = () => {}
    tails.set(
      name,
      before.then(() => new Promise<void>((resolve) => (release = resolve))),
    )
    const signal = options?.signal
    try {
      signal?.throwIfAborted()
      await Promise.race([before, new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason as Error)))])
    } catch (reason) {
      void before.then(() => setImmediate(release))
      throw reason
    }
    await slowly()
    return run().finally(() => release())
  }
}

function ending(lock: Lock): Lock {
  return (name, run, options) =>
    Promise.race([
      lock(name, run, options),
      new Promise<never>((_, reject) => options?.signal?.addEventListener('abort', () => reject(options.signal?.reason as Error))),
    ])
}

describe('the user agent contract', () => {
  test.for<{ name: string; finds: RegExp; agent: UserAgent }>([
    {
      name: 'asks twice',
      finds: /asked for once/,
      agent: { authorize: (request) => request('http://127.0.0.1/').catch(() => request('http://127.0.0.1/')) },
    },
    { name: 'ignores the signal', finds: /already aborted/, agent: { authorize: (request) => request('http://127.0.0.1/') } },
    { name: 'goes anywhere', finds: /not http or https/, agent: { authorize: (request) => request('http://127.0.0.1/') } },
  ])('finds a user agent that $name', async ({ agent, finds }) => {
    expect(await broken(userAgentContract(async () => agent).filter(({ name }) => finds.test(name)))).toHaveLength(1)
  })
})
