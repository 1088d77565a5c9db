import { request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { networkInterfaces } from 'node:os'
import { describe, expect, test, vi } from 'vitest'
import { OAuthError } from '../../src/core/errors.js'
import type { UserAgent } from '../../src/core/ports.js'
import { listen } from '../../src/node/loopback-listener.js'
import { loopback, loopbackBy } from '../../src/node/loopback.js'
import type { LoopbackParts } from '../../src/node/loopback.js'
import { manualClock, userAgentContract } from '../../src/testing/index.js'

const state = 'the-state-of-this-sign-in'

/** A request as the client makes it: its redirect URI and state are in it. */
const request = async (redirectUri: string): Promise<URL> => {
  const url = new URL('https://as.example/authorize?client_id=cli')
  url.searchParams.set('redirect_uri', redirectUri)
  url.searchParams.set('state', state)
  return url
}

interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

/** One request as it is written, with whatever Host, method and path. */
function send(to: string, { method = 'GET', path, host }: { method?: string; path?: string; host?: string } = {}): Promise<Reply> {
  const url = new URL(to)
  return new Promise((resolve, reject) => {
    const sent = httpRequest(
      {
        hostname: url.hostname.replace(/^\[|\]$/g, ''),
        port: url.port,
        path: path ?? url.pathname + url.search,
        method,
        agent: false,
        ...(host === undefined ? {} : { headers: { host } }),
      },
      (response) => {
        let body = ''
        response.setEncoding('utf8').on('data', (text: string) => (body += text))
        response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }))
      },
    )
    sent.on('error', reject).end()
  })
}

const answerOf = (redirectUri: string, parameters: Record<string, string> = { code: 'a-code', state }): string =>
  `${redirectUri}?${new URLSearchParams(parameters).toString()}`

/** A user whose browser is opened, and who then does this with the redirect URI. */
function user(does: (redirectUri: string, address: URL) => Promise<unknown>, parts: Partial<LoopbackParts> = {}) {
  const opened: string[] = []
  const done: Promise<unknown>[] = []
  const open = async (address: URL): Promise<boolean> => {
    opened.push(address.href)
    done.push(does(address.searchParams.get('redirect_uri') ?? '', address))
    return true
  }
  const made = (options: Parameters<typeof loopbackBy>[0] = {}): UserAgent =>
    loopbackBy(options, { open, clock: manualClock(), hosts: ['127.0.0.1', '::1'], ...parts })
  return { made, opened, settled: () => Promise.all(done) }
}

/** Whether somebody listens there. */
function listens(host: string, port: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(port) }, () => (socket.destroy(), resolve(true)))
    socket.on('error', () => resolve(false))
  })
}

describe('the user agent contract', () => {
  const never = async (): Promise<boolean> => {
    throw new Error('opened')
  }
  for (const { name, run } of userAgentContract(async () => user(never).made())) test(name, run)
})

test('A22 the user goes there with the browser of their own, by the very address of the request', async () => {
  const { made, opened } = user((redirectUri) => send(answerOf(redirectUri)))
  const response = await made().authorize(request, {})
  expect(response.searchParams.get('code')).toBe('a-code')
  expect(opened).toEqual([(await request(`http://${response.host}/callback`)).href])
})

test('A23 the redirect URI is of 127.0.0.1 by its number, on a port that was free', async () => {
  const ports = new Set<string>()
  const { made } = user((redirectUri) => send(answerOf(redirectUri)))
  for (let time = 0; time < 3; time += 1) {
    const response = await made().authorize(request, {})
    expect(`${response.protocol}//${response.hostname}${response.pathname}`).toBe('http://127.0.0.1/callback')
    ports.add(response.port)
  }
  expect(Math.min(...[...ports].map(Number))).toBeGreaterThan(1023)
})

test('A23 it listens while the sign-in is under way and not after it, and nowhere but on loopback', async () => {
  const others = Object.values(networkInterfaces()).flatMap((all) => (all ?? []).filter(({ internal }) => !internal))
  const seen: boolean[] = []
  const { made, settled } = user(async (redirectUri) => {
    const { port } = new URL(redirectUri)
    seen.push(await listens('127.0.0.1', port))
    for (const { address, scopeid } of others) seen.push(await listens(scopeid ? `${address}%${scopeid}` : address, port))
    await send(answerOf(redirectUri))
  })
  const { port } = await made().authorize(request, {})
  await settled()
  expect(seen).toEqual([true, ...others.map(() => false)])
  expect(await listens('127.0.0.1', port)).toBe(false)
})

