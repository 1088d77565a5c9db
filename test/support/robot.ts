import type { UserAgent } from '../../src/core/ports.js'

/** A user agent without a screen: follows the redirects of an authorization server that signs users in by itself, with cookies of its own. */
export function robot(options: { readonly redirectUri: string; readonly onRequest?: (url: URL) => void }): UserAgent {
  const cookies = new Map<string, string>()
  return {
    async authorize(request, { signal } = {}) {
      let url = await request(options.redirectUri)
      options.onRequest?.(url)
      for (let hop = 0; hop < 20; hop++) {
        if (url.href.startsWith(options.redirectUri)) return url
        url = await step(url, cookies, signal)
      }
      throw new Error(`The robot went round in circles, at last at ${url.origin}${url.pathname}`)
    },
  }
}

async function step(url: URL, cookies: Map<string, string>, signal: AbortSignal | undefined): Promise<URL> {
  const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  const response = await fetch(url, { redirect: 'manual', headers: { cookie }, ...(signal === undefined ? {} : { signal }) })
  for (const line of response.headers.getSetCookie()) {
    const [pair = ''] = line.split(';')
    cookies.set(pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1))
  }
  const location = response.headers.get('location')
  if (location === null)
    throw new Error(
      `The robot stands before a page it cannot read: ${response.status} ${url.pathname} ${(await response.text()).slice(0, 300)}`,
    )
  return new URL(location, url)
}
