import { Readable } from 'node:stream'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { oauthFetch } from '../../src/oauth-fetch.js'
import { type Api, type Received, bearerOf, counting, startApi } from './api.js'

let api: Api
beforeAll(async () => {
  api = await startApi()
})
afterAll(() => api.close())
beforeEach(() => {
  api.received.length = 0
})

type Shape = { readonly name: string; readonly call: (send: typeof fetch, at: string) => Promise<Response> }

const bytes = new Uint8Array([0, 1, 2, 253, 254, 255])
const stream = () =>
  new ReadableStream({
    start(controller) {
      controller.enqueue(bytes)
      controller.enqueue(new TextEncoder().encode('and more'))
      controller.close()
    },
  })
const form = () => {
  const data = new FormData()
  data.set('note', 'hello')
  data.set('file', new File([bytes], 'a.bin', { type: 'application/octet-stream' }))
  return data
}
const half = { duplex: 'half' } as RequestInit

const shapes: readonly Shape[] = [
  { name: 'a string', call: (send, at) => send(`${at}/a`) },
  { name: 'a string with a query and a fragment', call: (send, at) => send(`${at}/a?b=c&d=%20#e`) },
  { name: 'a string with spaces around it', call: (send, at) => send(`  ${at}/a \n`) },
  { name: 'a string with dot segments', call: (send, at) => send(`${at}/a/../b/%2e%2e/c`) },
  { name: 'a URL', call: (send, at) => send(new URL(`${at}/ä?ö`)) },
  { name: 'an object that prints as a URL', call: (send, at) => send({ toString: () => `${at}/printed` } as unknown as string) },
  { name: 'an empty init', call: (send, at) => send(`${at}/a`, {}) },
  { name: 'a method in lower case', call: (send, at) => send(`${at}/a`, { method: 'put', body: 'x' }) },
  { name: 'a method of its own', call: (send, at) => send(`${at}/a`, { method: 'PROPFIND' }) },
  { name: 'patch in lower case', call: (send, at) => send(`${at}/a`, { method: 'PATCH', body: 'x' }) },
  { name: 'HEAD', call: (send, at) => send(`${at}/a`, { method: 'HEAD' }) },
  { name: 'DELETE without a body', call: (send, at) => send(`${at}/a`, { method: 'DELETE' }) },
  { name: 'OPTIONS', call: (send, at) => send(`${at}/a`, { method: 'OPTIONS' }) },
  { name: 'POST without a body', call: (send, at) => send(`${at}/a`, { method: 'POST' }) },
  { name: 'POST of null', call: (send, at) => send(`${at}/a`, { method: 'POST', body: null }) },
  { name: 'a string body', call: (send, at) => send(`${at}/a`, { method: 'POST', body: 'hällo' }) },
  { name: 'an empty string body', call: (send, at) => send(`${at}/a`, { method: 'POST', body: '' }) },
  { name: 'URLSearchParams', call: (send, at) => send(`${at}/a`, { method: 'POST', body: new URLSearchParams({ a: 'b c', d: 'é' }) }) },
  { name: 'a Blob with a type', call: (send, at) => send(`${at}/a`, { method: 'POST', body: new Blob([bytes], { type: 'image/png' }) }) },
  { name: 'a Blob without a type', call: (send, at) => send(`${at}/a`, { method: 'POST', body: new Blob([bytes]) }) },
  { name: 'FormData', call: (send, at) => send(`${at}/a`, { method: 'POST', body: form() }) },
  { name: 'an ArrayBuffer', call: (send, at) => send(`${at}/a`, { method: 'POST', body: bytes.slice().buffer }) },
  { name: 'a view of a part', call: (send, at) => send(`${at}/a`, { method: 'POST', body: bytes.subarray(2, 4) }) },
  { name: 'a DataView', call: (send, at) => send(`${at}/a`, { method: 'POST', body: new DataView(bytes.slice().buffer, 1, 3) }) },
  { name: 'a stream', call: (send, at) => send(`${at}/a`, { ...half, method: 'POST', body: stream() }) },
  {
    name: 'a Node stream',
    call: (send, at) => send(`${at}/a`, { ...half, method: 'POST', body: Readable.from(['a', 'b']) as unknown as BodyInit }),
  },
  { name: 'a stream without duplex', call: (send, at) => send(`${at}/a`, { method: 'POST', body: stream() }) },
  { name: 'a body with GET', call: (send, at) => send(`${at}/a`, { body: 'x' }) },
  {
    name: 'headers as an object',
    call: (send, at) => send(`${at}/a`, { method: 'POST', body: '{}', headers: { 'Content-Type': 'application/json', 'X-One': '1' } }),
  },
  {
    name: 'headers as pairs, one of them twice',
    call: (send, at) =>
      send(`${at}/a`, {
        headers: [
          ['X-One', '1'],
          ['X-One', '2'],
          ['accept', 'a/b'],
        ],
      }),
  },
  { name: 'headers as Headers', call: (send, at) => send(`${at}/a`, { headers: new Headers({ 'X-One': '1', Accept: 'a/b' }) }) },
  { name: 'headers as a Map', call: (send, at) => send(`${at}/a`, { headers: new Map([['x-one', '1']]) as unknown as HeadersInit }) },
  { name: 'a header that is no header', call: (send, at) => send(`${at}/a`, { headers: { 'x one': '1' } }) },
  { name: 'a Request', call: (send, at) => send(new Request(`${at}/a`, { headers: { 'X-One': '1' } })) },
  {
    name: 'a Request with a string body',
    call: (send, at) => send(new Request(`${at}/a`, { method: 'POST', body: 'hällo' })),
  },
  { name: 'a Request with FormData', call: (send, at) => send(new Request(`${at}/a`, { method: 'POST', body: form() })) },
  {
    name: 'a Request with a stream',
    call: (send, at) => send(new Request(`${at}/a`, { ...half, method: 'POST', body: stream() })),
  },
  {
    name: 'a Request and an init that wins',
    call: (send, at) =>
      send(new Request(`${at}/a`, { method: 'POST', body: 'old', headers: { 'X-One': '1' } }), {
        method: 'PUT',
        body: 'new',
        headers: { 'X-Two': '2' },
      }),
  },
  {
    name: 'a Request and an init with a body only',
    call: (send, at) => send(new Request(`${at}/a`, { method: 'POST', body: form() }), { body: 'new' }),
  },
  {
    name: 'a Request with a referrer',
    call: (send, at) => send(new Request(`${at}/a`, { referrer: `${at}/from?here` })),
  },
  {
    name: 'a Request with a referrer that is to be shortened',
    call: (send, at) => send(new Request(`${at}/a`, { referrer: `${at}/from?here`, referrerPolicy: 'origin' })),
  },
  {
    name: 'a Request with a referrer and an empty init',
    call: (send, at) => send(new Request(`${at}/a`, { referrer: `${at}/from?here` }), { signal: undefined as unknown as AbortSignal }),
  },
  {
    name: 'a Request with a referrer and an init that makes fetch forget it',
    call: (send, at) => send(new Request(`${at}/a`, { referrer: `${at}/from?here` }), { method: 'DELETE' }),
  },
  { name: 'a Request that was used', call: async (send, at) => send(await used(new Request(`${at}/a`, { method: 'POST', body: 'x' }))) },
  {
    name: 'a Request as init',
    call: (send, at) => send(`${at}/b`, new Request(`${at}/a`, { method: 'POST', body: 'x', headers: { 'X-One': '1' } })),
  },
  { name: 'keepalive and cache', call: (send, at) => send(`${at}/a`, { keepalive: true, cache: 'no-store', credentials: 'omit' }) },
  { name: 'an aborted signal', call: (send, at) => send(`${at}/a`, { signal: AbortSignal.abort(new Error('no longer wanted')) }) },
  { name: 'a Request with an aborted signal', call: (send, at) => send(new Request(`${at}/a`, { signal: AbortSignal.abort() })) },
  {
    name: 'a Request with an aborted signal and an init without one',
    call: (send, at) => send(new Request(`${at}/a`, { signal: AbortSignal.abort() }), { signal: null }),
  },
]

