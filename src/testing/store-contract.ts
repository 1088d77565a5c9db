import type { Store, Versioned } from '../core/ports.js'
import { check, equal, fresh, soon, turn } from './contract.js'
import type { ContractRule } from './contract.js'

type Make = () => Promise<Store>

/**
 * What a store must do, one rule each. `make` gives a store that is ready for use: an empty one, or another handle on the same data
 * (then the rules also hold between handles). Each rule uses keys of its own.
 *
 * @example
 * for (const rule of storeContract(async () => memoryStore())) test(rule.name, rule.run)
 */
export function storeContract(make: () => Promise<Store>): readonly ContractRule[] {
  return rules.map(({ name, holds }) => ({ name, run: () => holds(make) }))
}

interface Rule {
  readonly name: string
  readonly holds: (make: Make) => Promise<void>
}

const rules: readonly Rule[] = [
  {
    name: 'what was never written is undefined',
    holds: async (make) => equal(await (await make()).get(fresh()), undefined, 'get'),
  },
  {
    name: 'what was written is read, version and value',
    async holds(make) {
      const store = await make()
      const [key, next] = [fresh(), record('a value')]
      equal(await store.replace(key, undefined, next), true, 'replace into absence')
      await holdsOnly(store, key, next)
    },
  },
  {
    name: 'undefined as the seen version writes only where nothing is',
    async holds(make) {
      const store = await make()
      const [key, first] = [await written(store), record('second')]
      equal(await store.replace(key.key, undefined, first), false, 'replace over a record')
      await holdsOnly(store, key.key, key.held)
    },
  },
  {
    name: 'a seen version writes only where it still is, and false has changed nothing',
    async holds(make) {
      const store = await make()
      const { key, held } = await written(store)
      equal(await store.replace(key, fresh(), record('not this')), false, 'replace of another version')
      await holdsOnly(store, key, held)
      const next = record('this')
      equal(await store.replace(key, held.version, next), true, 'replace of the seen version')
      equal(await store.replace(key, held.version, record('too late')), false, 'replace of a version that is gone')
      await holdsOnly(store, key, next)
    },
  },
  {
    name: 'a seen version writes nothing where nothing is',
    async holds(make) {
      const store = await make()
      const key = fresh()
      equal(await store.replace(key, fresh(), record('not this')), false, 'replace')
      equal(await store.get(key), undefined, 'get')
    },
  },
  {
    name: 'only the seen version is deleted, and afterwards nothing is there',
    async holds(make) {
      const store = await make()
      const { key, held } = await written(store)
      equal(await store.replace(key, fresh(), undefined), false, 'deletion of another version')
      await holdsOnly(store, key, held)
      equal(await store.replace(key, held.version, undefined), true, 'deletion of the seen version')
      equal(await store.get(key), undefined, 'get')
      equal(await store.replace(key, held.version, undefined), false, 'a second deletion')
      equal(await store.replace(key, undefined, record('again')), true, 'replace into absence')
    },
  },
  {
    name: 'of many who replace the same version at once, one wins',
    async holds(make) {
      const store = await make()
      const { key, held } = await written(store)
      const nexts = Array.from({ length: 20 }, (_, index) => record(`writer ${index}`))
      const won = await Promise.all(nexts.map((next) => store.replace(key, held.version, next)))
      equal(won.filter(Boolean).length, 1, 'winners')
      await holdsOnly(store, key, nexts[won.indexOf(true)])
    },
  },
  {
    name: 'of many who write into absence at once, one wins',
    async holds(make) {
      const store = await make()
      const key = fresh()
      const won = await Promise.all(Array.from({ length: 20 }, (_, index) => store.replace(key, undefined, record(`${index}`))))
      equal(won.filter(Boolean).length, 1, 'winners')
      equal((await store.get(key))?.value, String(won.indexOf(true)), 'value')
    },
  },
  {
    name: 'twenty writers who each count up lose no increment',
    async holds(make) {
      const store = await make()
      const key = fresh()
      await Promise.all(Array.from({ length: 20 }, async () => countUp(store, key, 5)))
      equal((await store.get(key))?.value, '100', 'count')
    },
  },
  {
    name: 'versions are compared as texts',
    async holds(make) {
      const store = await make()
      for (const [version, other] of [
        ['1', '01'],
        ['1', '1.0'],
        ['a', 'A'],
        ['a', 'a '],
        ['null', 'undefined'],
        ['é', 'e\u0301'],
        ['"', "'"],
        ['a:b.c/d+e=', 'a:b.c/d+e'],
      ] as const) {
        const key = fresh()
        const held = { version, value: 'value' }
        equal(await store.replace(key, undefined, held), true, 'replace into absence')
        equal(await store.replace(key, other, record('not this')), false, `replace of ${other} where ${version} is`)
        await holdsOnly(store, key, held)
      }
    },
  },
  {
    name: 'values of 64 KB, of every script, and the empty one come back as they went in',
    async holds(make) {
      const store = await make()
      const odd = '\u0000\t\r\n"\\\'%{}[]<>&\u007F\u00A0\u2028\uFEFF déjà vu Ελλάδα 漢字 🗝️ \u{10FFFD}'
      for (const value of ['', odd, `\uFEFF${odd}`, 'x'.repeat(65_536), '漢'.repeat(21_845)]) {
        await holdsOnly(store, ...(await put(store, fresh(), record(value))))
      }
    },
  },
  {
    name: 'keys are texts of any kind, and none is another',
    async holds(make) {
      const store = await make()
      const unique = fresh()
      const keys = [
        '',
        ' ',
        '/',
        '../',
        '*',
        '?',
        '%',
        "'",
        '"',
        '\\',
        ':',
        '{}',
        '\n',
        'é',
        'e\u0301',
        '漢字',
        '🗝️',
        '__proto__',
        'constructor',
        'A',
        'a',
      ].map((odd) => `${unique}${odd}`)
      const nexts = await Promise.all(keys.map((key) => put(store, key, record(`of ${key}`))))
      for (const [key, next] of nexts) await holdsOnly(store, key, next)
      for (const key of ['__proto__', 'constructor', 'toString']) equal((await store.get(key))?.value, undefined, key)
    },
  },
  {
    name: 'what is not to be forgotten yet is still there',
    async holds(make) {
      const store = await make()
      await holdsOnly(store, ...(await put(store, fresh(), { ...record('later'), expiresAt: Date.now() + 3_600_000 })))
    },
  },
  {
    name: 'what has expired is wholly there or wholly gone, for reading as for writing',
    async holds(make) {
      const store = await make()
      const [key] = await put(store, fresh(), { ...record('over'), expiresAt: Date.now() - 1_000 })
      const seen = await store.get(key)
      const next = record('next')
      equal(await store.replace(key, seen?.version, next), true, 'replace of what was read')
      await holdsOnly(store, key, next)
    },
  },
  {
    name: 'a polluted Object.prototype changes nothing',
    async holds(make) {
      const store = await make()
      const key = fresh()
      const next = record('clean')
      await polluted({ expiresAt: 1, version: 'polluted' }, async () => {
        equal(await store.get(key), undefined, 'get')
        equal(await store.replace(key, undefined, next), true, 'replace')
        await holdsOnly(store, key, next)
      })
      await holdsOnly(store, key, next)
    },
  },
  {
    name: 'a second handle on the same data sees what the first wrote',
    async holds(make) {
      const [one, other] = [await make(), await make()]
      const { key, held } = await written(one)
      // A store of this process alone has no second handle.
      if ((await other.get(key)) === undefined) return
      await holdsOnly(other, key, held)
      await Promise.all([countUp(one, `${key} count`, 10), countUp(other, `${key} count`, 10)])
      equal((await one.get(`${key} count`))?.value, '20', 'count')
    },
  },
  {
    name: 'a watcher is told of a write and a deletion, through its own and another handle, until it stops',
    async holds(make) {
      const [store, other] = [await make(), await make()]
      const { key } = await written(store)
      if (store.watch === undefined) return
      const handles = (await other.get(key)) === undefined ? [store] : [store, other]
      for (const next of [record('changed'), undefined, record('again')]) {
        for (const handle of handles) await tellsOf(store, key, async () => put(handle, key, next))
      }
    },
  },
]

