import { inspect } from 'node:util'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { accessToken } from '../../src/core/access-token.js'
import { OAuthError } from '../../src/core/errors.js'
import { type OAuthFact, introduce } from '../../src/core/events.js'
import type { TokenOptions } from '../../src/core/tokens.js'
import { oauthFetch } from '../../src/oauth-fetch.js'
import { systemClock } from '../../src/system-clock.js'
import { type Api, bearerOf, counting, headerOf, refuse, startApi } from './api.js'

let api: Api
let other: Api
beforeAll(async () => {
  ;[api, other] = [await startApi(), await startApi()]
})
afterAll(() => Promise.all([api.close(), other.close()]))
beforeEach(() => {
  for (const server of [api, other]) {
    server.received.length = 0
    server.answer = (_, response) => response.end('arrived')
  }
})

/** The first request is sent on; those that follow arrive. */
function redirecting(status: number, location: string, only = (path: string) => path.startsWith('/start')): void {
  api.answer = ({ path }, response) => {
    if (only(path)) response.writeHead(status, { location }).end('gone')
    else response.end('arrived')
  }
}

/** One token for each origin. */
function perOrigin() {
  const asked: TokenOptions[] = []
  const source = {
    token: async (options: TokenOptions = {}) => {
      asked.push(options)
      return accessToken(`for-${options.resource ?? 'nothing'}`)
    },
  }
  return { source, asked }
}

const statuses = [301, 302, 303, 307, 308]
const bodies: readonly (readonly [string, RequestInit])[] = [
  ['GET', {}],
  ['HEAD', { method: 'HEAD' }],
  ['POST', { method: 'POST', body: 'MARKER', headers: { 'content-type': 'text/x', 'content-language': 'de', 'x-own': '1' } }],
  ['PUT', { method: 'PUT', body: new URLSearchParams({ a: 'MARKER' }) }],
  ['DELETE', { method: 'DELETE' }],
]
const matrix = statuses.flatMap((status) => bodies.map(([name, init]) => ({ status, name, init })))

describe('a redirect to a URL that is not listed:', () => {
  test.for(matrix)('F4 $status of a $name reaches nobody', async ({ status, init }) => {
    redirecting(status, `${other.origin}/taken`)
    const send = oauthFetch(counting('MARKER-'), { resources: [`${api.origin}/`] })
    const error = await send(`${api.origin}/start`, init).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(OAuthError)
    expect(error).toMatchObject({ code: 'redirect_refused', status })
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('MARKER')
    expect(other.received).toEqual([])
    expect(api.received).toHaveLength(1)
  })

  test.for([
    ['a path outside of the prefix', '/elsewhere'],
    ['dot segments', '../x'],
    ['an encoded slash', '/start/..%2fadmin'],
    ['no scheme', '//evil.example/'],
    ['a user', 'http://user@127.0.0.1/'],
    ['no URL', 'http://'],
    ['blob', 'blob:http://127.0.0.1/x'],
    ['data', 'data:text/plain,x'],
    ['javascript', 'javascript:alert(1)'],
  ] as const)('F4 %s is not followed', async ([, location]) => {
    redirecting(302, location)
    const send = oauthFetch(counting(), { resources: [`${api.origin}/start`] })
    await expect(send(`${api.origin}/start/here`)).rejects.toMatchObject({ code: 'redirect_refused' })
    expect(api.received).toHaveLength(1)
  })

  test('F4 it is refused too where other URLs pass: the body was meant for the API', async () => {
    redirecting(307, `${other.origin}/taken`)
    const send = oauthFetch(counting(), { resources: [`${api.origin}/`], otherUrls: 'pass' })
    await expect(send(`${api.origin}/start`, { method: 'POST', body: 'x' })).rejects.toMatchObject({ code: 'redirect_refused' })
    expect(other.received).toEqual([])
  })
})

