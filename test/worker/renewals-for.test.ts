import 'fake-indexeddb/auto'
import { IDBFactory } from 'fake-indexeddb'
import { beforeEach, expect, test } from 'vitest'
import { indexedDBStore } from '../../src/browser/indexeddb-store.js'
import { renewalsFor, type Served } from '../../src/worker/renewals-for.js'
import { profile, type Tab } from '../session/profile.js'
import { type ScriptedServer, scriptedServer } from '../session/scripted.js'
import { sweep } from '../support/sweep.js'

// A worker's renewals on the store of a page: what they do, and how long the worker has to live for them.

beforeEach(() => {
  globalThis.indexedDB = new IDBFactory()
})

/** A page that is signed in, and what its worker would be sent and says. */
async function signedIn(options: Readonly<Record<string, unknown>> = {}) {
  const server = await scriptedServer()
  const store = indexedDBStore()
  const browser = profile(server, { store })
  const tab = await browser.signIn()
  await tab.session.token()
  const key = ['valetkey', 'session', server.authorizationServer.issuer, 'page', ''].map(encodeURIComponent).join(':')
  const record = async () =>
    JSON.parse((await store.get(key))?.value ?? '{}') as { session: string; generation: number; refreshToken?: string }
  const { session, generation } = await record()
  const config = { authorizationServer: server.authorizationServer, clientId: 'page', scope: ['openid', 'notes:read'], ...options }
  const said: { readonly valetkey?: string }[] = []
  const port = { postMessage: (message: object) => void said.push(message) }
  const request = { config, wanted: { minimumValidity: 0, after: Infinity }, due: { session, generation } }
  return { server, tab, record, config, request, port, said }
}

const serving = ({ config }: { readonly config: object }, known = new Map<string, Served>()): Served => renewalsFor(config, known) as Served

const kinds = (said: readonly { readonly valetkey?: string }[]) => said.map(({ valetkey }) => valetkey)

/** The next token request is answered when it is let go. */
function held(server: ScriptedServer, body: () => object): { readonly come: Promise<void>; readonly letGo: () => void } {
  let letGo = () => {}
  const gone = new Promise<void>((resolve) => (letGo = resolve))
  const come = new Promise<void>((resolve) => {
    server.wire.on('/token', (_, response) => {
      resolve()
      void gone.then(() => response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body())))
    })
  })
  return { come, letGo }
}

const anAnswer = () => ({ access_token: 'late-access', token_type: 'Bearer', expires_in: 60, refresh_token: 'late-refresh' })

test('it says at once that it has begun, what happens and what came of it, and never a token; the outcome is in the store of the page', async () => {
  const page = await signedIn()
  await serving(page).serve(page.request, page.port)
  expect(kinds(page.said)).toEqual(['taken', 'fact', 'fact', 'done'])
  expect((await page.record()).generation).toBe(page.request.due.generation + 1)
  expect(sweep(page.server.issued(), { said: page.said })).toEqual([])
  await page.tab.session.token({ rejected: await page.tab.session.token() })
})

test('two who ask for one renewal are told that one began and one was adopted, and one request is sent', async () => {
  const page = await signedIn()
  const known = new Map<string, Served>()
  const other: { readonly valetkey?: string; readonly fact?: object }[] = []
  const before = page.server.tokenRequests().length
  await Promise.all([
    serving(page, known).serve(page.request, page.port),
    serving({ config: { ...page.config } }, known).serve(page.request, { postMessage: (message: object) => void other.push(message) }),
  ])
  expect(page.server.tokenRequests().length - before).toBe(1)
  expect(other.flatMap(({ fact }) => (fact === undefined ? [] : [fact]))).toEqual([{ type: 'renewal_adopted' }])
  expect(known.size).toBe(1)
})

test('a session that is not in its database is not renewed, and nothing is sent', async () => {
  const page = await signedIn()
  const before = page.server.tokenRequests().length
  await serving(page).serve({ ...page.request, due: { session: 'in the memory of a page', generation: 1 } }, page.port)
  await serving({ config: { ...page.config, database: 'another' } }).serve(page.request, page.port)
  await serving({ config: { ...page.config, account: 'another' } }).serve(page.request, page.port)
  expect(kinds(page.said)).toEqual(['taken', 'absent', 'taken', 'absent', 'taken', 'absent'])
  expect(page.server.tokenRequests().length).toBe(before)
})

test.each<[string, object]>([
  ['no options', {}],
  ['an issuer by http', { issuer: 'http://as.example', clientId: 'page' }],
  ['a client secret', { issuer: 'https://as.example', clientId: 'page', clientAuthentication: { method: 'none' } }],
  ['a fetch', { issuer: 'https://as.example', clientId: 'page', fetch: 'mine' }],
  ['an option that nobody knows', { issuer: 'https://as.example', clientId: 'page', then: 1 }],
  ['a database that is no name', { issuer: 'https://as.example', clientId: 'page', database: 7 }],
  ['what is no JSON', { issuer: 'https://as.example', clientId: 'page', scope: [1n] }],
])('%s make no client, and nothing is kept of them', (_, config) => {
  const known = new Map<string, Served>()
  expect(renewalsFor(config, known)).toBeUndefined()
  expect(known.size).toBe(0)
})

test('it lives until an answer that came after the deadline is stored', async () => {
  const page = await signedIn({ deadlineSeconds: 0.05 })
  const { come, letGo } = held(page.server, anAnswer)
  let over = false
  const timedOut = new Promise<void>((resolve) => {
    const { postMessage } = page.port
    page.port.postMessage = (message: { readonly valetkey?: string }) => {
      postMessage(message)
      if (message.valetkey === 'done') resolve()
    }
  })
  const served = serving(page)
    .serve(page.request, page.port)
    .then(() => (over = true))
  await come
  await timedOut
  expect(page.said.at(-1)).toMatchObject({ valetkey: 'done', error: { code: 'timed_out' } })
  expect([over, (await page.record()).refreshToken]).not.toContain('late-refresh')
  expect(over).toBe(false)
  letGo()
  await served
  expect((await page.record()).refreshToken).toBe('late-refresh')
})

test('it lives until an answer that finds the user signed out is taken back', async () => {
  const page = await signedIn()
  const { come, letGo } = held(page.server, anAnswer)
  const served = serving(page).serve(page.request, page.port)
  await come
  await (page.tab as Tab).session.signOut()
  letGo()
  await served
  expect(page.server.revoked()).toEqual(expect.arrayContaining(['late-refresh', 'late-access']))
})
