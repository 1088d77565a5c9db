/** Whether an address is where a redirect URI leads: scheme, host and path are compared, the response adds its parameters to the rest. */
export function leadsTo(redirectUri: string, address: URL): boolean {
  const expected = parse(redirectUri)
  return (
    expected !== undefined &&
    expected.protocol === address.protocol &&
    expected.host === address.host &&
    expected.pathname === address.pathname
  )
}

/** The one `state` of a response; `undefined` where there is none, or more than one (RFC 6749 section 3.1). */
export function stateOf(response: URL): string | undefined {
  const [state, ...more] = response.searchParams.getAll('state')
  return more.length > 0 || state === '' ? undefined : state
}

/** Tokens in an address are of a flow that valetkey does not have: nobody asked for them here (RFC 10017 section 7.2). */
export function hasInjectedToken(address: URL): boolean {
  const places = [address.searchParams, new URLSearchParams(address.hash.slice(1))]
  return places.some((parameters) => parameters.has('access_token') || parameters.has('id_token'))
}

export function parse(address: string | URL): URL | undefined {
  try {
    return new URL(address)
  } catch {
    return undefined
  }
}
