// The `state` of an authorization request that was made here: its address need not show it (RFC 9126), and who waits for the answer goes by it.

const states = new WeakMap<URL, string>()

/** Notes it down where the request is made. Returns the address. */
export function withState(url: URL, state: string): URL {
  states.set(url, state)
  return url
}

/** `undefined` for an address that was made elsewhere. */
export function stateOfRequest(url: URL): string | undefined {
  return states.get(url)
}
