// What the Fetch standard says of redirects ("HTTP-redirect fetch"), as far as it is a matter of values.

export function isRedirect(status: number): boolean {
  return status === 301 || status === 302 || status === 303 || status === 307 || status === 308
}

/** After so many the server is sending its callers round in a circle. */
export const mostRedirects = 20

/** Whether the request goes on as a GET without a body. */
export function becomesGet(status: number, method: string): boolean {
  if (status === 303) return method !== 'GET' && method !== 'HEAD'
  return (status === 301 || status === 302) && method === 'POST'
}

/** Headers that say something of a body, and go with it. */
export const bodyHeaders: readonly string[] = ['content-encoding', 'content-language', 'content-location', 'content-type', 'content-length']

/** Headers that were meant for one origin, and stay behind when a redirect leaves it. */
export const originHeaders: readonly string[] = ['cookie', 'host', 'proxy-authorization']
