import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { accessToken } from '../../src/core/access-token.js'
import { challengeOf } from '../../src/core/challenge.js'
import { OAuthError } from '../../src/core/errors.js'
import { type OAuthFact, introduce } from '../../src/core/events.js'
import type { TokenSource } from '../../src/core/tokens.js'
import { oauthFetch } from '../../src/oauth-fetch.js'
import { type Api, type Received, bearerOf, counting, refuse, startApi } from './api.js'

let api: Api
beforeAll(async () => {
  api = await startApi()
})
afterAll(() => api.close())
beforeEach(() => {
  api.received.length = 0
  refuseAll(['Bearer token-1'])
})

/** The API refuses these tokens and takes all others. */
function refuseAll(tokens: readonly string[], challenge?: string): void {
  api.answer = (received, response) => {
    if (tokens.includes(bearerOf(received) ?? '')) refuse(challenge)(received, response)
    else response.end('ok')
  }
}

const resources = () => ({ resources: [`${api.origin}/`] })

describe('a 401 is met by one renewal and one retry:', () => {
  const repeatable: readonly (readonly [string, RequestInit])[] = [
    ['no body', {}],
    ['null', { method: 'POST', body: null }],
    ['a string', { method: 'POST', body: 'BODY' }],
    ['URLSearchParams', { method: 'POST', body: new URLSearchParams({ a: 'BODY' }) }],
    ['a Blob', { method: 'POST', body: new Blob(['BODY']) }],
    ['a File', { method: 'POST', body: new File(['BODY'], 'a') }],
    ['FormData', { method: 'POST', body: form() }],
    ['an ArrayBuffer', { method: 'POST', body: new TextEncoder().encode('BODY').buffer }],
    ['a view', { method: 'POST', body: new TextEncoder().encode('BODY') }],
    ['a DataView', { method: 'POST', body: new DataView(new TextEncoder().encode('BODY').buffer) }],
  ]
  test.for(repeatable)('F9 F12 %s is sent again', async ([, init]) => {
    const source = counting()
    const response = await oauthFetch(source, resources())(`${api.origin}/x`, init)
    expect(response.status).toBe(200)
    expect(api.received.map(bearerOf)).toEqual(['Bearer token-1', 'Bearer token-2'])
    const [first, second] = api.received.map(({ body }) => body.replaceAll(/form[\w-]*\d{5,}|-{4,}\S*/g, ''))
    expect(second).toBe(first)
    expect(source.renewals).toBe(1)
  })

  test('F9 a Request without a body is sent again', async () => {
    const request = new Request(`${api.origin}/x`, { headers: { 'x-own': '1' } })
    expect((await oauthFetch(counting(), resources())(request)).status).toBe(200)
    expect(api.received.map(bearerOf)).toEqual(['Bearer token-1', 'Bearer token-2'])
  })

  const once: readonly (readonly [string, () => [string | Request, RequestInit?]])[] = [
    ['a stream', () => [`${api.origin}/x`, { method: 'POST', body: new Blob(['BODY']).stream(), duplex: 'half' } as RequestInit]],
    ['a Request’s body', () => [new Request(`${api.origin}/x`, { method: 'POST', body: 'BODY' })]],
    ['an iterable', () => [`${api.origin}/x`, { method: 'POST', body: pieces() as unknown as BodyInit, duplex: 'half' } as RequestInit]],
  ]
  test.for(once)('F12 %s is not: its 401 comes back as it came, and nothing is renewed', async ([, make]) => {
    const source = counting()
    const response = await oauthFetch(source, resources())(...make())
    expect(response.status).toBe(401)
    expect(await response.text()).toBe('refused')
    expect(api.received.map(({ body }) => body)).toEqual(['BODY'])
    expect(source.renewals).toBe(0)
  })

  test.for([
    ['invalid_token', 'Bearer realm="x", error="invalid_token"', 2],
    ['F8 among other challenges, in capitals', 'Basic realm="a, Bearer error=\\"x\\"", bearer ERROR="invalid_token"', 2],
    ['a challenge without an error', 'Bearer realm="x"', 2],
    ['an empty challenge', '', 2],
    ['one that cannot be read', '=,"', 2],
    ['insufficient_user_authentication', 'Bearer error="insufficient_user_authentication", acr_values="high"', 1],
    ['insufficient_scope', 'Bearer error="insufficient_scope", scope="more"', 1],
    ['invalid_request', 'Bearer error="invalid_request"', 1],
    ['another scheme only', 'Basic realm="x"', 1],
    ['a DPoP challenge for a Bearer token', 'DPoP algs="ES256"', 1],
    ['use_dpop_nonce', 'DPoP error="use_dpop_nonce"', 1],
  ] as const)('F9 or not, as its challenge says: %s', async ([, challenge, requests]) => {
    refuseAll(['Bearer token-1'], challenge)
    const response = await oauthFetch(counting(), resources())(`${api.origin}/x`)
    expect(response.status).toBe(requests === 2 ? 200 : 401)
    expect(api.received).toHaveLength(requests)
  })

  test('F9 a challenge that a page may not read is met alike', async () => {
    api.answer = (received, response) => {
      response.writeHead(bearerOf(received) === 'Bearer token-1' ? 401 : 200).end()
    }
    expect((await oauthFetch(counting(), resources())(`${api.origin}/x`)).status).toBe(200)
  })

  test('F9 the token that was refused is shown to the source, with what the call wants', async () => {
    const source = counting()
    const controller = new AbortController()
    const target = { scope: ['a'], resource: 'urn:x', audience: 'y' }
    const send = oauthFetch(source, { resources: { [`${api.origin}/`]: target } })
    await send(`${api.origin}/x`, { signal: controller.signal })
    expect(source.asked).toEqual([
      { ...target, signal: controller.signal },
      { ...target, signal: controller.signal, rejected: expect.anything() },
    ])
    expect(source.asked[1]?.rejected?.reveal()).toBe('token-1')
  })

  test('F9 the first request and its repetition are two: who keeps the one sees nothing of the other', async () => {
    const inits: (RequestInit | undefined)[] = []
    const send = oauthFetch(counting(), {
      resources: ['https://api.example/'],
      fetch: async (_, init) => {
        inits.push(init)
        return new Response('', { status: inits.length === 1 ? 401 : 200 })
      },
    })
    await send('https://api.example/x', { method: 'POST', body: 'x' })
    expect(inits).toMatchObject([{ headers: { authorization: 'Bearer token-1' } }, { headers: { authorization: 'Bearer token-2' } }])
  })

  test('F9 1,000 calls that all meet a 401 cost one renewal', async () => {
    const source = counting()
    let waiting: (() => void)[] = []
    let asked = 0
    const send = oauthFetch(source, {
      resources: ['https://api.example/'],
      fetch: async (_, init) => {
        if (new Headers(init?.headers).get('authorization') !== 'Bearer token-1') return new Response('ok')
        asked += 1
        // All are refused at once, the last one late: after the renewal.
        if (asked < 1_000) await new Promise<void>((resolve) => waiting.push(resolve))
        else for (const go of waiting) go()
        return new Response('', { status: 401 })
      },
    })
    const responses = await Promise.all(Array.from({ length: 1_000 }, () => send('https://api.example/x')))
    expect(responses.every(({ status }) => status === 200)).toBe(true)
    expect(source.renewals).toBe(1)
    expect(source.asked.filter(({ rejected }) => rejected !== undefined)).toHaveLength(1_000)
  })
})