/** Told by the change, and not told any more when it has stopped watching. */
async function tellsOf(store: Store, key: string, change: () => Promise<unknown>): Promise<void> {
  let told = 0
  const { promise, resolve } = deferred()
  const stop = store.watch?.(key, () => {
    told += 1
    resolve()
  })
  await change()
  await soon(promise, 'watch')
  stop?.()
  stop?.()
  // What was under way when it stopped may still have come.
  await turn()
  const before = told
  await put(store, key, record('unheard'))
  await turn()
  equal(told, before, 'calls after the watcher has stopped')
}

/** Tries again until it has counted that far. A store that never lets it would keep it for ever. */
async function countUp(store: Store, key: string, times: number): Promise<void> {
  let [done, tries] = [0, 0]
  while (done < times) {
    check((tries += 1) <= 2_000, 'replace of what was read: false each time')
    const held = await store.get(key)
    if (await store.replace(key, held?.version, record(String(Number(held?.value ?? 0) + 1)))) done += 1
  }
}

const record = (value: string): Versioned => ({ version: fresh(), value })

/** Puts it over whatever is there. */
async function put<N extends Versioned | undefined>(store: Store, key: string, next: N): Promise<readonly [string, N]> {
  const held = await store.get(key)
  if (held !== undefined || next !== undefined) equal(await store.replace(key, held?.version, next), true, 'replace of what was read')
  return [key, next]
}

async function written(store: Store): Promise<{ readonly key: string; readonly held: Versioned }> {
  const [key, held] = await put(store, fresh(), record('first'))
  return { key, held }
}

async function holdsOnly(store: Store, key: string, expected: Versioned | undefined): Promise<void> {
  const held = await store.get(key)
  check(held !== undefined && expected !== undefined, 'get: expected a record, got nothing')
  equal(held.version, expected.version, 'version')
  equal(held.value, expected.value, 'value')
}

async function polluted(members: Readonly<Record<string, unknown>>, run: () => Promise<void>): Promise<void> {
  const prototype = Object.prototype as unknown as Record<string, unknown>
  Object.assign(prototype, members)
  try {
    await run()
  } finally {
    for (const name of Object.keys(members)) delete prototype[name]
  }
}

function deferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = () => {}
  const promise = new Promise<void>((done) => (resolve = done))
  return { promise, resolve }
}
