import { expect, test } from 'vitest'
import { discoverResource } from '../../src/index.js'
import { discoverResource as discoverOnServer } from '../../src/node/discover-resource.js'
import { isPublicAddress, publicFetch } from '../../src/node/public-fetch.js'
import { type Route, faultServer, flood, hangUp, json, status, text } from '../support/fault-server.js'

const place = '/.well-known/oauth-protected-resource'
const servers = ['https://auth.example.com']
const document = (resource: string, more: object = {}) =>
  json({ resource, authorization_servers: servers, scopes_supported: ['notes:read', 'notes:write'], ...more })

test('D18 the document is between the host and the path of the resource, and says whose tokens it takes', async () => {
  const wire = await faultServer()
  const url = `${wire.origin}/notes`
  wire.on(`${place}/notes`, document(url, { dpop_bound_access_tokens_required: true, x_evil: {} }))
  expect(await discoverResource(url)).toEqual({
    resource: url,
    authorizationServers: servers,
    scopesSupported: ['notes:read', 'notes:write'],
    dpopBoundAccessTokensRequired: true,
  })
  expect(wire.received.map(({ path }) => path)).toEqual(['/notes', `${place}/notes`])
  for (const { headers } of wire.received)
    expect([headers.authorization, headers.cookie, headers.referer]).toEqual([undefined, undefined, undefined])
})

test('D20 where the path has none the origin is asked', async () => {
  const wire = await faultServer()
  wire.on(place, document(`${wire.origin}/`))
  expect((await discoverResource(`${wire.origin}/notes/7`)).resource).toBe(`${wire.origin}/`)
  expect(wire.received.map(({ path }) => path)).toEqual(['/notes/7', `${place}/notes/7`, place])
})

test('D20 where a challenge names the document that one counts, and no other', async () => {
  const wire = await faultServer()
  const url = `${wire.origin}/notes`
  wire.on('/notes', status(401, { 'www-authenticate': `Bearer resource_metadata="${wire.origin}/elsewhere"` }))
  wire.on('/elsewhere', document(url))
  wire.on(`${place}/notes`, document(url, { authorization_servers: ['https://other.example'] }))
  expect((await discoverResource(url)).authorizationServers).toEqual(servers)
  wire.on('/elsewhere', status(404))
  await expect(discoverResource(url)).rejects.toMatchObject({ code: 'discovery_failed' })
  expect(wire.to(`${place}/notes`)).toEqual([])
})

test('D21 a challenge that names another document is followed at the next call: nothing is remembered', async () => {
  const wire = await faultServer()
  const url = `${wire.origin}/notes`
  for (const [name, issuer] of [
    ['/one', 'https://one.example'],
    ['/two', 'https://two.example'],
  ] as const) {
    wire.on('/notes', status(401, { 'www-authenticate': `Bearer resource_metadata="${wire.origin}${name}"` }))
    wire.on(name, document(url, { authorization_servers: [issuer] }))
    expect((await discoverResource(url)).authorizationServers).toEqual([issuer])
  }
})

test.for([
  ['another resource', (url: string) => url.replace('/notes', '/mail')],
  ['the same in other letters', (url: string) => url.replace('http:', 'HTTP:')],
  ['the same with a slash', (url: string) => `${url}/`],
  ['its origin alone', (url: string) => new URL(url).origin],
] as const)('D19 a document that calls itself %s is not used', async ([, rename]) => {
  const wire = await faultServer()
  const url = `${wire.origin}/notes`
  wire.on(`${place}/notes`, document(rename(url)))
  await expect(discoverResource(url)).rejects.toMatchObject({ code: 'issuer_mismatch' })
  expect(wire.to(place)).toEqual([])
})

test('D22 signed metadata is passed over: nothing of it is used', async () => {
  const wire = await faultServer()
  const url = `${wire.origin}/notes`
  const claims = Buffer.from(JSON.stringify({ authorization_servers: ['https://evil.example'] })).toString('base64url')
  wire.on(`${place}/notes`, document(url, { signed_metadata: `e30.${claims}.AAAA` }))
  expect((await discoverResource(url)).authorizationServers).toEqual(servers)
})

test('D24 what a resource knows is said, and asked for by nobody', async () => {
  const wire = await faultServer()
  const url = `${wire.origin}/`
  wire.on(place, document(url, { scopes_supported: Array.from({ length: 20 }, (_, index) => `scope:${index}`) }))
  const { scopesSupported } = await discoverResource(url)
  expect(scopesSupported).toHaveLength(20)
  expect(Object.isFrozen(scopesSupported)).toBe(true)
})

test.for<{ name: string; answer: Route; code: string }>([
  { name: 'is not there', answer: status(404), code: 'discovery_failed' },
  { name: 'is out of order', answer: status(503), code: 'discovery_failed' },
  { name: 'redirects', answer: status(302, { location: 'https://evil.example' }), code: 'discovery_failed' },
  { name: 'is HTML', answer: text('<html>', { 'content-type': 'text/html' }), code: 'discovery_failed' },
  { name: 'is no JSON', answer: text('{', { 'content-type': 'application/json' }), code: 'discovery_failed' },
  { name: 'names no resource', answer: json({ authorization_servers: servers }), code: 'discovery_failed' },
  {
    name: 'has an http authorization server',
    answer: json({ resource: 'R', authorization_servers: ['http://auth.example'] }),
    code: 'issuer_mismatch',
  },
  { name: 'is too large', answer: flood(8 * 1024 * 1024), code: 'discovery_failed' },
  { name: 'never comes', answer: hangUp, code: 'network' },
])('a document that $name is a typed error', async ({ answer, code }) => {
  const wire = await faultServer()
  wire.on(`${place}/notes`, answer)
  await expect(discoverResource(`${wire.origin}/notes`)).rejects.toMatchObject({ name: 'OAuthError', code })
})

