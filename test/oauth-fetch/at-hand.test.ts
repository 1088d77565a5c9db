import { expect, test } from 'vitest'
import type { Store } from '../../src/core/ports.js'
import { clientCredentials } from '../../src/sources/client-credentials.js'
import { oauthFetch } from '../../src/oauth-fetch.js'
import { clientSecretBasic } from '../../src/protocol/client-secret.js'
import { memoryStore } from '../../src/stores/memory.js'
import { userSession } from '../../src/user-session.js'

// What a call costs whose token is valid and in memory: nothing but the call.

const issuer = 'https://auth.example.com'
const url = 'https://api.example.com/x'
const json = (body: object) => new Response(JSON.stringify(body), { headers: { 'content-type': 'application/json' } })

function job() {
  const asked: string[] = []
  const sent: RequestInit[] = []
  let answer = () => new Response()
  const source = clientCredentials({
    authorizationServer: { issuer, token_endpoint: `${issuer}/token` },
    clientId: 'job',
    clientAuthentication: clientSecretBasic('s'),
    fetch: async () => {
      asked.push(`token-${asked.length + 1}`)
      return json({ access_token: asked.at(-1), token_type: 'Bearer', expires_in: 3600 })
    },
  })
  const api = oauthFetch(source, {
    resources: ['https://api.example.com/'],
    fetch: async (_, init) => {
      sent.push(init ?? {})
      return answer()
    },
  })
  return { api, asked, sent, answering: (next: () => Response) => (answer = next) }
}

const authorizationIn = (init: RequestInit | undefined) => new Headers(init?.headers).get('authorization')

test('a call is sent in the very turn in which it is made', async () => {
  const { api, sent } = job()
  await api(url)
  await api(url)
  const third = api(url)
  expect(sent).toHaveLength(3)
  await third
})

test('without headers of the caller’s no Headers is made, and a plain object stays one', async () => {
  const { api, sent } = job()
  for (let calls = 0; calls < 3; calls += 1) await api(url)
  await api(url, { headers: { accept: 'a/b' } })
  const [, , third, fourth] = sent
  expect(third?.headers).not.toBeInstanceOf(Headers)
  expect({ ...(third?.headers as Record<string, string>) }).toEqual({ authorization: 'Bearer token-1' })
  expect({ ...(fourth?.headers as Record<string, string>) }).toEqual({ accept: 'a/b', authorization: 'Bearer token-1' })
})

test.each([
  ['none', undefined],
  ['a plain object', { accept: 'a/b' }],
  ['Headers', new Headers({ accept: 'a/b' })],
])('F8 a 401 on a token at hand is met by one renewal and one retry, with headers as %s', async (_, headers) => {
  const { api, asked, sent, answering } = job()
  for (let calls = 0; calls < 3; calls += 1) await api(url)
  const init = headers === undefined ? undefined : { headers }
  answering(() => new Response(null, { status: authorizationIn(sent.at(-1)) === 'Bearer token-1' ? 401 : 200 }))
  expect((await api(url, init)).status).toBe(200)
  expect(asked).toEqual(['token-1', 'token-2'])
  expect(sent.slice(3).map(authorizationIn)).toEqual(['Bearer token-1', 'Bearer token-2'])
  for (const one of sent.slice(3)) expect(new Headers(one.headers).get('accept')).toBe(headers === undefined ? null : 'a/b')
  if (headers instanceof Headers) expect(headers.has('authorization')).toBe(false)
  expect((await api(url, init)).status).toBe(200)
  expect(asked).toHaveLength(2)
})

test('F16 an abort before the call sends nothing, also where the token is at hand', async () => {
  const { api, sent } = job()
  for (let calls = 0; calls < 3; calls += 1) await api(url)
  await expect(api(url, { signal: AbortSignal.abort(new Error('no longer wanted')) })).rejects.toThrow('no longer wanted')
  await expect(api('https://evil.example/')).rejects.toMatchObject({ code: 'resource_not_listed' })
  expect(sent).toHaveLength(3)
})

/** Two sessions of one record that is stored already, in memory or as if it were elsewhere. */
async function sessions(where: 'memory' | 'elsewhere') {
  const memory = memoryStore()
  const count = { get: 0, replace: 0 }
  const elsewhere: Store = {
    get: (key) => ((count.get += 1), memory.get(key)),
    replace: (key, seen, next) => ((count.replace += 1), memory.replace(key, seen, next)),
  }
  const key = ['valetkey', 'session', issuer, 'site', 'u'].map(encodeURIComponent).join(':')
  const token = { text: 't', type: 'Bearer', asked: {}, granted: ['a'], generation: 1, issuedAt: Date.now(), lifetime: 3_600_000 }
  const record = { issuer, clientId: 'site', session: 's', generation: 1, grantedScope: ['a'], accessTokens: [token] }
  await memory.replace(key, undefined, { version: 'v', value: JSON.stringify(record) })
  const store = where === 'memory' ? memory : elsewhere
  const session = () => userSession({ authorizationServer: { issuer }, clientId: 'site', account: 'u', store })
  const sent: string[] = []
  const api = oauthFetch(session(), {
    resources: ['https://api.example.com/'],
    fetch: async (_, init) => {
      sent.push(authorizationIn(init) ?? '')
      return new Response()
    },
  })
  return { api, sent, count, other: session() }
}

test.each(['memory', 'elsewhere'] as const)(
  'a session in a store that is %s is looked at with every call: once another has signed it out nothing is sent',
  async (where) => {
    const { api, sent, other } = await sessions(where)
    for (let calls = 0; calls < 5; calls += 1) await api(url)
    await other.signOut()
    await expect(api(url)).rejects.toMatchObject({ code: 'sign_in_required' })
    expect(sent).toEqual(Array.from({ length: 5 }, () => 'Bearer t'))
  },
)

test('a store that is elsewhere is read once with each call, and never written', async () => {
  const { api, count } = await sessions('elsewhere')
  for (let calls = 0; calls < 10; calls += 1) await api(url)
  expect(count).toEqual({ get: 10, replace: 0 })
})