async function used(request: Request): Promise<Request> {
  await request.text()
  return request
}

/** What came of a call, on both sides; boundaries of multipart bodies are drawn by lot. */
async function outcome(shape: Shape, send: typeof fetch): Promise<unknown> {
  api.received.length = 0
  const answer = await shape.call(send, api.origin).then(
    async (response) => ({ status: response.status, url: response.url, redirected: response.redirected, text: await response.text() }),
    (error: Error) => ({ rejected: error.name, message: error.message }),
  )
  return { answer, received: api.received.map(withoutToken) }
}

function withoutToken({ method, path, headers, body }: Received): Received {
  const boundary = /boundary=(\S+)/.exec(headers.find(([name]) => name.toLowerCase() === 'content-type')?.[1] ?? '')?.[1]
  const plain = (text: string) => (boundary === undefined ? text : text.replaceAll(boundary, 'BOUNDARY'))
  return {
    method,
    path,
    headers: headers.filter(([name]) => name.toLowerCase() !== 'authorization').map(([name, value]) => [name, plain(value)] as const),
    body: plain(body),
  }
}

describe('what the API receives is what fetch would send, byte for byte but for the token:', () => {
  test('there are at least 40 shapes of request', () => {
    expect(shapes.length).toBeGreaterThanOrEqual(40)
  })

  test.for(shapes)('F14 $name', async (shape) => {
    const plain = await outcome(shape, fetch)
    expect(await outcome(shape, oauthFetch(counting(), { resources: [`${api.origin}/`] }))).toEqual(plain)
    for (const received of api.received) expect(bearerOf(received)).toBe('Bearer token-1')
  })
})