test('A23 where this machine has no IPv4, it listens on [::1]', async () => {
  // 192.0.2.1 is an address that no machine has (RFC 5737).
  const { made } = user((redirectUri) => send(answerOf(redirectUri)), { hosts: ['192.0.2.1', '::1'] })
  expect((await made().authorize(request, {})).hostname).toBe('[::1]')
})

test('A23 a redirect URI of the session is taken as it is: its host, its port, its path and its query', async () => {
  const { made, opened } = user((redirectUri) => send(`${redirectUri}&code=a-code&state=${state}`))
  const redirectUri = `http://127.0.0.1:${await freePort()}/signed/in?from=cli`
  const response = await made({ path: '/other' }).authorize(request, { redirectUri })
  expect(response.href).toBe(`${redirectUri}&code=a-code&state=${state}`)
  expect(new URL(opened[0] ?? '').searchParams.get('redirect_uri')).toBe(redirectUri)
})

test.for([
  ['http://127.0.0.1/cb', /^http:\/\/127\.0\.0\.1:\d+\/cb$/],
  ['http://[::1]/cb', /^http:\/\/\[::1\]:\d+\/cb$/],
  ['http://127.0.0.1', /^http:\/\/127\.0\.0\.1:\d+$/],
] as const)('A23 of the redirect URI %s any port is taken', async ([redirectUri, expected]) => {
  const asked: string[] = []
  const { made } = user((given) => {
    asked.push(given)
    return send(answerOf(given))
  })
  await made().authorize(request, { redirectUri })
  expect(asked[0]).toMatch(expected)
})

test.for([
  'http://localhost/callback',
  'http://localhost:8080/callback',
  'https://127.0.0.1/callback',
  'http://127.0.0.2/callback',
  'http://0.0.0.0:8080/callback',
  'http://192.168.1.2/callback',
  'http://127.0.0.1.example/callback',
  'http://127.0.0.1@example.com/callback',
  'http://127.0.0.1:99999/callback',
  'https://app.example/callback',
  'com.example.app:/callback',
])('A23 %s is no loopback redirect URI, and nothing is asked for', async (redirectUri) => {
  const asked = vi.fn(request)
  const error = await failure(
    user(async () => {})
      .made()
      .authorize(asked, { redirectUri }),
  )
  expect(error).toMatchObject({ code: 'invalid_configuration', message: expect.stringContaining('redirectUri') })
  expect(asked).not.toHaveBeenCalled()
})

test('a port that another program has is said, with what to do', async () => {
  const { made, settled } = user(async (redirectUri) => {
    const error = await failure(made().authorize(request, { redirectUri }))
    expect(error).toMatchObject({ code: 'authorization_failed', message: expect.stringContaining('Another program listens there') })
    await send(answerOf(redirectUri))
  })
  await made().authorize(request, {})
  await settled()
})

test.for<{ name: string; status: number; how?: Parameters<typeof send>[1]; query?: string }>([
  { name: 'without a state', status: 400, query: '?code=evil' },
  { name: 'with another state', status: 400, query: '?code=evil&state=guessed' },
  { name: 'with a state of the same length', status: 400, query: `?code=evil&state=${'x'.repeat(state.length)}` },
  { name: 'with an empty state', status: 400, query: '?code=evil&state=' },
  { name: 'with two states, of which one is right', status: 400, query: `?code=evil&state=${state}&state=${state}` },
  { name: 'with an error and another state', status: 400, query: '?error=access_denied&state=guessed' },
  { name: 'with the state as a fragment of its path', status: 404, how: { path: `/callback%23state=${state}` } },
  { name: 'to another path', status: 404, how: { path: `/callback/?code=evil&state=${state}` } },
  { name: 'for an icon', status: 404, how: { path: '/favicon.ico' } },
  { name: 'to a path of two slashes', status: 404, how: { path: `//evil.example/callback?code=evil&state=${state}` } },
  { name: 'with a whole address as its target', status: 400, how: { path: `http://evil.example/callback?code=evil&state=${state}` } },
  { name: 'with a target that would be another host', status: 400, how: { path: `@evil.example/callback?code=evil&state=${state}` } },
  { name: 'under a foreign Host', status: 400, how: { host: 'evil.example' } },
  { name: 'under localhost', status: 400, how: { host: 'localhost' } },
  { name: 'under the right address and another port', status: 400, how: { host: '127.0.0.1:1' } },
  { name: 'by POST', status: 405, how: { method: 'POST' } },
  { name: 'by HEAD', status: 405, how: { method: 'HEAD' } },
  { name: 'by OPTIONS', status: 405, how: { method: 'OPTIONS' } },
])('attack 87 a request $name is refused, and does not end the wait', async ({ status, how, query }) => {
  const { made, settled } = user(async (redirectUri) => {
    const reply = await send(query === undefined ? answerOf(redirectUri, { code: 'evil', state }) : redirectUri + query, how)
    expect(reply.status).toBe(status)
    expect(reply.body).not.toContain('evil')
    // The user's own browser comes after it.
    await send(answerOf(redirectUri))
  })
  const response = await made().authorize(request, {})
  await settled()
  expect(response.searchParams.getAll('code')).toEqual(['a-code'])
})