test.for([
  { authorization_servers: ['javascript:alert(1)'] },
  { authorization_servers: 'https://a.example' },
  { authorization_servers: ['http://auth.example'] },
  { scopes_supported: [7] },
])('a member that cannot be is refused: %o', async (member) => {
  const wire = await faultServer()
  const url = `${wire.origin}/notes`
  wire.on(`${place}/notes`, document(url, member))
  await expect(discoverResource(url)).rejects.toMatchObject({ code: 'discovery_failed' })
})

test.for(['http://api.example/', 'javascript:alert(1)', '/notes', 'https://api.example/#a', 'https://ann@api.example/', ''])(
  '%s is no resource',
  async (url) => {
    await expect(discoverResource(url)).rejects.toMatchObject({ code: 'invalid_configuration' })
  },
)

// On a server: D23, attack 77.

test.for([
  '0.0.0.0', '10.1.2.3', '100.64.0.1', '127.0.0.1', '127.9.9.9', '169.254.169.254', '172.16.0.1', '172.31.255.255', '192.168.1.1', '198.18.0.1', '224.0.0.1', '255.255.255.255',
  '::', '::1', '::ffff:127.0.0.1', '::ffff:169.254.169.254', '64:ff9b::7f00:1', 'fc00::1', 'fd12:3456::1', 'fe80::1', 'ff02::1', '2001:db8::1', '2002:7f00:1::', 'no address',
])('D23 %s is no address of the public Internet', (address) => {
  expect(isPublicAddress(address)).toBe(false)
}) // prettier-ignore

test.for(['1.1.1.1', '8.8.8.8', '172.32.0.1', '193.0.0.1', '2606:4700::1111', '::ffff:8.8.8.8'])('D23 %s is one', (address) => {
  expect(isPublicAddress(address)).toBe(true)
})

type Lookup = NonNullable<Parameters<typeof publicFetch>[1]>
const resolving = (...addresses: readonly string[]): Lookup & { asked: number } => {
  const lookup = (_name: string, _options: object, callback: (error: null, found: object[]) => void) => {
    made.asked += 1
    callback(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    )
  }
  const made = Object.assign(lookup as unknown as Lookup, { asked: 0 })
  return made
}

test('D23 attack 77 no name and no literal leads to a private address: no connection is made', async () => {
  const wire = await faultServer({ '/': json({}) })
  const { port } = new URL(wire.origin)
  for (const host of ['127.0.0.1', '[::1]', '2130706433', '0x7f.1', '017700000001', '[::ffff:127.0.0.1]', '0.0.0.0'])
    await expect(publicFetch()(`http://${host}:${port}/`), host).rejects.toThrow('no address of the public Internet')
  for (const address of ['127.0.0.1', '::1', '10.0.0.1', '169.254.169.254'])
    await expect(publicFetch(undefined, resolving(address))(`http://api.example:${port}/`), address).rejects.toThrow(
      'no address of the public Internet',
    )
  expect(wire.received).toEqual([])
})

test('D23 attack 77 a name is resolved once, so that a second answer leads nowhere else', async () => {
  const lookup = resolving('10.0.0.1', '127.0.0.1')
  await expect(publicFetch(undefined, lookup)('http://api.example/')).rejects.toThrow()
  expect(lookup.asked).toBe(1)
})

test('D23 a challenge that names a private address is not followed from a resource on another one', async () => {
  const wire = await faultServer({ '/secret': json({ resource: 'x' }) })
  const resource = await faultServer()
  const { port } = new URL(wire.origin)
  resource.on('/notes', status(401, { 'www-authenticate': `Bearer resource_metadata="http://127.0.0.1:${port}/secret"` }))
  await expect(discoverOnServer(`${resource.origin}/notes`)).rejects.toMatchObject({ code: 'network' })
  expect(wire.received).toEqual([])
})

test('the origin that the program itself names may be anywhere, and answers as by fetch', async () => {
  const wire = await faultServer()
  const url = `${wire.origin}/notes`
  wire.on(`${place}/notes`, document(url))
  expect((await discoverOnServer(url)).authorizationServers).toEqual(servers)
  const response = await publicFetch(wire.origin)(`${wire.origin}${place}/notes`, {
    method: 'POST',
    body: 'a=b',
    headers: { 'x-one': '1' },
  })
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/json'])
  expect(wire.received.at(-1)).toMatchObject({ method: 'POST', body: 'a=b', headers: { 'x-one': '1' } })
  const leave = new AbortController()
  const waiting = publicFetch(wire.origin)(wire.on('/slow', () => {}).origin + '/slow', { signal: leave.signal })
  leave.abort()
  await expect(waiting).rejects.toThrow()
})
