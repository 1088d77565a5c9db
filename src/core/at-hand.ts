import type { Store, Versioned } from './ports.js'

/** What a store of this very process holds, told in this very turn: to look there costs no promise, and nobody can write in between. */
export type Peek = (key: string) => Versioned | undefined

const peeks = new WeakMap<Store, Peek>()

/** Says of a store that it is in this process's memory. */
export function atHand<S extends Store>(store: S, peek: Peek): S {
  peeks.set(store, peek)
  return store
}

/** `undefined` for a store that is anywhere else, and must be asked. */
export function peekOf(store: Store): Peek | undefined {
  return peeks.get(store)
}
