import type { IncomingMessage, ServerResponse } from 'node:http'
import { clientSecretBasic } from '../../src/index.js'
import { type ResourceServer, type Verified, resourceServer } from '../../src/resource-server/index.js'
import { fingerprint, listen } from './loopback.js'
import { type DemoResource, mailResource, notesResource } from './resources.js'
import { sendWebResponse, webRequest } from './web-messages.js'

export interface ApiOptions {
  readonly issuer: string
  /** With what the introspection endpoint is asked: `resourceServer` of the authorization server. */
  readonly resourceServer: { readonly clientId: string; readonly clientSecret: string }
  /** Default: a free one. */
  readonly port?: number | undefined
  /** Default `127.0.0.1`. */
  readonly host?: string | undefined
  /** Origins of pages that may call. */
  readonly origins?: readonly string[] | undefined
  /** Which resource the paths `/notes` and `/mail` are. */
  readonly resources?: { readonly notes: DemoResource; readonly mail: DemoResource } | undefined
}

/** One call. There is no token in it. */
export interface CallRecord {
  readonly at: number
  readonly method: string
  readonly path: string
  readonly status: number
  readonly cookies: boolean
  /** A hash, to tell access tokens apart. */
  readonly token?: string
  readonly subject?: string
  /** The thumbprint of the key that the token is bound to. */
  readonly boundTo?: string
}

export interface ApiTrouble {
  /** `next_call`: one call. `token`: the token of the next call, from then on. `everything`: until it is changed. Answered with 401. */
  refuse: 'nothing' | 'next_call' | 'token' | 'everything'
  /** A proof must repeat a nonce that is made from this key (RFC 9449 section 9). Another key makes other nonces. */
  nonceKey?: string | undefined
}

/** An API with two resources: notes takes random strings and asks the authorization server about them, mail takes JWTs and checks them itself. */
export interface DemoApi {
  readonly origin: string
  readonly notes: DemoResource
  readonly mail: DemoResource
  readonly trouble: ApiTrouble
  readonly log: readonly CallRecord[]
  /** How many calls (preflights not counted) were answered with this status. */
  answered(status: number): number
  close(): Promise<void>
}

interface Answer {
  readonly response: Response
  /** What the token of an accepted call says. */
  readonly token?: Verified
}

interface Route {
  readonly resource: 'notes' | 'mail'
  readonly scope: string
  readonly answer: (token: Verified, body: string) => { readonly status: number; readonly body: unknown }
}

export async function startApi(options: ApiOptions): Promise<DemoApi> {
  const resources = options.resources ?? { notes: notesResource, mail: mailResource }
  const guards = guardsOf(options, resources)
  const routes = routesOf()
  const trouble: ApiTrouble = { refuse: 'nothing' }
  const refused = new Set<string>()
  const log: CallRecord[] = []

  const isRefused = (token: string): boolean => {
    const { refuse } = trouble
    if (refuse === 'token') refused.add(fingerprint(token))
    if (refuse === 'token' || refuse === 'next_call') trouble.refuse = 'nothing'
    return refuse === 'next_call' || refuse === 'everything' || refused.has(fingerprint(token))
  }

  const respond = async (request: Request): Promise<Answer> => {
    const route = routes.get(`${request.method} ${new URL(request.url).pathname}`)
    if (route === undefined) return { response: Response.json({ error: 'not_found' }, { status: 404 }) }
    const { scheme, text } = shownIn(request)
    if (text !== undefined && isRefused(text)) {
      const headers = { 'www-authenticate': `${scheme} error="invalid_token"` }
      return { response: Response.json({ error: 'invalid_token' }, { status: 401, headers }) }
    }
    const token = await guards(route.resource, trouble.nonceKey).verifyAccessToken(request, { scope: [route.scope] })
    if (!token.ok) return { response: token.response }
    const { status, body } = route.answer(token, await request.text())
    return { response: Response.json(body, { status, headers: token.headers }), token }
  }

  const call = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const at = Date.now()
    const request = await webRequest(server.origin, incoming)
    if (request.method === 'OPTIONS') return sendWebResponse(outgoing, readableBy(request, options, new Response(null, { status: 204 })))
    const { response, token } = await respond(request)
    const { text } = shownIn(request)
    const boundTo = (token?.claims['cnf'] as { readonly jkt?: string } | undefined)?.jkt
    log.push({
      at,
      method: request.method,
      path: new URL(request.url).pathname,
      status: response.status,
      cookies: request.headers.has('cookie'),
      ...(text === undefined ? {} : { token: fingerprint(text) }),
      ...(token?.subject === undefined ? {} : { subject: token.subject }),
      ...(boundTo === undefined ? {} : { boundTo }),
    })
    await sendWebResponse(outgoing, readableBy(request, options, response))
  }

  const server = await listen(options, () => (incoming, outgoing) => {
    // What cannot be read, and an authorization server that does not let this API ask, are nobody's token.
    call(incoming, outgoing).catch(() => outgoing.headersSent || outgoing.writeHead(500).end())
  })
  return {
    origin: server.origin,
    notes: resources.notes,
    mail: resources.mail,
    trouble,
    log,
    answered: (status) => log.filter((record) => record.status === status).length,
    close: server.close,
  }
}

