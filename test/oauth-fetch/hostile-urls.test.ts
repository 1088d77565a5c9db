import { describe, expect, test } from 'vitest'
import { accessToken } from '../../src/core/access-token.js'
import { OAuthError } from '../../src/core/errors.js'
import { oauthFetch } from '../../src/oauth-fetch.js'

const resources = [
  'https://api.example/',
  'https://paths.example/v1',
  'https://slash.example/v1/',
  'http://127.0.0.1:8080/',
  'https://[2001:db8::1]:8443/',
]

/** None of these may get a token. The name says what it tries. */
const hostile: readonly (readonly [name: string, url: string])[] = [
  ['another origin', 'https://evil.example/'],
  ['http in the place of https', 'http://api.example/'],
  ['http on the port of https', 'http://api.example:443/'],
  ['another port', 'https://api.example:8443/'],
  ['port 80', 'https://api.example:80/'],
  ['the listed host as user', 'https://api.example@evil.example/'],
  ['the listed host as user and password', 'https://api.example:443@evil.example/'],
  ['the listed origin as user', 'https://api.example%2F@evil.example/'],
  ['a user at the listed host', 'https://someone@api.example/'],
  ['a password at the listed host', 'https://:secret@api.example/'],
  ['a backslash before the at sign', 'https://evil.example\\@api.example/'],
  ['a slash before the at sign', 'https://evil.example/@api.example/'],
  ['a question mark before the at sign', 'https://evil.example?@api.example/'],
  ['a hash before the at sign', 'https://evil.example#@api.example/'],
  ['the listed host as suffix', 'https://notapi.example/'],
  ['the listed host as prefix', 'https://api.example.evil.example/'],
  ['the listed host as subdomain label', 'https://api.example-evil.example/'],
  ['a subdomain', 'https://x.api.example/'],
  ['the parent domain', 'https://example/'],
  ['a trailing dot', 'https://api.example./'],
  ['two trailing dots', 'https://api.example../'],
  ['an encoded trailing dot', 'https://api.example%2E/'],
  ['a full stop of another script at the end', 'https://api.example。/'],
  ['a Cyrillic letter', 'https://аpi.example/'],
  ['its punycode', 'https://xn--pi-7kc.example/'],
  ['a Greek letter', 'https://api.exαmple/'],
  ['an i without dot', 'https://apı.example/'],
  ['a host with a zero byte', 'https://api.example%00.evil.example/'],
  ['a host with an encoded at sign', 'https://api.example%40evil.example/'],
  ['a host with an encoded slash', 'https://api.example%2F.evil.example/'],
  ['an underscore', 'https://api_example/'],
  ['a line break in the host', 'https://api.exam\nple.evil.example/'],
  ['a tab after the scheme', 'https:\t//evil.example/'],
  ['no scheme', '//api.example/'],
  ['no scheme, another host', '//evil.example/'],
  ['backslashes in the place of slashes', '\\\\evil.example\\'],
  ['backslashes after the scheme', 'https:\\\\evil.example/'],
  ['three slashes', 'https:///evil.example/'],
  ['one slash', 'https:/evil.example/'],
  ['no slash', 'https:evil.example/'],
  ['a path', '/notes'],
  ['a path with a tab', '/\t/evil.example/'],
  ['a path with a backslash', '/\\evil.example/'],
  ['nothing', ''],
  ['blob', 'blob:https://api.example/9e6a1a3a-95c1-4c6d-8b0e-4f3f1e2a6b11'],
  ['data', 'data:text/plain,https://api.example/'],
  ['javascript', 'javascript:fetch("https://api.example/")'],
  ['file', 'file://api.example/etc/passwd'],
  ['ftp', 'ftp://api.example/'],
  ['websocket', 'wss://api.example/'],
  ['filesystem', 'filesystem:https://api.example/temporary/x'],
  ['view-source', 'view-source:https://api.example/'],
  ['about', 'about:blank'],
  ['a scheme that begins alike', 'httpss://api.example/'],
  ['a border inside a segment', 'https://paths.example/v10'],
  ['a path beside the prefix', 'https://paths.example/v2/x'],
  ['the prefix in another case', 'https://paths.example/V1/x'],
  ['the prefix with an encoded letter', 'https://paths.example/%761/x'],
  ['the prefix after two slashes', 'https://paths.example//v1/x'],
  ['the prefix without its slash', 'https://slash.example/v1'],
  ['dot segments out of the prefix', 'https://paths.example/v1/../admin'],
  ['encoded dot segments out of the prefix', 'https://paths.example/v1/%2e%2E/admin'],
  ['half encoded dot segments', 'https://paths.example/v1/.%2e/admin'],
  ['dots and an encoded slash', 'https://paths.example/v1/..%2fadmin'],
  ['an encoded slash on both sides', 'https://paths.example/v1/x%2F..%2F..%2Fadmin'],
  ['dots and an encoded backslash', 'https://paths.example/v1/..%5cadmin'],
  ['all encoded', 'https://paths.example/v1/%2e%2e%2fadmin'],
  ['encoded twice', 'https://paths.example/v1/%252e%252e%252fadmin'],
  ['encoded three times', 'https://paths.example/v1/..%25252fadmin'],
  ['dots and a path parameter', 'https://paths.example/v1/..;/admin'],
  ['dots and an encoded path parameter', 'https://paths.example/v1/..%3bx/admin'],
  ['dots at the end', 'https://paths.example/v1/x%2f..'],
  ['the prefix and an encoded slash', 'https://paths.example/v1%2fx'],
  ['loopback on another port', 'http://127.0.0.1:8081/'],
  ['loopback by another number', 'http://127.0.0.2:8080/'],
  ['loopback by name', 'http://localhost:8080/'],
  ['loopback in IPv6', 'http://[::1]:8080/'],
  ['IPv6 on another port', 'https://[2001:db8::1]/'],
  ['IPv6 with IPv4 inside', 'https://[::ffff:127.0.0.1]:8443/'],
]

