import { expect, test } from 'vitest'
import type { Store } from '../../src/core/ports.js'
import { memoryStore } from '../../src/stores/memory.js'
import { profile } from './profile.js'
import { type ScriptedServer, scriptedServer } from './scripted.js'

const keyOf = (server: ScriptedServer, clientId = 'page', account = '') =>
  ['valetkey', 'session', server.authorizationServer.issuer, clientId, account].map(encodeURIComponent).join(':')

async function poison(store: Store, key: string, value: string): Promise<void> {
  const held = await store.get(key)
  await store.replace(key, held?.version, { version: `poison${Math.random()}`, value })
}

test.each([
  ['garbage', 'x'],
  ['nothing', ''],
  ['a list', '[]'],
  ['null', 'null'],
  ['half a record', '{"issuer":"i","clientId":"page"}'],
  ['a token that is no text', JSON.stringify({ ...record('i'), accessTokens: [{ text: { toString: 'x' }, type: 'Bearer' }] })],
  ['a record with __proto__', '{"__proto__":{"issuer":"i"},"accessTokens":[]}'],
  ['a record of a later format', JSON.stringify({ ...record('i'), format: 2 })],
  ['huge', JSON.stringify({ ...record('i'), accessTokens: 'x'.repeat(5_000_000) })],
  ['nested beyond all measure', `{"accessTokens":${'['.repeat(100_000)}${']'.repeat(100_000)}}`],
])('B18 a stored session that is %s is not used: token() says so, resume() is false, and a sign-in replaces it', async (_, value) => {
  const server = await scriptedServer()
  const browser = profile(server)
  await poison(browser.store, keyOf(server), value)
  const tab = browser.open()
  await expect(tab.session.token()).rejects.toMatchObject({ code: 'record_invalid' })
  expect(await tab.session.resume()).toBe(false)
  expect(server.wire.received).toEqual([])
  await browser.signIn()
  expect(await tab.session.resume()).toBe(true)
  expect((await tab.session.token()).scope).toEqual(['openid', 'notes:read'])
})

test('two versions of the application at once: what the later wrote is not written over by the earlier, until its user signs out', async () => {
  const server = await scriptedServer()
  const browser = profile(server)
  const tab = await browser.signIn()
  const key = keyOf(server)
  const held = await browser.store.get(key)
  const later = JSON.stringify({ ...(JSON.parse(held?.value ?? '') as object), format: 2 })
  await poison(browser.store, key, later)
  const other = browser.open()
  for (const { session } of [tab, other]) {
    await expect(session.token()).rejects.toMatchObject({ code: 'record_invalid' })
    expect(await session.resume()).toBe(false)
    expect(session.snapshot().status).toBe('signed_out')
  }
  await browser.clock.advance(120_000)
  await expect(tab.session.token()).rejects.toMatchObject({ code: 'record_invalid' })
  expect((await browser.store.get(key))?.value).toBe(later)
  expect(server.tokenRequests()).toHaveLength(1)
  // Its tokens cannot be read here, so they are not revoked: and that is said.
  expect(await other.session.signOut()).toMatchObject({ refreshToken: 'failed', accessTokens: 'failed' })
  expect(JSON.parse((await browser.store.get(key))?.value ?? '')).toMatchObject({ ended: { reason: 'signed_out' }, accessTokens: [] })
  expect(await tab.session.resume()).toBe(false)
  expect(tab.session.snapshot().ended).toBe('signed_out')
  await browser.signIn()
  expect(await tab.session.resume()).toBe(true)
})