describe('a redirect to a listed URL:', () => {
  test.for(matrix)('F4 $status of a $name is followed as fetch does', async ({ status, init }) => {
    redirecting(status, '/end?x#y')
    const seen = async (send: typeof fetch) => {
      api.received.length = 0
      const response = await send(`${api.origin}/start`, init)
      const answer = { status: response.status, url: response.url, redirected: response.redirected, text: await response.text() }
      const received = api.received.map(({ method, path, headers, body }) => ({
        method,
        path,
        body,
        headers: headers.filter(([name]) => name.toLowerCase() !== 'authorization').toSorted(([one], [other]) => one.localeCompare(other)),
      }))
      return { answer, received }
    }
    const plain = await seen(fetch)
    expect(await seen(oauthFetch(counting(), { resources: [`${api.origin}/`] }))).toEqual(plain)
    expect(api.received.map(bearerOf)).toEqual(['Bearer token-1', 'Bearer token-1'])
  })

  test.for(statuses)('F4 F19 %s to another listed origin carries that origin’s token, never the first one', async (status) => {
    redirecting(status, `${other.origin}/end`)
    const { source, asked } = perOrigin()
    const send = oauthFetch(source, {
      resources: { [`${api.origin}/`]: { resource: 'urn:one' }, [`${other.origin}/`]: { resource: 'urn:two' } },
    })
    const response = await send(`${api.origin}/start`, { method: 'POST', body: 'x', headers: { cookie: 'a=b', 'x-own': '1' } })
    expect(response.redirected).toBe(true)
    expect(api.received.map(bearerOf)).toEqual(['Bearer for-urn:one'])
    expect(other.received.map(bearerOf)).toEqual(['Bearer for-urn:two'])
    expect(headerOf(other.received[0], 'cookie')).toBeUndefined()
    expect(headerOf(other.received[0], 'x-own')).toBe('1')
    expect(other.received[0]?.body).toBe(status >= 307 ? 'x' : '')
    expect(asked).toEqual([{ resource: 'urn:one' }, { resource: 'urn:two' }])
  })

  test('F4 a Request is followed with its headers and its signal', async () => {
    redirecting(302, '/end')
    const controller = new AbortController()
    const request = new Request(`${api.origin}/start`, { headers: { 'x-own': '1' }, signal: controller.signal })
    const response = await oauthFetch(counting(), { resources: [`${api.origin}/`] })(request)
    expect(await response.text()).toBe('arrived')
    expect(headerOf(api.received[1], 'x-own')).toBe('1')

    api.answer = ({ path }, answer) => {
      if (path === '/start') answer.writeHead(302, { location: '/end' }).end()
      else controller.abort(new Error('enough'))
    }
    await expect(oauthFetch(counting(), { resources: [`${api.origin}/`] })(request)).rejects.toThrow('enough')
  })

  test('F12 a body of which nothing is left is not sent on', async () => {
    redirecting(307, '/end')
    const send = oauthFetch(counting(), { resources: [`${api.origin}/`] })
    const stream = () => new Blob(['x']).stream()
    const calls = [
      send(`${api.origin}/start`, { method: 'POST', body: stream(), duplex: 'half' } as RequestInit),
      send(new Request(`${api.origin}/start`, { method: 'POST', body: 'x' })),
    ]
    for (const call of calls) await expect(call).rejects.toMatchObject({ code: 'redirect_refused', status: 307 })
    expect(api.received.map(({ path }) => path)).toEqual(['/start', '/start'])
  })

  test('F4 20 in a row are followed, the 21st is not', async () => {
    let left = 20
    api.answer = (_, response) => {
      if (left > 0) response.writeHead(302, { location: `/start/${left--}` }).end()
      else response.end('arrived')
    }
    const send = oauthFetch(counting(), { resources: [`${api.origin}/`] })
    expect(await (await send(`${api.origin}/start`)).text()).toBe('arrived')
    left = 21
    await expect(send(`${api.origin}/start`)).rejects.toMatchObject({ code: 'redirect_refused' })
  })

  test('F9 a 401 at its end is met by one renewal and one retry there; one retry in all', async () => {
    const source = counting()
    api.answer = (received, response) => {
      if (received.path === '/start') response.writeHead(302, { location: '/middle' }).end()
      else if (bearerOf(received) === 'Bearer token-1') refuse()(received, response)
      else if (received.path === '/middle') response.writeHead(307, { location: '/end' }).end()
      else refuse()(received, response)
    }
    const response = await oauthFetch(source, { resources: [`${api.origin}/`] })(`${api.origin}/start`)
    expect(response.status).toBe(401)
    expect(api.received.map(({ path }) => path)).toEqual(['/start', '/middle', '/middle', '/end'])
    expect(source.renewals).toBe(1)
  })
})

describe('what is no redirect to follow:', () => {
  test('F4 with redirect: manual the response comes as it is', async () => {
    redirecting(302, `${other.origin}/`)
    const send = oauthFetch(counting(), { resources: [`${api.origin}/`] })
    for (const call of [
      send(`${api.origin}/start`, { redirect: 'manual' }),
      send(new Request(`${api.origin}/start`, { redirect: 'manual' })),
    ]) {
      const response = await call
      expect([response.status, response.redirected]).toEqual([302, false])
    }
    expect(other.received).toEqual([])
  })

  test('F4 with redirect: error it rejects as fetch does', async () => {
    redirecting(302, '/end')
    const send = oauthFetch(counting(), { resources: [`${api.origin}/`] })
    await expect(send(`${api.origin}/start`, { redirect: 'error' })).rejects.toThrow(TypeError)
    expect(api.received).toHaveLength(1)
  })

  test.for([300, 304, 305, 306])('F7 %s with a Location is a response like another', async (status) => {
    redirecting(status, '/end')
    const response = await oauthFetch(counting(), { resources: [`${api.origin}/`] })(`${api.origin}/start`)
    expect([response.status, response.redirected]).toEqual([status, false])
  })

  test('F7 a redirect without a Location is a response like another', async () => {
    api.answer = (_, response) => response.writeHead(302).end('where?')
    const response = await oauthFetch(counting(), { resources: [`${api.origin}/`] })(`${api.origin}/start`)
    expect(await response.text()).toBe('where?')
  })

  test('F4 a redirect that a page cannot look at is refused in words that say what to do', async () => {
    const opaque = Object.defineProperties(new Response(), { type: { value: 'opaqueredirect' }, status: { value: 0 } })
    const send = oauthFetch(counting(), { resources: ['https://api.example/'], fetch: async () => opaque })
    const error: unknown = await send('https://api.example/old').catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'redirect_refused', message: expect.stringContaining('Call the final address') })
    expect(error).not.toHaveProperty('status')
    expect(await send('https://api.example/old', { redirect: 'manual' })).toBe(opaque)
  })
})

test('F3 F4 an observer is told which origin got a token and which did not', async () => {
  redirecting(302, `${other.origin}/taken`)
  const told: OAuthFact[] = []
  const source = introduce(counting(), { emit: (fact) => told.push(fact), clock: systemClock })
  const send = oauthFetch(source, { resources: [`${api.origin}/`] })
  await send(`${api.origin}/start`).catch(() => {})
  await send('https://evil.example/x').catch(() => {})
  expect(told).toEqual([
    { type: 'token_attached', origin: api.origin },
    { type: 'token_withheld', origin: other.origin },
    { type: 'token_withheld', origin: 'https://evil.example' },
  ])
})
