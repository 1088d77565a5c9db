// Addresses as people write them into options and servers into documents: read strictly, so that what is checked is what is used.

/** `scheme://authority…` without user, white space or backslash. The URL parser would repair such a text, and then it is another one. */
const plainlyWritten = /^[a-z][a-z\d+.-]*:\/\/[^\s\p{Cc}\\/?#@]+(?:[/?#][^\s\p{Cc}\\]*)?$/iu

/** The http(s) URL that this text is, if it is absolute and plainly written. */
export function parseAddress(text: unknown): URL | undefined {
  if (typeof text !== 'string' || !plainlyWritten.test(text)) return undefined
  const url = parseUrl(text)
  return url !== undefined && isHttp(url) ? url : undefined
}

/** What the URL parser makes of a text; `undefined` where it can make nothing of it. */
export function parseUrl(text: string, base?: string | URL): URL | undefined {
  try {
    return new URL(text, base)
  } catch {
    return undefined
  }
}

/** The scheme is looked at, never the origin alone: that of `blob:https://app.example/…` is `https://app.example`. */
export function isHttp(url: URL): boolean {
  return url.protocol === 'https:' || url.protocol === 'http:'
}

/** https, or http where it does not leave the machine (OAuth 2.1 section 1.5). */
export function isSecure(url: URL): boolean {
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname))
}

/** Whether the host, as the URL parser writes it, is this machine (RFC 8252 section 7.3; `localhost` by RFC 6761 section 6.3). */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname)
}
