/**
 * The endpoint with these parameters. What its query already says is kept as it was written (RFC 6749 section 3.1), unless it
 * is one of the parameters: none is sent twice. It has no fragment.
 */
export function withParameters(endpoint: string, parameters: URLSearchParams): URL {
  const url = new URL(endpoint)
  const own = new Set(parameters.keys())
  const kept = url.search
    .slice(1)
    .split('&')
    .filter((part) => part !== '' && ![...new URLSearchParams(part).keys()].some((name) => own.has(name)))
  url.search = [...kept, parameters.toString()].join('&')
  url.hash = ''
  return url
}
