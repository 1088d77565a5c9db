import { inspect } from 'node:util'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type AccessToken, accessToken } from '../../src/core/access-token.js'
import { OAuthError } from '../../src/core/errors.js'
import type { TokenOptions, TokenSource } from '../../src/core/tokens.js'
import { type OAuthFetchOptions, oauthFetch } from '../../src/oauth-fetch.js'
import { type Api, bearerOf, counting, headerOf, startApi } from './api.js'

let api: Api
beforeAll(async () => {
  api = await startApi()
})
afterAll(() => api.close())
beforeEach(() => {
  api.received.length = 0
})

const resources = () => ({ resources: [`${api.origin}/`] })
const marked = (): TokenSource => ({ token: async () => accessToken('MARKER') })

describe('where the token is', () => {
  test('F1 it is in the Authorization header, once, and nowhere else', async () => {
    await oauthFetch(marked(), resources())(`${api.origin}/x?y`, { method: 'POST', body: 'z', headers: [['x-own', '1']] })
    const [received] = api.received
    expect(received?.headers.filter(([, value]) => value.includes('MARKER'))).toEqual([
      [expect.stringMatching(/^authorization$/i), 'Bearer MARKER'],
    ])
    expect([received?.path, received?.body]).toEqual(['/x?y', 'z'])
  })

  test('F2 it goes over https, or does not leave the machine', async () => {
    const send = oauthFetch(marked(), { resources: ['https://rs.example/'], fetch: () => Promise.reject(new Error('was called')) })
    await expect(send('http://rs.example/')).rejects.toMatchObject({ code: 'resource_not_listed' })
    expect(() => oauthFetch(marked(), { resources: ['http://rs.example/'] })).toThrow(/`resources` has http:\/\/rs\.example\//)
  })

  test.for([
    ['an object', { Authorization: 'Bearer mine' }],
    ['an object in odd capitals', { AUTHORIZATION: 'Bearer mine' }],
    ['pairs', [['authorization', 'Basic x']]],
    ['Headers', new Headers({ authorization: '' })],
  ] as const)('F5 an Authorization header of the caller’s own is refused, in words that say what to do: %s', async ([, headers]) => {
    const init = { headers } as unknown as RequestInit
    const calls = [
      oauthFetch(marked(), resources())(`${api.origin}/x`, init),
      oauthFetch(marked(), resources())(new Request(`${api.origin}/x`, init)),
    ]
    for (const call of calls) {
      const error: unknown = await call.catch((reason: unknown) => reason)
      expect(error).toMatchObject({ code: 'invalid_configuration', message: expect.stringContaining('Leave the header out') })
      expect(String(error)).not.toContain('mine')
    }
    expect(api.received).toEqual([])
  })

  test('F5 the headers of an init stand in the place of a Request’s, as with fetch', async () => {
    const request = new Request(`${api.origin}/x`, { headers: { authorization: 'Bearer mine' } })
    await oauthFetch(marked(), resources())(request, { headers: { 'x-own': '1' } })
    expect(bearerOf(api.received[0])).toBe('Bearer MARKER')
  })

  test('F5 at other URLs the caller’s header is the caller’s business', async () => {
    await oauthFetch(marked(), { resources: ['https://api.example/'], otherUrls: 'pass' })(`${api.origin}/x`, {
      headers: { authorization: 'Bearer mine' },
    })
    expect(bearerOf(api.received[0])).toBe('Bearer mine')
  })

  test.for([
    ['an object', { dpop: 'x' }],
    ['pairs', [['DPoP', 'x']]],
    ['Headers', new Headers({ dpop: 'x' })],
  ] as const)('F6 a DPoP header of the caller’s own is refused: %s', async ([, headers]) => {
    const call = oauthFetch(marked(), resources())(`${api.origin}/x`, { headers } as unknown as RequestInit)
    await expect(call).rejects.toMatchObject({ code: 'invalid_configuration', message: expect.stringContaining('`dpop`') })
    expect(api.received).toEqual([])
  })

  test('F6 a token that is bound brings its own proof, for this method and address', async () => {
    const made: unknown[] = []
    const bound: AccessToken = {
      ...accessToken('x'),
      tokenType: 'DPoP',
      headersFor: async (method, url) => {
        made.push([method, String(url)])
        return { authorization: 'DPoP x', dpop: `proof ${made.length}` }
      },
      reveal: () => 'x',
    }
    const send = oauthFetch({ token: async () => bound }, resources())
    for (const headers of [undefined, { 'x-own': '1' }, new Headers({ 'x-own': '1' })]) {
      await send(`${api.origin}/x?y`, { method: 'post', ...(headers === undefined ? {} : { headers }) })
    }
    expect(api.received.map((received) => [bearerOf(received), headerOf(received, 'dpop')])).toEqual([
      ['DPoP x', 'proof 1'],
      ['DPoP x', 'proof 2'],
      ['DPoP x', 'proof 3'],
    ])
    expect(made).toEqual(Array.from({ length: 3 }, () => ['POST', `${api.origin}/x?y`]))
  })

  test.for(['MARKER\r\nX-Evil: 1', 'MARKER\u0000', 'MARKÈR', 'MARKER\n.', '–MARKER'])(
    'F16 a token that no header can carry is quoted by nobody: %j',
    async (text) => {
      for (const headers of [undefined, { a: 'b' }, new Headers({ a: 'b' })]) {
        const send = oauthFetch({ token: async () => accessToken(text) }, resources())
        const error: unknown = await send(`${api.origin}/x`, headers === undefined ? {} : { headers }).catch((reason: unknown) => reason)
        expect(error).toMatchObject({ code: 'token_response_invalid' })
        expect(inspect(error, { depth: 9, showHidden: true })).not.toMatch(/MARK/)
      }
      expect(api.received).toEqual([])
    },
  )

  test('F16 the line break at the end of a file with a token does no harm', async () => {
    await oauthFetch({ token: async () => accessToken('from-a-file\n') }, resources())(`${api.origin}/x`)
    expect(bearerOf(api.received[0])).toBe('Bearer from-a-file')
  })

  test('F16 it is in no error, and in nothing that can be printed of the function', async () => {
    const send = oauthFetch(marked(), resources())
    await send(`${api.origin}/x`)
    const errors: unknown[] = []
    for (const call of [
      send('https://evil.example/'),
      send(`${api.origin}/x`, { headers: { authorization: 'x' } }),
      send('http://127.0.0.1:1/'),
    ]) {
      errors.push(await call.catch((reason: unknown) => reason))
    }
    for (const printed of [send, marked(), ...errors]) expect(inspect(printed, { depth: 9, showHidden: true })).not.toContain('MARKER')
  })

  test('F17 it is in no address, so in no key of a cache; the caller’s cache mode is kept', async () => {
    const seen: { input: unknown; cache: unknown }[] = []
    const send = oauthFetch(marked(), {
      resources: ['https://api.example/'],
      fetch: async (input, init) => {
        seen.push({ input, cache: init?.cache })
        return new Response()
      },
    })
    await send('https://api.example/x?y#z', { cache: 'force-cache' })
    expect(seen).toEqual([{ input: 'https://api.example/x?y#z', cache: 'force-cache' }])
  })

  test('F18 it is in no cookie', async () => {
    await oauthFetch(marked(), resources())(`${api.origin}/x`)
    expect(headerOf(api.received[0], 'cookie')).toBeUndefined()
    // In Node there is no document; that a page’s stays without a cookie is shown with the browser’s tests.
  })

  test('F8 the first answer with a header that is no challenge at all is a response like another', async () => {
    api.answer = (_, response) => response.writeHead(200, { 'www-authenticate': '"'.repeat(4_000) }).end('ok')
    expect((await oauthFetch(marked(), resources())(`${api.origin}/x`)).status).toBe(200)
    api.answer = (_, response) => response.end('ok')
  })
})

describe('which token', () => {
  test('F19 each resource gets its own, and the longest path decides', async () => {
    const asked: TokenOptions[] = []
    const source: TokenSource = {
      token: async (options = {}) => {
        asked.push(options)
        return accessToken(options.resource ?? options.audience ?? options.scope?.join('+') ?? 'any')
      },
    }
    const send = oauthFetch(source, {
      resources: {
        [`${api.origin}/`]: {},
        [`${api.origin}/notes`]: { scope: ['notes:read'] },
        [`${api.origin}/notes/shared/`]: { audience: 'shared' },
        [`${api.origin}/mail`]: { resource: 'urn:mail', scope: undefined },
      },
    })
    for (const path of ['/x', '/notes', '/notes/1', '/notes/shared', '/notes/shared/1', '/mail?x', '/mailbox'])
      await send(api.origin + path)
    expect(api.received.map(bearerOf)).toEqual(
      ['any', 'notes:read', 'notes:read', 'notes:read', 'shared', 'urn:mail', 'any'].map((text) => `Bearer ${text}`),
    )
    expect(asked[5]).toEqual({ resource: 'urn:mail' })
  })

  test('F19 a list asks for what the source has', async () => {
    const source = counting()
    await oauthFetch(source, resources())(`${api.origin}/x`)
    expect(source.asked).toEqual([{}])
  })

  test('the token is asked for anew with every call', async () => {
    const source = counting()
    const send = oauthFetch(source, resources())
    await send(`${api.origin}/x`)
    await send(`${api.origin}/x`)
    expect(source.asked).toHaveLength(2)
  })
})

describe('which fetch', () => {
  test('the global one is read at the call', async () => {
    const before = globalThis.fetch
    const send = oauthFetch(marked(), { resources: ['https://api.example/'] })
    try {
      globalThis.fetch = async () => new Response('replaced')
      expect(await (await send('https://api.example/')).text()).toBe('replaced')
    } finally {
      globalThis.fetch = before
    }
  })

  test('the one that is given is called without a receiver, with an init of its own', async () => {
    const inits: (RequestInit | undefined)[] = []
    const send = oauthFetch(marked(), {
      resources: ['https://api.example/'],
      fetch: async function (this: unknown, _: unknown, init?: RequestInit) {
        expect(this).toBeUndefined()
        inits.push(init)
        return new Response('', { status: 401 })
      },
    })
    await send('https://api.example/')
    await send('https://api.example/')
    expect(inits[0]).not.toBe(inits[1])
    expect(inits[0]).toMatchObject({ redirect: 'manual' })
  })
})

describe('options are checked before any call:', () => {
  const wrong: readonly (readonly [name: string, names: string, options: unknown])[] = [
    ['no options', 'options', undefined],
    ['a list as options', 'options', []],
    ['no resources', 'resources', {}],
    ['resources as a string', 'resources', { resources: 'https://api.example/' }],
    ['an empty list', 'resources', { resources: [] }],
    ['an empty map', 'resources', { resources: {} }],
    ['an unknown option', 'resource', { resources: ['https://api.example/'], resource: 'x' }],
    ['an unknown choice', 'otherUrls', { resources: ['https://api.example/'], otherUrls: 'allow' }],
    ['a fetch that is none', 'fetch', { resources: ['https://api.example/'], fetch: 'fetch' }],
    ['a scope that is no list', 'scope', { resources: { 'https://api.example/': { scope: 'a b' } } }],
  ]
  test.for(wrong)('%s', ([, names, options]) => {
    const make = () => oauthFetch(marked(), options as OAuthFetchOptions)
    expect(make).toThrow(OAuthError)
    expect(make).toThrow(expect.objectContaining({ code: 'invalid_configuration', message: expect.stringContaining(`\`${names}\``) }))
  })

  test.for([undefined, null, {}, { token: 'x' }])('a source that is none: %j', (source) => {
    expect(() => oauthFetch(source as unknown as TokenSource, { resources: ['https://api.example/'] })).toThrow(/`source`/)
  })

  test('a polluted Object.prototype lists nothing and passes nothing', async () => {
    const polluted = Object.prototype as unknown as Record<string, unknown>
    polluted['otherUrls'] = 'pass'
    polluted['resources'] = ['https://evil.example/']
    polluted['https://evil.example/'] = {}
    polluted['x-evil'] = 'MARKER'
    try {
      await expect(oauthFetch(marked(), { resources: { 'https://api.example/': {} } })('https://evil.example/')).rejects.toMatchObject({
        code: 'resource_not_listed',
      })
      expect(() => oauthFetch(marked(), {} as OAuthFetchOptions)).toThrow(/`resources`/)
      await oauthFetch(marked(), resources())(`${api.origin}/x`, { headers: new Headers({ a: 'b' }) })
      expect(headerOf(api.received[0], 'x-evil')).toBeUndefined()
    } finally {
      for (const name of ['otherUrls', 'resources', 'https://evil.example/', 'x-evil']) delete polluted[name]
    }
  })
})
