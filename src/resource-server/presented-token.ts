/** The token that a request carries, and how. */
export interface Presented {
  readonly scheme: 'Bearer' | 'DPoP'
  readonly token: string
  /** The `DPoP` header, whatever it says. */
  readonly proof: string | undefined
}

/**
 * Reads `Authorization` and nothing else: a token in the query or in the body is passed over (RFC 9700 section 4.3.2). `nothing`: there is none of
 * these schemes. `malformed`: there is, and what follows is no token, or there are two.
 */
export function presentedIn(request: Request): Presented | 'nothing' | 'malformed' {
  const header = request.headers.get('authorization') ?? ''
  const [, scheme, rest = ''] = /^(bearer|dpop)(?: +(.*))?$/i.exec(header.slice(0, longest + 1)) ?? []
  if (scheme === undefined) return 'nothing'
  if (header.length > longest || !/^[\w.~+/-]+=*$/.test(rest)) return 'malformed'
  return {
    scheme: scheme.toLowerCase() === 'dpop' ? 'DPoP' : 'Bearer',
    token: rest,
    proof: request.headers.get('dpop') ?? undefined,
  }
}

const longest = 16_384