test('an answer that meets a record of a later version is dropped, and not revoked: it may be of that very session', async () => {
  const server = await scriptedServer()
  const browser = profile(server)
  const tab = await browser.signIn()
  const another = await browser.signIn({}, { account: 'work' })
  const key = keyOf(server)
  let answerNow = () => {}
  server.wire.on('/token', (_, response) => {
    answerNow = () =>
      response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify({ access_token: 'late', token_type: 'Bearer', expires_in: 60, refresh_token: 'late-too' }))
  })
  const rejected = await tab.session.token()
  const call = tab.session.token({ rejected }).catch((error: { code: string }) => error.code)
  await expect.poll(() => server.tokenRequests().length).toBe(3)
  const held = await browser.store.get(key)
  await poison(browser.store, key, JSON.stringify({ ...(JSON.parse(held?.value ?? '') as object), format: 2 }))
  answerNow()
  expect(await call).toBe('record_invalid')
  // A revocation that began before this one would be there by now.
  await another.session.signOut()
  expect(server.revoked()).toHaveLength(2)
  expect(server.revoked()).not.toContain('late-too')
})

test('B18 attack 44 a record of another issuer or client is as if missing: its tokens go nowhere', async () => {
  const server = await scriptedServer()
  for (const change of [{ issuer: 'https://evil.example' }, { clientId: 'evil' }]) {
    const browser = profile(server)
    await poison(browser.store, keyOf(server), JSON.stringify({ ...record(server.authorizationServer.issuer), ...change }))
    const tab = browser.open()
    expect(await tab.session.resume()).toBe(false)
    await expect(tab.session.token()).rejects.toMatchObject({ code: 'sign_in_required' })
    await tab.session.signOut()
    expect(server.wire.received).toEqual([])
  }
})

test('attack 44 an endpoint in a record is not believed', async () => {
  const server = await scriptedServer()
  const browser = profile(server)
  const evil = await scriptedServer()
  const tokens = {
    token_endpoint: `${evil.wire.origin}/token`,
    authorizationServer: evil.authorizationServer,
    accessTokens: [],
    refreshToken: 'refresh-of-ann',
  }
  await poison(browser.store, keyOf(server), JSON.stringify({ ...record(server.authorizationServer.issuer), ...tokens }))
  await expect(browser.open().session.token()).rejects.toMatchObject({ code: 'sign_in_required' })
  expect(server.tokenRequests()).toHaveLength(1)
  expect(evil.wire.received).toEqual([])
})

test('B6 what is kept is kept by issuer, client and account: none sees another’s', async () => {
  const [one, two] = [await scriptedServer(), await scriptedServer()]
  const browser = profile(one)
  await browser.signIn()
  const keys: string[] = []
  const seen: Store = { ...memoryStore(), get: async (key) => (keys.push(key), undefined) }
  for (const unusual of [{ clientId: 'other' }, { server: two }, { account: 'work' }]) {
    expect(await browser.open('/', unusual).session.resume()).toBe(false)
    await browser.open('/', { ...unusual, store: seen }).session.resume()
  }
  expect(keys).toEqual([keyOf(one, 'other'), keyOf(two), keyOf(one, 'page', 'work')])
  expect(await browser.open().session.resume()).toBe(true)
})

test('B6 a name that looks like another key is no other key', async () => {
  const server = await scriptedServer()
  const browser = profile(server)
  await browser.signIn()
  for (const unusual of [{ account: ':' }, { account: '%3A' }, { clientId: 'page:' }])
    expect(await browser.open('/', unusual).session.resume()).toBe(false)
})

test('a new tab has the session without asking anyone', async () => {
  const server = await scriptedServer()
  const browser = profile(server)
  const first = await browser.signIn()
  const before = server.wire.received.length
  const tab = browser.open()
  expect(await tab.session.resume()).toBe(true)
  expect((await tab.session.token()).reveal()).toBe((await first.session.token()).reveal())
  expect(server.wire.received).toHaveLength(before)
})

test('what another tab does is shown to those who subscribe: the same snapshot until something changes', async () => {
  const server = await scriptedServer()
  const browser = profile(server, { scope: ['notes:read'] })
  const tab = browser.open()
  const shown: string[] = []
  const stop = tab.session.subscribe(() => shown.push(tab.session.snapshot().status))
  await tab.session.resume()
  const snapshot = tab.session.snapshot()
  await tab.session.resume()
  expect(tab.session.snapshot()).toBe(snapshot)
  const other = await browser.signIn()
  await expect.poll(() => tab.session.snapshot().status).toBe('signed_in')
  // A renewal writes the record several times, and nothing that shows is another.
  const signedIn = tab.session.snapshot()
  await other.session.token({ rejected: await other.session.token() })
  await tab.session.token()
  expect(tab.session.snapshot()).toBe(signedIn)
  await other.session.signOut()
  await expect.poll(() => tab.session.snapshot().ended).toBe('signed_out')
  stop()
  await browser.signIn()
  expect(shown).toEqual(['signed_out', 'signed_in', 'signed_out'])
})

