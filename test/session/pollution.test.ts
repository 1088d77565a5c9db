import { expect, onTestFinished, test } from 'vitest'
import { sweep } from '../support/sweep.js'
import { profile } from './profile.js'
import { scriptedServer } from './scripted.js'

const prototype = Object.prototype as unknown as Record<string, unknown>

function pollute(name: string, descriptor: PropertyDescriptor): () => void {
  const clean = () => void Reflect.deleteProperty(prototype, name)
  Object.defineProperty(prototype, name, { configurable: true, ...descriptor })
  onTestFinished(clean)
  return clean
}

test('attack 40 45 a polluted then or toJSON meets no token, no code and no verifier, from the sign-in to the sign-out', async () => {
  const server = await scriptedServer()
  const browser = profile(server)
  const response = server.answer(await browser.open().leave())
  const tab = browser.open(response)
  const met: object[] = []
  const meet = {
    get(this: object) {
      // What the platform makes of an answer's bytes, and what the test's own server says, is not valetkey's.
      const callers = (new Error('met').stack ?? '').split('\n').filter((line) => /\/(src|test)\//.test(line))
      if (callers.find((line) => !line.includes('pollution.test'))?.includes('/src/') === true) met.push(this)
      return undefined
    },
  }
  const clean = ['then', 'toJSON'].map((name) => pollute(name, meet))
  expect(await tab.session.resume()).toBe(true)
  await tab.session.token({ rejected: await tab.session.token() })
  await tab.session.signOut()
  for (const each of clean) each()
  expect(met.length).toBeGreaterThan(0)
  // The ID token is read by oauth4webapi, in objects of its own. It opens nothing.
  const secrets = server.issued().filter((text) => !text.startsWith('ey'))
  expect(met.filter((one) => sweep(secrets, { one }).length > 0).map((one) => Object.keys(one).slice(0, 5))).toEqual([])
})

test('attack 45 what a polluted Object.prototype says changes neither request nor where the user goes', async () => {
  const servers = [await scriptedServer(), await scriptedServer()]
  const sent = async () => {
    const server = servers.shift() as (typeof servers)[number]
    const browser = profile(server, { authorizationParameters: {} })
    const request = await browser.open('/notes').leave({ scope: ['openid', 'notes:read'] })
    const tab = browser.open(server.answer(request))
    const resumed = await tab.session.resume()
    await tab.session.token({ rejected: await tab.session.token() })
    const result = await tab.session.signOut({})
    const names = (parameters: URLSearchParams) => [...parameters.keys()].sort()
    const forms = server.wire.received.map(({ path, form, headers }) => [path, names(form), Object.hasOwn(headers, 'x-polluted')])
    return { request: names(request.searchParams), forms, resumed, result, address: tab.page.address()?.href, went: tab.page.navigations }
  }
  const clean = await sent()
  for (const [name, value] of Object.entries({
    prompt: 'none',
    loginHint: 'eve',
    returnTo: 'https://evil.example',
    authorizationParameters: { request_uri: 'https://evil.example' },
    tokenParameters: { audience: 'evil' },
    resource: 'https://evil.example/',
    audience: 'evil',
    maxAgeSeconds: 0,
    atAuthorizationServer: true,
    endsSession: true,
    additionalParameters: { scope: 'admin' },
    'x-polluted': 'evil',
    serverQuirks: ['error_with_status_200'],
    mtls_endpoint_aliases: { token_endpoint: 'https://evil.example/t' },
    use_mtls_endpoint_aliases: true,
    discoveryUrl: 'https://evil.example',
    nonce: 'evil',
  })) {
    pollute(name, { value, writable: true })
  }
  const { forms, ...rest } = await sent()
  expect({ forms, ...rest }).toEqual(clean)
})
