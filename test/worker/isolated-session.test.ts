import 'fake-indexeddb/auto'
import { expect, test } from 'vitest'
import { isolated } from '../../src/worker/isolated-session.js'
import { pageBeyond } from '../../src/worker/page-beyond.js'
import { failure } from '../support/sign-in.js'

// What a worker's session does before and after its page obeys. In a real worker: test/chromium/isolated.test.ts.

const origin = 'https://app.example'
const settings = {
  authorizationServer: {
    issuer: 'https://as.example',
    authorization_endpoint: 'https://as.example/authorize',
    token_endpoint: 'https://as.example/token',
    response_types_supported: ['code'],
  },
  clientId: 'page',
  redirectUri: '/callback',
  resources: ['https://api.example/'],
}
const seen = (address: string) => ({ address, isFramed: false, isAttended: true })

interface Ordered {
  readonly valetkey: string
  readonly id: number
  readonly url: string
}

function page() {
  const beyond = pageBeyond()
  const orders: Ordered[] = []
  beyond.connect({ postMessage: (message: unknown) => orders.push(message as Ordered) })
  return { beyond, orders }
}

test('nothing is done with a code until the page has taken it out of its address', async () => {
  const { beyond, orders } = page()
  let requests = 0
  const fetch = async () => {
    requests += 1
    return new Response('{"error":"invalid_grant"}', { status: 400, headers: { 'content-type': 'application/json' } })
  }
  const { session } = isolated({ ...settings, fetch }, beyond, origin)
  beyond.see(seen(`${origin}/notes`))
  session.signIn().catch(() => {})
  await expect.poll(() => orders.find(({ valetkey }) => valetkey === 'leave')).toBeDefined()
  const { searchParams } = new URL(orders[0]?.url ?? '')
  expect(searchParams.get('redirect_uri')).toBe(`${origin}/callback`)
  beyond.see(seen(`${origin}/callback?code=c&state=${searchParams.get('state')}`))
  const resumed = failure(session.resume())
  await expect.poll(() => orders.find(({ valetkey }) => valetkey === 'replace')?.url).toBe(`${origin}/callback`)
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(requests).toBe(0)
  beyond.obeyed(orders.at(-1)?.id ?? 0, undefined)
  expect(await resumed).toHaveProperty('code')
  expect(requests).toBe(1)
})

test.each<[string, object]>([
  ['store', { store: { get: async () => undefined, replace: async () => true } }],
  ['lock', { lock: async () => {} }],
  ['clientAuthentication', { clientAuthentication: { method: 'none' } }],
  ['userAgent', { userAgent: { authorize: async () => new URL(origin) } }],
  ['navigate', { navigate: () => {} }],
  ['worker', { worker: '/worker.js' }],
  ['redirectUri', { redirectUri: 'callback' }],
  ['resources', { resources: [] }],
  ['clientId', { clientId: '' }],
])('the option %s is refused by its name where it is wrong or has no place in a worker', async (name, wrong) => {
  const refused = await failure((async () => isolated({ ...settings, ...wrong }, pageBeyond(), origin))())
  expect(refused).toMatchObject({ code: 'invalid_configuration' })
  expect(refused.message).toContain(`\`${name}\``)
})