test('what was missed while the page slept is seen when it wakes', async () => {
  const server = await scriptedServer()
  const { watch: _, ...deaf } = memoryStore()
  const browser = profile(server, { store: deaf })
  const tab = browser.open()
  const stop = tab.session.subscribe(() => {})
  await tab.session.resume()
  await browser.signIn()
  expect(tab.session.snapshot().status).toBe('signed_out')
  tab.page.wake()
  await expect.poll(() => tab.session.snapshot().status).toBe('signed_in')
  stop()
})

test('attack 43 a hint that something changed changes nothing by itself', async () => {
  const server = await scriptedServer()
  const hints = new Set<() => void>()
  const store: Store = { ...memoryStore(), watch: (_, changed) => (hints.add(changed), () => hints.delete(changed)) }
  const browser = profile(server, { store })
  const tab = await browser.signIn()
  const stop = tab.session.subscribe(() => {})
  const before = server.wire.received.length
  for (let count = 0; count < 1_000; count += 1) for (const hint of hints) hint()
  await tab.session.token()
  expect(tab.session.snapshot().status).toBe('signed_in')
  expect(server.wire.received).toHaveLength(before)
  stop()
})

test('a store that cannot be read is said: resume() and token() reject with store_unavailable, and an event says it once', async () => {
  const server = await scriptedServer()
  const store: Store = { get: async () => Promise.reject(new Error('gone')), replace: async () => Promise.reject(new Error('gone')) }
  const tab = profile(server).open('/', { store })
  await expect(tab.session.resume()).rejects.toMatchObject({ code: 'store_unavailable' })
  await expect(tab.session.token()).rejects.toMatchObject({ code: 'store_unavailable' })
  expect(tab.said()).toEqual(['store_failed store_unavailable'])
})

test('B16 a store that fails later renews nothing and serves the living token to its end; that it failed and that it is back is said once', async () => {
  const server = await scriptedServer()
  const memory = memoryStore()
  let fails = false
  const down = async (): Promise<never> => Promise.reject(new Error('gone'))
  const store: Store = {
    get: async (key) => (fails ? down() : memory.get(key)),
    replace: async (key, seen, next) => (fails ? down() : memory.replace(key, seen, next)),
  }
  const browser = profile(server, { store })
  const { session, said } = await browser.signIn()
  const told = said().length
  const { scope } = await session.token()
  fails = true
  expect((await session.token()).scope).toEqual(scope)
  // Its renewal would be due: it is not tried, and the token is still handed out.
  await browser.clock.advance(50_000)
  expect((await session.token()).scope).toEqual(scope)
  await browser.clock.advance(11_000)
  await expect(session.token()).rejects.toMatchObject({ code: 'store_unavailable' })
  expect(server.tokenRequests()).toHaveLength(1)
  fails = false
  await session.token()
  expect(server.tokenRequests()).toHaveLength(2)
  expect(said().slice(told)).toEqual(['store_failed store_unavailable', 'store_recovered', 'renewal_started', 'renewal_finished'])
})

function record(issuer: string): Readonly<Record<string, unknown>> {
  return {
    issuer,
    clientId: 'page',
    session: 'poisoned',
    generation: 7,
    grantedScope: ['openid', 'notes:read'],
    refreshToken: 'refresh-of-eve',
    accessTokens: [
      {
        text: 'access-of-eve',
        type: 'Bearer',
        asked: {},
        granted: ['openid', 'notes:read'],
        generation: 7,
        issuedAt: Date.now(),
        lifetime: 60_000,
      },
    ],
  }
}