function form(): FormData {
  const data = new FormData()
  data.set('a', 'BODY')
  return data
}

async function* pieces() {
  yield new TextEncoder().encode('BO')
  yield new TextEncoder().encode('DY')
}

describe('where there is no other token the 401 comes back:', () => {
  /** Its first token is refused; then it rejects like this. */
  const failing = (error: () => unknown): TokenSource => ({
    token: async ({ rejected } = {}) => {
      if (rejected !== undefined) throw error()
      return accessToken('token-1')
    },
  })

  test.for(['session_changed', 'sign_in_required', 'network', 'server_unavailable', 'timed_out', 'ambiguous_rotation'] as const)(
    'F7 when the renewal ends with %s',
    async (code) => {
      const send = oauthFetch(
        failing(() => new OAuthError(code, 'No.')),
        resources(),
      )
      const response = await send(`${api.origin}/x`, { method: 'POST', body: 'once' })
      expect(response.status).toBe(401)
      expect(await response.text()).toBe('refused')
      expect(api.received).toHaveLength(1)
    },
  )

  test('F7 when the source knows only this one token', async () => {
    const send = oauthFetch({ token: async () => accessToken('token-1') }, resources())
    expect((await send(`${api.origin}/x`)).status).toBe(401)
    expect(api.received).toHaveLength(1)
  })

  test('F7 when the other token cannot be carried', async () => {
    const source: TokenSource = { token: async ({ rejected } = {}) => accessToken(rejected === undefined ? 'token-1' : 'a\nb') }
    expect((await oauthFetch(source, resources())(`${api.origin}/x`)).status).toBe(401)
  })

  test('F15 but an abort during the renewal rejects with the signal’s reason, and others get their answer', async () => {
    const controller = new AbortController()
    let renewed: (() => void) | undefined
    const renewal = new Promise<void>((resolve) => (renewed = resolve))
    let waiting = 0
    const source: TokenSource = {
      token: async ({ rejected, signal } = {}) => {
        if (rejected === undefined) return accessToken('token-1')
        waiting += 1
        if (waiting === 2) {
          controller.abort(new Error('enough'))
          renewed?.()
        }
        await renewal
        signal?.throwIfAborted()
        return accessToken('token-2')
      },
    }
    const send = oauthFetch(source, resources())
    const [one, other] = await Promise.allSettled([send(`${api.origin}/x`, { signal: controller.signal }), send(`${api.origin}/x`)])
    expect(one).toMatchObject({ status: 'rejected', reason: { message: 'enough' } })
    expect(other).toMatchObject({ status: 'fulfilled', value: { status: 200 } })
  })

  test('F15 an abort ends the waiting for a token, even where the source is deaf to it', async () => {
    const controller = new AbortController()
    const send = oauthFetch({ token: () => new Promise(() => {}) }, resources())
    const call = send(`${api.origin}/x`, { signal: controller.signal })
    controller.abort(new Error('enough'))
    await expect(call).rejects.toThrow('enough')
  })

  test('F15 also for the token that answers a refusal', async () => {
    const controller = new AbortController()
    const source: TokenSource = {
      token: ({ rejected } = {}) => {
        if (rejected === undefined) return Promise.resolve(accessToken('token-1'))
        queueMicrotask(() => controller.abort(new Error('enough')))
        return new Promise(() => {})
      },
    }
    await expect(oauthFetch(source, resources())(`${api.origin}/x`, { signal: controller.signal })).rejects.toThrow('enough')
    expect(api.received).toHaveLength(1)
  })

  test('F15 a call that was given up before it began asks for no token', async () => {
    const source = counting()
    await expect(oauthFetch(source, resources())(`${api.origin}/x`, { signal: AbortSignal.abort() })).rejects.toThrow('aborted')
    expect(source.asked).toEqual([])
  })

  test('F7 a first token() that fails rejects the call with its error, and nothing is sent', async () => {
    const error = new OAuthError('sign_in_required', 'Nobody is signed in.')
    await expect(oauthFetch({ token: () => Promise.reject(error) }, resources())(`${api.origin}/x`)).rejects.toBe(error)
    expect(api.received).toEqual([])
  })
})

