import { afterEach, beforeEach, expect, test, vi } from 'vitest'

// Which messages a worker takes. What comes of them: test/worker/renewals-for.test.ts, and in a real worker test/chromium/worker.test.ts.

type Listener = (event: object) => void

let listeners: Listener[] = []
beforeEach(() => {
  listeners = []
  vi.stubGlobal('origin', 'https://app.example')
  vi.stubGlobal('addEventListener', (name: string, listener: Listener) => name === 'message' && listeners.push(listener))
})
afterEach(() => {
  vi.unstubAllGlobals()
  vi.resetModules()
})

const load = () => import('../../src/worker/index.js')
const inServiceWorker = () => {
  const Scope = function () {}
  Object.defineProperty(Scope, Symbol.hasInstance, { value: (one: unknown) => one === globalThis })
  vi.stubGlobal('ServiceWorkerGlobalScope', Scope)
}

const data = {
  valetkey: 'renew',
  config: { issuer: 'https://as.example', clientId: 'page' },
  wanted: { minimumValidity: 0, after: Infinity },
  due: { session: 's', generation: 1 },
}

/** Sends a message; how often the worker was kept alive for it, and what was said to its port. */
function send(change: Readonly<Record<string, unknown>>): { readonly works: Promise<unknown>[]; readonly said: unknown[] } {
  const [works, said]: [Promise<unknown>[], unknown[]] = [[], []]
  const port = { postMessage: (message: unknown) => said.push(message) }
  const waitUntil = (work: Promise<unknown>) => works.push(work)
  for (const listener of listeners) listener({ origin: 'https://app.example', ports: [port], data, waitUntil, ...change })
  return { works, said }
}

test('it is for service workers, and says so elsewhere', async () => {
  const { serveRenewals } = await load()
  expect(serveRenewals).toThrow(expect.objectContaining({ code: 'not_supported' }))
  expect(listeners).toEqual([])
})

test('it listens to messages once, and a request keeps the worker alive', async () => {
  inServiceWorker()
  const { serveRenewals } = await load()
  serveRenewals()
  serveRenewals()
  expect(listeners.length).toBe(1)
  const { works, said } = send({})
  expect(works.length).toBe(1)
  expect(said).toEqual([{ valetkey: 'taken' }])
  // There is no IndexedDB here: the page has to renew.
  await Promise.all(works)
  expect(said).toEqual([{ valetkey: 'taken' }, { valetkey: 'absent' }])
})

test.each<[string, Readonly<Record<string, unknown>>]>([
  ['of another origin', { origin: 'https://evil.example' }],
  ['of no origin', { origin: '' }],
  ['without a port', { ports: [] }],
  ['with two ports', { ports: [{}, {}] }],
  ['of the application', { data: { type: 'SKIP_WAITING' } }],
  ['that is malformed', { data: { ...data, due: 'now' } }],
  ['with a client that is none', { data: { ...data, config: { issuer: 'http://as.example', clientId: 'page' } } }],
])('a message %s does nothing', async (_, change) => {
  inServiceWorker()
  const { serveRenewals } = await load()
  serveRenewals()
  expect(send(change)).toEqual({ works: [], said: [] })
})