/** What fetch was called with, and how often a token was asked for. */
function watched(otherUrls: 'refuse' | 'pass') {
  const calls: { input: unknown; headers: Headers }[] = []
  let asked = 0
  const send = oauthFetch(
    {
      token: async () => {
        asked += 1
        return accessToken('MARKER')
      },
    },
    {
      resources,
      otherUrls,
      fetch: async (input, init) => {
        calls.push({ input, headers: new Headers(init?.headers) })
        return new Response()
      },
    },
  )
  return { send, calls, asked: () => asked }
}

const code = (error: unknown) => (error instanceof OAuthError ? error.code : error)

describe('a URL that is not listed gets no token:', () => {
  test('there are at least 60 hostile URLs', () => {
    expect(new Set(hostile.map(([, url]) => url)).size).toBe(hostile.length)
    expect(hostile.length).toBeGreaterThanOrEqual(60)
  })

  test.for(hostile)('F3 %s', async ([, url]) => {
    const { send, calls, asked } = watched('refuse')
    expect(await send(url).catch(code)).toBe('resource_not_listed')
    for (const input of asObjects(url)) expect(await send(input).catch(code)).toBe('resource_not_listed')
    expect(calls).toEqual([])
    expect(asked()).toBe(0)
  })

  test.for(hostile)('F3 passed on: %s', async ([, url]) => {
    const { send, calls, asked } = watched('pass')
    const inputs: (string | URL | Request)[] = [url, ...asObjects(url)]
    for (const input of inputs) await send(input)
    // As it came, and nothing with it.
    expect(calls.map(({ input }) => input)).toEqual(inputs)
    expect(calls.flatMap(({ headers }) => [...headers])).toEqual([])
    expect(asked()).toBe(0)
  })

  test.for(hostile)('F3 relative to a page of the listed origin: %s', async ([, url]) => {
    const page = globalThis as { location?: unknown }
    page.location = { href: 'https://api.example/app/' }
    try {
      const { send, calls } = watched('refuse')
      await send(url).catch(() => {})
      // Some are paths of the page’s own origin there, and then that is what is called: the address that was checked.
      for (const { input } of calls) expect(new URL(String(input)).origin).toBe('https://api.example')
    } finally {
      delete page.location
    }
  })
})

function asObjects(url: string): (URL | Request)[] {
  const objects: (URL | Request)[] = []
  if (!URL.canParse(url)) return objects
  objects.push(new URL(url))
  try {
    objects.push(new Request(url))
  } catch {
    // fetch itself takes no such Request.
  }
  return objects
}

describe('a URL that is listed gets one:', () => {
  test.for([
    ['the origin', 'https://api.example'],
    ['in capitals', 'HTTPS://API.EXAMPLE/'],
    ['with its own port', 'https://api.example:443/'],
    ['any path of a whole origin', 'https://api.example/a/..%2fb'],
    ['an at sign in the path', 'https://api.example/@evil.example/'],
    ['with a query and a fragment', 'https://api.example/?https://evil.example/#x'],
    ['the path itself', 'https://paths.example/v1'],
    ['the path with a query', 'https://paths.example/v1?x=../y'],
    ['below the path', 'https://paths.example/v1/x'],
    ['an encoded slash that stays below', 'https://paths.example/v1/projects/group%2Fproject'],
    ['an encoded dot that is part of a name', 'https://paths.example/v1/a%2e%2eb'],
    ['dot segments that come back', 'https://paths.example/x/../v1/y'],
    ['below a path with a slash', 'https://slash.example/v1/'],
    ['loopback', 'http://127.0.0.1:8080/x'],
    ['loopback in other words', 'http://0x7f.1:8080/x'],
    ['IPv6', 'https://[2001:DB8:0::1]:8443/'],
  ] as const)('F3 %s', async ([, url]) => {
    const { send, calls } = watched('refuse')
    for (const input of [url, new URL(url), new Request(url)]) await send(input)
    expect(calls.map(({ headers }) => headers.get('authorization'))).toEqual(['Bearer MARKER', 'Bearer MARKER', 'Bearer MARKER'])
  })

  test('F3 an object that only looks like a Request is called by what it prints', async () => {
    const { send, calls } = watched('refuse')
    const twoFaced = { url: 'https://api.example/', headers: new Headers(), toString: () => 'https://evil.example/' }
    expect(await send(twoFaced as unknown as Request).catch(code)).toBe('resource_not_listed')
    let turn = 0
    const fickle = { toString: () => ['https://api.example/', 'https://evil.example/'][turn++] ?? '' }
    await send(fickle as unknown as string)
    expect(calls.map(({ input }) => input)).toEqual(['https://api.example/'])
  })

  test('F3 an address is remembered with what it belongs to, and only so many of them', async () => {
    const { send, calls } = watched('refuse')
    for (let round = 0; round < 2; round += 1) {
      for (let at = 0; at < 200; at += 1) {
        await send(`https://api.example/${at}`)
        expect(await send(`https://evil.example/${at}`).catch(code)).toBe('resource_not_listed')
      }
    }
    expect(calls).toHaveLength(400)
  })
})
