import type { Store } from '../core/ports.js'

const names = new WeakMap<Store, string>()

export function namedDatabase<S extends Store>(store: S, name: string): S {
  names.set(store, name)
  return store
}

/** The name of the database of an `indexedDBStore`: another thread finds the same there. */
export function databaseOf(store: Store): string | undefined {
  return names.get(store)
}
