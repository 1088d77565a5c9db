import type { TokenSource } from './tokens.js'

/** Makes the calls of a source whose tokens do not come here: the calls go to where the tokens are. */
export type Carrier = typeof fetch

const carriers = new WeakMap<TokenSource, Carrier>()

export function carriedBy<S extends TokenSource>(source: S, carrier: Carrier): S {
  carriers.set(source, carrier)
  return source
}

export function carrierOf(source: TokenSource): Carrier | undefined {
  return carriers.get(source)
}