describe('an API that refuses every token', () => {
  /** A clock that is set by hand. */
  function known(source: ReturnType<typeof counting>) {
    const told: OAuthFact[] = []
    const clock = { at: 0, now: () => clock.at, monotonic: () => clock.at, wait: async () => {} }
    return { source: introduce(source, { emit: (fact) => told.push(fact), clock }), clock, told }
  }

  test('F9 costs one renewal and one retry; then for a minute refusals renew nothing', async () => {
    api.answer = refuse()
    const { source, clock, told } = known(counting())
    const [send, another] = [oauthFetch(source, resources()), oauthFetch(source, resources())]
    expect((await send(`${api.origin}/x`)).status).toBe(401)
    expect(api.received.map(bearerOf)).toEqual(['Bearer token-1', 'Bearer token-2'])
    expect(told.map(({ type }) => type)).toEqual(['token_attached', 'token_rejected', 'token_attached', 'token_rejected'])
    for (clock.at = 0; clock.at < 60_000; clock.at += 6_000) {
      expect((await send(`${api.origin}/x`)).status).toBe(401)
      expect(await (await another(`${api.origin}/x`)).text()).toBe('refused')
    }
    expect(source.renewals).toBe(1)
    expect(api.received).toHaveLength(22)

    clock.at = 60_000
    refuseAll(['Bearer token-2'])
    expect((await send(`${api.origin}/x`)).status).toBe(200)
    expect(source.renewals).toBe(2)
  })

  test('F9 keeps no other source from renewing', async () => {
    api.answer = refuse()
    await oauthFetch(counting(), resources())(`${api.origin}/x`)
    const source = counting()
    refuseAll(['Bearer token-1'])
    expect((await oauthFetch(source, resources())(`${api.origin}/x`)).status).toBe(200)
  })

  test('F9 a second answer that asks for something else is no refusal of the new token', async () => {
    api.answer = (received, response) =>
      refuse(bearerOf(received) === 'Bearer token-1' ? undefined : 'Bearer error="insufficient_user_authentication"')(received, response)
    const { source } = known(counting())
    const send = oauthFetch(source, resources())
    const response = await send(`${api.origin}/x`)
    expect(challengeOf(response)).toEqual({ error: 'insufficient_user_authentication' })
    refuseAll(['Bearer token-2'])
    expect((await send(`${api.origin}/x`)).status).toBe(200)
  })
})

