import type { IncomingMessage, ServerResponse } from 'node:http'
import { type TokenFacts, accessTokenCheck } from './access-token-check.js'
import { fingerprint, listen, readText, sendJson } from './loopback.js'
import { proofCheck } from './proof-check.js'
import { type DemoResource, mailResource, notesResource } from './resources.js'

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
  /** Whether a page may read `WWW-Authenticate`; across origins most APIs forget it. Default true. */
  readonly challengeReadable?: boolean | undefined
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
  /** What a proof must repeat (RFC 9449 section 9); a new one is told with the next answer. */
  nonce?: string | undefined
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
  readonly status: number
  readonly body: unknown
  readonly challenge?: string
}

/** What a call shows of itself. */
interface Shown {
  readonly path: string
  readonly token: string | undefined
  readonly scheme: 'bearer' | 'dpop'
  readonly proof: string
}

interface Route {
  readonly resource: 'notes' | 'mail'
  readonly scope: string
  readonly answer: (facts: TokenFacts, body: string) => Answer
}

export async function startApi(options: ApiOptions): Promise<DemoApi> {
  const resources = options.resources ?? { notes: notesResource, mail: mailResource }
  const check = accessTokenCheck(options)
  const checkProof = proofCheck()
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

  const respond = async (request: IncomingMessage, { path, token, scheme, proof }: Shown): Promise<Answer & Partial<TokenFacts>> => {
    const body = await readText(request)
    const route = routes.get(`${request.method} ${path}`)
    if (route === undefined) return { status: 404, body: { error: 'not_found' } }
    const refused = (error: string, status = 401, more = ''): Answer => ({
      status,
      body: { error },
      challenge: `${scheme === 'dpop' ? 'DPoP' : 'Bearer'} realm="${route.resource}", error="${error}"${more}`,
    })
    if (token === undefined) return { status: 401, body: { error: 'no_token' }, challenge: `Bearer realm="${route.resource}"` }
    const facts = isRefused(token) ? undefined : await check(token, resources[route.resource])
    if (facts === undefined || (facts.boundTo === undefined) !== (scheme === 'bearer')) return refused('invalid_token')
    if (scheme === 'dpop') {
      const proven = await checkProof(proof, { method: request.method ?? '', address: server.origin + path, token })
      if (proven === undefined || proven.key !== facts.boundTo) return refused('invalid_dpop_proof')
      if (trouble.nonce !== undefined && proven.nonce !== trouble.nonce) return refused('use_dpop_nonce')
    }
    if (!facts.scope.includes(route.scope)) return { ...refused('insufficient_scope', 403, `, scope="${route.scope}"`), ...facts }
    return { ...route.answer(facts, body), ...facts }
  }

  const call = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const cors = corsHeaders(request, options)
    if (request.method === 'OPTIONS') return void response.writeHead(204, cors).end()
    const at = Date.now()
    const path = new URL(request.url ?? '/', options.issuer).pathname
    const [, scheme = '', token] = /^(Bearer|DPoP) +([^ ]+)$/i.exec(request.headers.authorization ?? '') ?? []
    const shown: Shown = {
      path,
      token,
      scheme: scheme.toLowerCase() === 'dpop' ? 'dpop' : 'bearer',
      proof: String(request.headers['dpop']),
    }
    const answer = await respond(request, shown).catch((): Answer => ({ status: 503, body: { error: 'unavailable' } }))
    const { status, challenge, subject, boundTo } = answer as Answer & Partial<TokenFacts>
    log.push({
      at,
      method: request.method ?? 'GET',
      path,
      status,
      cookies: request.headers.cookie !== undefined,
      ...(token === undefined ? {} : { token: fingerprint(token) }),
      ...(subject === undefined ? {} : { subject }),
      ...(boundTo === undefined ? {} : { boundTo }),
    })
    const { nonce } = trouble
    sendJson(response, status, answer.body, {
      ...cors,
      ...(challenge === undefined ? {} : { 'www-authenticate': challenge }),
      ...(nonce === undefined || shown.scheme === 'bearer' ? {} : { 'dpop-nonce': nonce }),
    })
  }

  const server = await listen(options, () => (request, response) => void call(request, response))
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
        answer: (_facts, body) => {
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

function corsHeaders(request: IncomingMessage, { origins = [], challengeReadable = true }: ApiOptions): Record<string, string> {
  const { origin } = request.headers
  if (origin === undefined || !origins.includes(origin)) return { vary: 'Origin' }
  return {
    vary: 'Origin',
    'access-control-allow-origin': origin,
    'access-control-allow-methods': 'GET, POST',
    'access-control-allow-headers': 'authorization, content-type, dpop',
    'access-control-max-age': '600',
    'access-control-expose-headers': challengeReadable ? 'WWW-Authenticate, DPoP-Nonce' : 'DPoP-Nonce',
  }
}
