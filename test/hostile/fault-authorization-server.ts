import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Endpoint, Fault, Place, Received } from './fault.js'
import { type Honest, honest, publicKeys } from './honest.js'
import { proofOf } from './proofs.js'
import { type Answer, carry } from './transport.js'

/** One issuer of the fault authorization server, and all that was seen of it. */
export interface Stage {
  readonly place: Place
  readonly server: Honest
  /** Every request, in the order in which they came. */
  readonly received: readonly Received[]
  /** Resolves when an answer is held back for ever. */
  readonly held: Promise<void>
  /** The user agent: goes to the authorization endpoint, and comes back with the response. */
  browse(request: URL): Promise<URL>
  /** As a client calls it: who wants to go where nobody is does not get there, and is seen. */
  readonly fetch: typeof fetch
  /** Where the user agent or a request was sent, other than to this server. */
  readonly astray: readonly string[]
  /** Resolves when no request is being answered. */
  quiet(): Promise<void>
}

export interface FaultAuthorizationServer {
  /** A new issuer with this fault. */
  stage(fault: Fault): Stage
  close(): Promise<void>
}

/** Kept, for a client may be given another by the global's name. */
const platformFetch = globalThis.fetch

interface Issuer {
  readonly fault: Fault
  readonly place: Place
  readonly server: Honest
  readonly received: Received[]
  readonly counts: Map<Endpoint, number>
  readonly hold: () => void
}

/** An authorization server with an API, at `/{issuer}/…`, and a stranger at another origin. One process, as many issuers as there are scenarios. */
export async function faultAuthorizationServer(): Promise<FaultAuthorizationServer> {
  const issuers = new Map<string, Issuer>()
  const open = new Set<ServerResponse>()
  const servers = [await listening((...exchange) => answer(...exchange)), await listening((...exchange) => answer(...exchange))] as const
  const [origin, elsewhere] = [originOf(servers[0]), originOf(servers[1])]

  async function answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    open.add(response)
    response.on('close', () => open.delete(response)).on('error', () => {})
    const chunks: Buffer[] = []
    for await (const chunk of incoming) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks).toString()
    const url = new URL(incoming.url ?? '/', `http://${incoming.headers.host}`)
    const path = url.pathname.replace(/^\/\.well-known\/(?:oauth-authorization-server|openid-configuration)/, '')
    const issuer = issuers.get(path.split('/')[1] ?? '')
    if (issuer === undefined) return void response.writeHead(404).end()
    const endpoint = incoming.socket.localPort === portOf(servers[1]) ? 'elsewhere' : endpointOf(url.pathname)
    const { method = '', headers } = incoming
    const request: Received = { endpoint, method, url, headers, body, form: new URLSearchParams(body) }
    const nth = issuer.counts.get(endpoint) ?? 0
    issuer.counts.set(endpoint, nth + 1)
    issuer.received.push(request)
    const transport = issuer.fault.transport?.(request, issuer.place, nth) ?? {}
    const said = transport.undone ? nothing : honestAnswer(issuer, request, nth)
    carry(response, said, transport, issuer.hold)
  }

  return {
    stage(fault) {
      const name = `issuer-${issuers.size}`
      const issuer = `${origin}/${name}`
      const place: Place = {
        issuer,
        resource: `${issuer}/api/`,
        elsewhere: `${elsewhere}/${name}`,
        other: `${origin}/${name}/other`,
        redirectUri: 'http://127.0.0.1:1/callback',
        clientId: 'app',
        clientSecret: 'client-secret-MARKER7f3a-of-the-scenario',
        foreignCode: () => server.foreignCode(),
        secret: (kind) => server.secret(kind),
      }
      const server = honest(place, fault)
      let hold: () => void = () => {}
      const held = new Promise<void>((resolve) => (hold = resolve))
      const received: Received[] = []
      const astray: string[] = []
      issuers.set(name, { fault, place, server, received, counts: new Map(), hold })
      return {
        place,
        server,
        received,
        held,
        astray,
        browse: (request) => browse(request, astray),
        fetch: (input, init) => {
          const url = new URL(input instanceof Request ? input.url : input)
          if (url.protocol === 'http:' && /^(?:127\.0\.0\.1|localhost)$/.test(url.hostname)) return platformFetch(input, init)
          astray.push(url.protocol)
          return Promise.reject(new TypeError('fetch failed'))
        },
        async quiet() {
          for (let turn = 0; turn < 20 || (open.size > 0 && turn < 200); turn += 1) await new Promise((resolve) => setImmediate(resolve))
        },
      }
    },
    async close() {
      for (const server of servers) server.closeAllConnections()
      await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
    },
  }
}