test('attack 87 of two answers with the right state one is taken, though both were on their way', async () => {
  const { made, settled } = user(async (redirectUri) =>
    Promise.allSettled(['first', 'second'].map((code) => send(answerOf(redirectUri, { code, state })))),
  )
  const response = await made().authorize(request, {})
  const [replies] = (await settled()) as [PromiseSettledResult<Reply>[]]
  const good = replies.map((reply) => reply.status === 'fulfilled' && reply.value.status === 200)
  expect(good.filter(Boolean)).toHaveLength(1)
  expect(response.searchParams.get('code')).toBe(good[0] ? 'first' : 'second')
})

test('attack 87 what comes after the answer is none, even where nothing is closed yet', async () => {
  const listener = await listen({ hosts: ['127.0.0.1'], port: 0, path: '/callback' })
  const answer = listener.answerTo(state)
  const replies = [await send(answerOf(listener.redirectUri)), await send(answerOf(listener.redirectUri, { code: 'second', state }))]
  expect(replies.map(({ status }) => status)).toEqual([200, 400])
  expect((await answer).searchParams.get('code')).toBe('a-code')
  listener.close()
})

test('attack 87 what comes before the request is made is no answer, whatever its state', async () => {
  const { made } = user((redirectUri) => send(answerOf(redirectUri)))
  const early = async (redirectUri: string): Promise<URL> => {
    expect((await send(answerOf(redirectUri, { code: 'early', state }))).status).toBe(400)
    return request(redirectUri)
  }
  expect((await made().authorize(early, {})).searchParams.get('code')).toBe('a-code')
})

test('attack 87 a connection that says nothing does not keep the listener', async () => {
  const { made, settled } = user(async (redirectUri) => {
    const silent = connect({ host: '127.0.0.1', port: Number(new URL(redirectUri).port) })
    await new Promise((resolve) => silent.once('connect', resolve))
    const closed = new Promise((resolve) => silent.once('close', resolve))
    await send(answerOf(redirectUri))
    await closed
  })
  await made().authorize(request, {})
  await settled()
})

test('an error response is an answer: it is handed on, and its page says nothing that came with it', async () => {
  const replies: Reply[] = []
  const { made, settled } = user(async (redirectUri) =>
    replies.push(await send(answerOf(redirectUri, { error: 'access_denied', error_description: '<b>call 555-evil</b>', state }))),
  )
  const response = await made().authorize(request, {})
  await settled()
  expect(response.searchParams.get('error')).toBe('access_denied')
  expect(replies[0]?.status).toBe(200)
  expect(replies[0]?.body).toContain('not finished')
  expect(replies[0]?.body).not.toContain('evil')
})

test('the page runs nothing, loads nothing, is not kept, and gives its address away to nobody', async () => {
  const replies: Reply[] = []
  const { made, settled } = user(async (redirectUri) => {
    replies.push(await send(redirectUri), await send(`${new URL(redirectUri).origin}/else`), await send(answerOf(redirectUri)))
  })
  await made().authorize(request, {})
  await settled()
  expect(replies.map(({ status }) => status)).toEqual([400, 404, 200])
  for (const { headers, body } of replies) {
    expect(headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': expect.stringMatching(/^default-src 'none'; style-src 'sha256-[\w+/]+=*'; .*frame-ancestors 'none'$/),
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    })
    expect(headers).not.toHaveProperty('set-cookie')
    expect(body).not.toMatch(/<script|<img|<link|https?:\/\//)
    expect(body).toContain('color-scheme: light dark')
    expect(body).toContain('You may close this window')
    expect(body).not.toContain(state)
  }
})