describe('a page’s relative address', () => {
  test('F14 is read as fetch reads it there: against the page, and by the page’s base', async () => {
    const send = oauthFetch(counting(), { resources: [`${api.origin}/app/`] })
    const page = globalThis as { location?: unknown; document?: unknown }
    try {
      page.location = { href: `${api.origin}/app/page?x` }
      await send('notes')
      page.document = { baseURI: `${api.origin}/app/deep/` }
      await send('notes')
      // A form field named baseURI, put there by someone's markup.
      page.document = { baseURI: { toString: () => 'https://evil.example/' } }
      await send('/app/notes?y')
      await expect(send('../notes')).rejects.toMatchObject({ code: 'resource_not_listed' })
    } finally {
      delete page.location
      delete page.document
    }
    expect(api.received.map(({ path }) => path)).toEqual(['/app/notes', '/app/deep/notes', '/app/notes?y'])
  })

  test('F14 is no URL where there is no page', async () => {
    await expect(oauthFetch(counting(), { resources: [`${api.origin}/`] })('/notes')).rejects.toMatchObject({ code: 'resource_not_listed' })
  })
})

describe('everything else', () => {
  test('F14 a Request without a body can be used again', async () => {
    const send = oauthFetch(counting(), { resources: [`${api.origin}/`] })
    const request = new Request(`${api.origin}/again`)
    await send(request)
    await send(request)
    expect(api.received).toHaveLength(2)
  })

  test('F14 what the caller does to its objects while the token is awaited changes nothing', async () => {
    const send = oauthFetch(counting(), { resources: [`${api.origin}/`] })
    const url = new URL(`${api.origin}/first`)
    const headers = new Headers({ 'x-one': '1' })
    const init: RequestInit = { method: 'POST', body: 'x', headers }
    const answer = send(url, init)
    url.href = 'https://evil.example/'
    headers.set('x-one', 'changed')
    init.body = 'changed'
    await answer
    expect(withoutToken(api.received[0] as Received)).toMatchObject({ path: '/first', body: 'x', method: 'POST' })
    expect(api.received[0]?.headers.find(([name]) => name === 'x-one')?.[1]).toBe('1')
  })

  test('F14 the caller’s objects are left as they were', async () => {
    const headers = { 'x-one': '1' }
    const init: RequestInit = { headers }
    await oauthFetch(counting(), { resources: [`${api.origin}/`] })(`${api.origin}/a`, init)
    expect(init).toEqual({ headers: { 'x-one': '1' } })
    expect(Object.keys(init)).toEqual(['headers'])
  })

  test('F15 an abort on the way rejects with the signal’s reason', async () => {
    const controller = new AbortController()
    api.answer = () => controller.abort(new Error('enough'))
    try {
      const answer = oauthFetch(counting(), { resources: [`${api.origin}/`] })(`${api.origin}/slow`, { signal: controller.signal })
      await expect(answer).rejects.toThrow('enough')
    } finally {
      api.answer = (_, response) => response.end('ok')
    }
  })

  test('F7 the function is a fetch', () => {
    const asFetch: typeof fetch = oauthFetch(counting(), { resources: ['https://api.example/'] })
    expect(asFetch).toBeTypeOf('function')
  })
})