/** Follows no redirect but reads it: what a browser would go to next is the authorization response. */
async function browse(request: URL, astray: string[]): Promise<URL> {
  if (!/^http:\/\/127\.0\.0\.1:\d+\/issuer-\d+\/authorize$/.test(`${request.origin}${request.pathname}`)) {
    astray.push(request.protocol)
    return new URL('http://127.0.0.1:1/callback')
  }
  const response = await platformFetch(request, { redirect: 'manual', headers: { 'user-agent': 'browser' } })
  return new URL(response.headers.get('location') ?? 'http://127.0.0.1:1/callback')
}

function endpointOf(path: string): Endpoint {
  if (path.includes('/.well-known/')) return 'metadata'
  if (path.includes('/api')) return 'resource'
  const last = path.split('/')[2] ?? ''
  return (['par', 'authorize', 'token', 'jwks', 'userinfo', 'revoke'] as const).find((one) => one === last) ?? 'nowhere'
}

const nothing: Answer = { status: 503, headers: {}, body: '' }
const json = { 'content-type': 'application/json' }

function honestAnswer({ fault, place, server }: Issuer, request: Received, nth: number): Answer {
  switch (request.endpoint) {
    case 'metadata':
      return jsonAnswer(fault.discovery?.(server.metadata(), place) ?? server.metadata())
    case 'authorize':
      return { status: 302, headers: { location: responseAddress(fault, place, server.authorize(request.url.searchParams)) }, body: '' }
    case 'par':
      return nonceChallenge(fault, request, request.endpoint, nth) ?? jsonAnswer(server.push(request.form), 201)
    case 'token': {
      const challenged = nonceChallenge(fault, request, request.endpoint, nth)
      if (challenged !== undefined) return challenged
      const { status, body } = server.token(request)
      return jsonAnswer(fault.token?.(body, request, place) ?? body, status)
    }
    case 'jwks':
      return jsonAnswer(fault.jwks?.(publicKeys) ?? publicKeys)
    case 'userinfo':
      return jsonAnswer(fault.userinfo?.({ sub: 'ann' }) ?? { sub: 'ann' })
    case 'revoke':
      return { status: 200, headers: {}, body: '' }
    case 'resource': {
      const nonce = fault.nonce?.('resource', nth)
      const challenge = { 'www-authenticate': 'DPoP error="use_dpop_nonce"', 'dpop-nonce': nonce ?? '' }
      if (nonce !== undefined && proofOf(request)?.nonce !== nonce) {
        const refused = { status: 401, headers: challenge, body: '' }
        return fault.resource?.(refused, request, place, nth) ?? refused
      }
      const said = server.isAllowed(request)
        ? { status: 200, headers: json, body: '{"notes":[]}' }
        : { status: 401, headers: { 'www-authenticate': 'Bearer error="invalid_token"' }, body: '' }
      return fault.resource?.(said, request, place, nth) ?? said
    }
    case 'elsewhere':
      // Whatever a client may want, so that one who comes here is not stopped by chance.
      return jsonAnswer({ ...server.metadata(), access_token: server.secret('evil'), token_type: 'Bearer', expires_in: 60, keys: [] })
    default:
      return { status: 404, headers: {}, body: '' }
  }
}

/** What an endpoint of the authorization server says to a request that has not its nonce. */
function nonceChallenge({ nonce: wanted }: Fault, request: Received, endpoint: 'par' | 'token', nth: number): Answer | undefined {
  const nonce = wanted?.(endpoint, nth)
  if (nonce === undefined || proofOf(request)?.nonce === nonce) return undefined
  return { ...jsonAnswer({ error: 'use_dpop_nonce' }, 400), headers: { ...json, 'dpop-nonce': nonce } }
}

function jsonAnswer(body: object | string, status = 200): Answer {
  return { status, headers: json, body: typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body) }
}

function responseAddress(fault: Fault, place: Place, said: ReturnType<Honest['authorize']>): string {
  const response = new URL(place.redirectUri)
  const fragment = new URLSearchParams()
  for (const [name, value] of fault.authorize?.(said, place) ?? said) {
    if (name.startsWith('#')) fragment.append(name.slice(1), value)
    else response.searchParams.append(name, value)
  }
  response.hash = fragment.toString()
  return response.href
}

async function listening(answer: (request: IncomingMessage, response: ServerResponse) => Promise<void>): Promise<Server> {
  const server = createServer((request, response) => void answer(request, response).catch(() => response.destroy()))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port
}

function originOf(server: Server): string {
  return `http://127.0.0.1:${portOf(server)}`
}
