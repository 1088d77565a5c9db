import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { OAuthError } from '../../src/core/errors.js'
import { readResources } from '../../src/core/resource.js'

const pathOf = (resources: unknown, url: string) => readResources(resources)(new URL(url))?.path

describe('which URL belongs to which resource', () => {
  const places = ['https://a.example', 'https://b.example/v1', 'https://b.example/v1/deep/', 'https://c.example:8443/x%2Fy']
  test.for([
    ['https://a.example/', '/'],
    ['https://a.example/anything/at/all?q#h', '/'],
    ['https://b.example/', undefined],
    ['https://b.example/v1', '/v1'],
    ['https://b.example/v1/', '/v1'],
    ['https://b.example/v1?q', '/v1'],
    ['https://b.example/v1/x', '/v1'],
    ['https://b.example/v1x', undefined],
    ['https://b.example/v1%2fx', undefined],
    ['https://b.example/v1/deep', '/v1'],
    ['https://b.example/v1/deep/', '/v1/deep/'],
    ['https://b.example/v1/deep/er', '/v1/deep/'],
    ['https://b.example/v1/deep/..%2fx', undefined],
    ['https://c.example:8443/x%2Fy/z', '/x%2Fy'],
    ['https://c.example:8443/x%2fy/z', undefined],
    ['https://c.example/x%2Fy/z', undefined],
  ] as const)('F3 %s is in %s', ([url, path]) => {
    expect(pathOf(places, url)).toBe(path)
    expect(pathOf(Object.fromEntries(places.map((place) => [place, {}])), url)).toBe(path)
    expect(pathOf(places.toReversed(), url)).toBe(path)
  })

  test('F3 nothing but a URL of exactly a listed origin ever belongs to a resource', () => {
    const resourceOf = readResources(['https://api.example/v1'])
    const piece = fc.constantFrom('https://', 'http://', 'api', '.example', 'api.example', 'evil.example', '@', ':', '443', '/', '\\', 'v1', '..', '%2e', '%2f', '%5c', '%', ';', '?', '#', '.', '\t', ' ', 'blob:', '//', 'x') // prettier-ignore
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const text = pieces.join('')
        if (!URL.canParse(text)) return
        const url = new URL(text)
        if (resourceOf(url) === undefined) return
        expect([url.protocol, url.host, url.username, url.password]).toEqual(['https:', 'api.example', '', ''])
        // Whatever a server decodes, and in whatever order, it stays below the path.
        const decoded = url.pathname
          .replace(/%(?:25)*2e/gi, '.')
          .replace(/%(?:25)*(?:2f|5c)/gi, '/')
          .replace(/;[^/]*/g, '')
        expect(new URL(`https://x${decoded}`).pathname).toMatch(/^\/v1(\/|$)/)
      }),
      { numRuns: 3_000 },
    )
  })

  test('F19 the target of each is what was said of it, without what is undefined', () => {
    const resourceOf = readResources({ 'https://a.example/': { scope: ['b', 'a', 'b'], resource: undefined }, 'https://b.example/': {} })
    expect(resourceOf(new URL('https://a.example/x'))?.target).toEqual({ scope: ['b', 'a'] })
    expect(resourceOf(new URL('https://b.example/x'))?.target).toEqual({})
  })
})

describe('what may be listed', () => {
  test.for([
    'https://a.example',
    'HTTPS://A.example:443/',
    'http://127.0.0.1:1',
    'http://127.9.9.9/x',
    'http://[::1]:8080/',
    'http://localhost:3000/v1',
    'https://bücher.example/',
    'https://a.example/@x/y:z',
  ])('a URL over https, or on this machine: %s', (url) => {
    expect(pathOf([url], url)).toBe(new URL(url).pathname)
  })

  test.for([
    ['http', 'http://a.example/'],
    ['http on a name that looks like loopback', 'http://127.0.0.1.example/'],
    ['http on a subdomain of localhost', 'http://x.localhost/'],
    ['http on another machine of the network', 'http://192.168.0.1/'],
    ['http on the unspecified address', 'http://0.0.0.0/'],
    ['a query', 'https://a.example/?x'],
    ['an empty query', 'https://a.example/?'],
    ['a fragment', 'https://a.example/#x'],
    ['an empty fragment', 'https://a.example/#'],
    ['a user', 'https://user@a.example/'],
    ['a user and a password', 'https://user:password@a.example/'],
    ['an empty user', 'https://@a.example/'],
    ['a wildcard', 'https://*.example/'],
    ['a trailing dot', 'https://a.example./'],
    ['white space', ' https://a.example/'],
    ['a tab inside', 'https://a.exa\tmple/'],
    ['a zero byte', 'https://a.example/\u0000'],
    ['backslashes', 'https:\\\\a.example\\'],
    ['no slashes', 'https:a.example'],
    ['a path only', '/v1'],
    ['no scheme', '//a.example/'],
    ['a host only', 'a.example'],
    ['nothing', ''],
    ['another scheme', 'wss://a.example/'],
    ['blob', 'blob:https://a.example/x'],
    ['a path that climbs', 'https://a.example/v1/..%2f'],
    ['no host', 'https:///x'],
    ['a port that is none', 'https://a.example:99999/'],
  ] as const)('F2 F3 not %s', ([, url]) => {
    for (const resources of [[url], ['https://good.example/', url], { [url]: {} }]) {
      expect(() => readResources(resources)).toThrow(OAuthError)
      expect(() => readResources(resources)).toThrow(
        expect.objectContaining({ code: 'invalid_configuration', message: expect.stringContaining('`resources`') }),
      )
    }
  })

  test.for([
    undefined,
    null,
    'https://a.example/',
    1,
    [],
    {},
    [undefined],
    [null],
    [1],
    [{}],
    [['https://a.example/']],
    [new URL('https://a.example/')],
  ])('nor what is no list of texts: %j', (resources) => {
    expect(() => readResources(resources)).toThrow(/`resources`/)
  })

  test('one URL in two spellings is refused where each could say something else, and harmless in a list', () => {
    expect(() => readResources({ 'https://a.example': {}, 'https://a.example/': { scope: ['a'] } })).toThrow(/twice/)
    expect(pathOf(['https://a.example', 'https://a.example:443/'], 'https://a.example/x')).toBe('/')
  })

  test.for([
    ['scope', { scope: 'a b' }],
    ['scope', { scope: ['a b'] }],
    ['resource', { resource: '/x' }],
    ['resource', { resource: 'https://a.example/#x' }],
    ['audience', { audience: '' }],
    ['scopes', { scopes: [] }],
  ] as const)('a target with a wrong %s is refused by its name', ([name, target]) => {
    expect(() => readResources({ 'https://a.example/': target })).toThrow(name)
  })

  test('a text that may hold a token by mistake is not repeated', () => {
    expect(() => readResources(['https://user:MARKER@a.example/'])).toThrow(expect.not.stringContaining('MARKER'))
    expect(() => readResources(['https://a.example/?token=MARKER'])).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('MARKER') }),
    )
  })
})