describe('everything else comes back untouched:', () => {
  test.for([200, 201, 204, 205, 206, 400, 402, 403, 404, 409, 429, 500, 502, 503])(
    'F7 F13 %s, whatever its headers say',
    async (status) => {
      api.answer = (_, response) =>
        response.writeHead(status, { 'www-authenticate': 'Bearer error="invalid_token"', 'retry-after': '1' }).end()
      const source = counting()
      const response = await oauthFetch(source, resources())(`${api.origin}/x`, { method: 'POST', body: 'once' })
      expect(response.status).toBe(status)
      expect(response.headers.get('retry-after')).toBe('1')
      expect(api.received.map(({ body }) => body)).toEqual(['once'])
      expect(source.renewals).toBe(0)
    },
  )

  test('F13 a connection that breaks is not tried again', async () => {
    api.answer = (_: Received, response) => response.destroy()
    await expect(oauthFetch(counting(), resources())(`${api.origin}/x`, { method: 'POST', body: 'once' })).rejects.toThrow(TypeError)
    expect(api.received).toHaveLength(1)
  })

  test('F10 insufficient_scope comes back as a response, once, and says what is wanted', async () => {
    api.answer = (_, response) => response.writeHead(403, { 'www-authenticate': 'Bearer error="insufficient_scope", scope="a b"' }).end()
    const source = counting()
    const response = await oauthFetch(source, resources())(`${api.origin}/x`)
    expect(challengeOf(response)).toEqual({ error: 'insufficient_scope', scope: ['a', 'b'] })
    expect([api.received.length, source.renewals]).toEqual([1, 0])
  })

  test('F11 insufficient_user_authentication comes back as a response, once, and says what is wanted', async () => {
    api.answer = refuse('Bearer error="insufficient_user_authentication", acr_values="gold silver", max_age="60"')
    const source = counting()
    const response = await oauthFetch(source, resources())(`${api.origin}/x`)
    expect(challengeOf(response)).toEqual({ error: 'insufficient_user_authentication', acrValues: ['gold', 'silver'], maxAgeSeconds: 60 })
    expect([api.received.length, source.renewals]).toEqual([1, 0])
  })
})
