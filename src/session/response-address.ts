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
  const [state, ...more] = parametersOf(response).getAll('state')
  return more.length > 0 || state === '' ? undefined : state
}

/** Whether an address has the form of a response: a `state`, or the JWT that a signed one is. */
function isAnswer(address: URL): boolean {
  return address.searchParams.has('state') || parametersOf(address) !== address.searchParams
}

/**
 * What a response says: its address, or the JWT in it (JARM). That is not verified here: it tells which request it is for, and whoever holds that request
 * verifies it before anything of it is used.
 */
export function parametersOf({ searchParams }: URL): URLSearchParams {
  const [, payload] = /^[\w-]+\.([\w-]+)\.[\w-]*$/.exec(searchParams.get('response') ?? '') ?? []
  if (payload === undefined) return searchParams
  try {
    return new URLSearchParams(JSON.parse(atob(payload.replaceAll('-', '+').replaceAll('_', '/'))) as Record<string, string>)
  } catch {
    return new URLSearchParams()
  }
}

/** Whether there is anything in an address that a sign-in or a sign-out could have brought, or somebody else put there. */
export function mayBeResponse(address: URL): boolean {
  return isAnswer(address) || hasInjectedToken(address)
}

/** Tokens in an address are of a flow that valetkey does not have: nobody asked for them here (RFC 10017 section 7.2). */
function hasInjectedToken(address: URL): boolean {
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