/** Who checks the tokens of a resource; with a key, proofs must repeat a nonce. */
type Guards = (resource: 'notes' | 'mail', nonceKey: string | undefined) => ResourceServer

function guardsOf(options: ApiOptions, resources: { readonly notes: DemoResource; readonly mail: DemoResource }): Guards {
  const { issuer, resourceServer: asks } = options
  const introspection = { clientId: asks.clientId, clientAuthentication: clientSecretBasic(asks.clientSecret) }
  // A fetch of its own: what an application in the same process has learnt of the authorization server, this API has not.
  const ownFetch: typeof fetch = (input, init) => fetch(input, init)
  const known = new Map<string, ResourceServer>()
  return (resource, nonceKey) => {
    const name = `${resource} ${nonceKey ?? ''}`
    const { identifier, format } = resources[resource]
    const guard =
      known.get(name) ??
      resourceServer({
        issuer,
        audience: identifier,
        fetch: ownFetch,
        ...(format === 'opaque' ? { introspection } : {}),
        ...(nonceKey === undefined ? {} : { dpopNonceKey: nonceKey }),
      })
    known.set(name, guard)
    return guard
  }
}

function shownIn({ headers }: Request): { readonly scheme: string; readonly text: string | undefined } {
  const [, scheme = '', text] = /^(Bearer|DPoP) +([^ ,]+)$/i.exec(headers.get('authorization') ?? '') ?? []
  return { scheme: scheme.toLowerCase() === 'dpop' ? 'DPoP' : 'Bearer', text }
}

function routesOf(): ReadonlyMap<string, Route> {
  const notes = ['Buy bread', 'Water the basil', 'Call Grace back']
  const mail = [{ from: 'Grace', subject: 'Lunch on Thursday?' }]
  return new Map<string, Route>([
    ['GET /notes', { resource: 'notes', scope: 'notes:read', answer: () => ({ status: 200, body: { notes } }) }],
    [
      'POST /notes',
      {
        resource: 'notes',
        scope: 'notes:write',
        answer: (_token, body) => {
          notes.push(body.slice(0, 200))
          if (notes.length > 20) notes.shift()
          return { status: 201, body: { notes } }
        },
      },
    ],
    ['GET /mail', { resource: 'mail', scope: 'mail:read', answer: ({ subject }) => ({ status: 200, body: { for: subject, mail } }) }],
    ['POST /mail', { resource: 'mail', scope: 'mail:send', answer: () => ({ status: 202, body: { sent: true } }) }],
  ])
}

/** As the pages that may call can read it, and no others: a refusal by itself could be read by all. */
function readableBy(request: Request, { origins = [] }: ApiOptions, { status, headers: given, body }: Response): Response {
  const headers = new Headers(given)
  const origin = request.headers.get('origin') ?? ''
  const mayRead = origins.includes(origin)
  for (const name of ['access-control-allow-origin', 'access-control-expose-headers']) headers.delete(name)
  headers.set('vary', 'Origin')
  headers.set('cache-control', 'no-store')
  if (mayRead) {
    headers.set('access-control-allow-origin', origin)
    headers.set('access-control-allow-methods', 'GET, POST')
    headers.set('access-control-allow-headers', 'authorization, content-type, dpop')
    headers.set('access-control-max-age', '600')
    headers.set('access-control-expose-headers', 'WWW-Authenticate, DPoP-Nonce, Date, Retry-After')
  }
  return new Response(body, { status, headers })
}