test('where no browser opens, the address is shown instead', async () => {
  const shown: string[] = []
  const show = (address: URL) => {
    shown.push(address.href)
    void send(answerOf(address.searchParams.get('redirect_uri') ?? ''))
  }
  const { made } = user(async () => {}, { open: async () => false })
  const response = await made({ show }).authorize(request, {})
  expect(shown).toEqual([(await request(`http://${response.host}/callback`)).href])
})

test('where nothing else is said, the address is shown in the terminal', async () => {
  const written: string[] = []
  const write = vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    written.push(String(text))
    void send(answerOf(new URL(/https:\S+/.exec(String(text))?.[0] ?? '').searchParams.get('redirect_uri') ?? ''))
    return true
  })
  try {
    await user(async () => {}, { open: async () => false })
      .made()
      .authorize(request, {})
  } finally {
    write.mockRestore()
  }
  expect(written).toHaveLength(1)
})

test('what `show` throws ends the sign-in: the user cannot get there', async () => {
  const failing = new Error('no terminal')
  const show = () => {
    throw failing
  }
  expect(
    await failure(
      user(async () => {}, { open: async () => false })
        .made({ show })
        .authorize(request, {}),
    ),
  ).toBe(failing)
})

test('it stops listening when it is aborted, when the request fails, and after ten minutes', async () => {
  const ports: string[] = []
  const note = (redirectUri: string) => {
    ports.push(new URL(redirectUri).port)
    return request(redirectUri)
  }
  const [clock, controller, reason, broken] = [manualClock(), new AbortController(), new Error('gave up'), new Error('no network')]

  const aborted = failure(
    user(async () => controller.abort(reason))
      .made()
      .authorize(note, { signal: controller.signal }),
  )
  expect(await aborted).toBe(reason)
  const failed = failure(
    user(async () => {})
      .made()
      .authorize(async (redirectUri) => note(redirectUri).then(() => Promise.reject(broken)), {}),
  )
  expect(await failed).toBe(broken)
  const slow = user(async () => clock.advance(10 * 60_000), { clock })
  expect(await failure(slow.made().authorize(note, {}))).toMatchObject({
    code: 'timed_out',
    message: expect.stringContaining('ten minutes'),
  })

  expect(ports).toHaveLength(3)
  for (const port of ports) expect(await listens('127.0.0.1', port)).toBe(false)
})

test.for(['https://as.example/authorize?request_uri=urn:x', `javascript:alert(1)?state=${state}`, `file:///etc/hosts?state=${state}`])(
  'nobody is sent to %s: it has no state, or is no web address',
  async (address) => {
    const { made, opened } = user(async () => {})
    const error = await failure(made().authorize(async () => new URL(address), {}))
    expect(error).toMatchObject({ code: 'authorization_failed' })
    expect(opened).toEqual([])
  },
)

test.for([
  { path: 'callback' },
  { path: '//evil.example/' },
  { path: '/a?b' },
  { path: '/a#b' },
  { path: '/a b' },
  { path: '/a\\b' },
  { path: '' },
])('a path that is none is refused when the user agent is made: $path', (options) => {
  expect(() => loopback(options)).toThrow(/path/)
})

test('an option that is not known, or of another kind, is refused by its name', () => {
  expect(() => loopback({ port: 8080 } as object)).toThrow(/`port` is not an option of loopback/)
  expect(() => loopback({ show: 'no function' as never })).toThrow(/`show` must be a function/)
  expect(Object.keys(loopback())).toEqual(['authorize'])
})

async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => {
      throw new Error('expected a rejection')
    },
    (error: unknown) => (error instanceof OAuthError ? { code: error.code, message: error.message } : error),
  )
}

async function freePort(): Promise<string> {
  const ports: string[] = []
  await failure(
    loopbackBy({}, { open: async () => true, clock: manualClock(), hosts: ['127.0.0.1'] }).authorize(async (redirectUri) => {
      ports.push(new URL(redirectUri).port)
      throw new Error('found')
    }, {}),
  )
  return ports[0] ?? ''
}
