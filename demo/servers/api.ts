import type { IncomingMessage, ServerResponse } from 'node:http'
import { type TokenFacts, accessTokenCheck } from './access-token-check.js'
import { fingerprint, listen, readText, sendJson } from './loopback.js'
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
}

export interface ApiTrouble {
  /** `next_call`: one call. `token`: the token of the next call, from then on. `everything`: until it is changed. Answered with 401. */
  refuse: 'nothing' | 'next_call' | 'token' | 'everything'
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

interface Route {
  readonly resource: 'notes' | 'mail'
  readonly scope: string
  readonly answer: (facts: TokenFacts, body: string) => Answer
}

export async function startApi(options: ApiOptions): Promise<DemoApi> {
  const resources = options.resources ?? { notes: notesResource, mail: mailResource }
  const check = accessTokenCheck(options)
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

  const respond = async (
    request: IncomingMessage,
    path: string,
    token: string | undefined,
  ): Promise<Answer & { subject?: string | undefined }> => {
    const body = await readText(request)
    const route = routes.get(`${request.method} ${path}`)
    if (route === undefined) return { status: 404, body: { error: 'not_found' } }
    if (token === undefined) return { status: 401, body: { error: 'no_token' }, challenge: `Bearer realm="${route.resource}"` }
    const facts = isRefused(token) ? undefined : await check(token, resources[route.resource])
    if (facts === undefined) {
      const challenge = `Bearer realm="${route.resource}", error="invalid_token", error_description="The token is expired, revoked or for another API"`
      return { status: 401, body: { error: 'invalid_token' }, challenge }
    }
    if (!facts.scope.includes(route.scope)) {
      const challenge = `Bearer realm="${route.resource}", error="insufficient_scope", scope="${route.scope}"`
      return { status: 403, body: { error: 'insufficient_scope', scope: route.scope }, challenge, subject: facts.subject }
    }
    return { ...route.answer(facts, body), subject: facts.subject }
  }

  const call = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const cors = corsHeaders(request, options)
    if (request.method === 'OPTIONS') return void response.writeHead(204, cors).end()
    const at = Date.now()
    const path = new URL(request.url ?? '/', options.issuer).pathname
    const token = /^Bearer +([^ ]+)$/i.exec(request.headers.authorization ?? '')?.[1]
    const answer = await respond(request, path, token).catch((): Answer => ({ status: 503, body: { error: 'unavailable' } }))
    const { status, challenge, subject } = answer as Answer & { subject?: string }
    log.push({
      at,
      method: request.method ?? 'GET',
      path,
      status,
      cookies: request.headers.cookie !== undefined,
      ...(token === undefined ? {} : { token: fingerprint(token) }),
      ...(subject === undefined ? {} : { subject }),
    })
    sendJson(response, status, answer.body, { ...cors, ...(challenge === undefined ? {} : { 'www-authenticate': challenge }) })
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
    ...(challengeReadable ? { 'access-control-expose-headers': 'WWW-Authenticate' } : {}),
  }
}
