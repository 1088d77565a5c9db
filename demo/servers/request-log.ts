import type { KoaContextWithOIDC } from 'oidc-provider'
import { fingerprint, readForm } from './loopback.js'

/** One request to the authorization server. There is no secret in it. */
export interface RequestRecord {
  /** Milliseconds since the epoch, when the request came. */
  readonly at: number
  readonly method: string
  readonly path: string
  readonly origin?: string
  /** 0: the connection was dropped. */
  readonly status: number
  /** Whether cookies came with it. */
  readonly cookies: boolean
  readonly clientId?: string
  readonly grantType?: string
  /** A hash, to tell refresh tokens apart. */
  readonly refreshToken?: string
  /** The hash of the refresh token in the answer. */
  readonly nextRefreshToken?: string
  readonly scope?: string
  readonly resource?: readonly string[]
  /** The OAuth error of the answer. */
  readonly error?: string
}

/** How the token endpoint misbehaves; may be changed at any time. */
export interface TokenTrouble {
  /** `503`: it does nothing. `drop_request`: the connection ends before, `drop_answer`: after it was done. */
  tokenEndpoint: 'none' | '503' | 'drop_request' | 'drop_answer'
  /** Sent with a 503. */
  retryAfterSeconds: number | undefined
  /** How long the answer takes after the work is done. */
  answerDelayMilliseconds: number
}

export interface ServerCounters {
  /** Everything that came to the token endpoint, refused or not. */
  readonly tokenRequests: number
  /** Renewals that were answered with new tokens. */
  readonly refreshes: number
  /** Refresh tokens that came once more after they had been answered: each is a theft or a mistake. */
  readonly reuses: number
  readonly grantsRevoked: number
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

export interface RequestLog {
  readonly log: readonly RequestRecord[]
  readonly counters: ServerCounters
  readonly trouble: TokenTrouble
  /** Code verifiers that came, and tokens that went. */
  readonly secrets: ReadonlySet<string>
  readonly middleware: (ctx: KoaContextWithOIDC, next: () => Promise<void>) => Promise<void>
  readonly grantRevoked: () => void
}

export function requestLog(): RequestLog {
  const log: RequestRecord[] = []
  const secrets = new Set<string>()
  const spent = new Set<string>()
  const counters: Mutable<ServerCounters> = { tokenRequests: 0, refreshes: 0, reuses: 0, grantsRevoked: 0 }
  const trouble: TokenTrouble = { tokenEndpoint: 'none', retryAfterSeconds: undefined, answerDelayMilliseconds: 0 }

  const note = (ctx: KoaContextWithOIDC, at: number, form: Readonly<Record<string, unknown>>, dropped: boolean): void => {
    const body = bodyOf(ctx)
    if (typeof form['code_verifier'] === 'string') secrets.add(form['code_verifier'])
    for (const name of ['access_token', 'refresh_token', 'id_token', 'device_code', 'auth_req_id']) {
      const secret = body[name]
      if (typeof secret === 'string') secrets.add(secret)
    }
    const record = recordOf(ctx, at, form, body, dropped)
    log.push(record)
    if (record.path !== '/token') return
    counters.tokenRequests += 1
    if (record.refreshToken === undefined) return
    if (spent.has(record.refreshToken)) counters.reuses += 1
    if (record.nextRefreshToken === undefined) return
    counters.refreshes += 1
    if (record.nextRefreshToken !== record.refreshToken) spent.add(record.refreshToken)
  }

  const middleware = async (ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> => {
    const at = Date.now()
    const { tokenEndpoint: kind, answerDelayMilliseconds: delay, retryAfterSeconds } = trouble
    const troubled = ctx.path === '/token' && ctx.method === 'POST'
    if (troubled && (kind === '503' || kind === 'drop_request')) {
      const form = Object.fromEntries(await readForm(ctx.req))
      unavailable(ctx, retryAfterSeconds)
      note(ctx, at, form, kind === 'drop_request')
      if (kind === 'drop_request') drop(ctx)
      return
    }
    await next()
    // What answers no route of oidc-provider has no `oidc`.
    const form = { ...ctx.oidc?.params }
    note(ctx, at, form, troubled && kind === 'drop_answer')
    if (troubled && delay > 0) await new Promise((resolve) => setTimeout(resolve, delay).unref())
    if (troubled && kind === 'drop_answer') drop(ctx)
  }

  return { log, counters, trouble, secrets, middleware, grantRevoked: () => void (counters.grantsRevoked += 1) }
}

function recordOf(
  ctx: KoaContextWithOIDC,
  at: number,
  form: Readonly<Record<string, unknown>>,
  body: Readonly<Record<string, unknown>>,
  dropped: boolean,
): RequestRecord {
  const text = (name: string): string | undefined => (typeof form[name] === 'string' ? form[name] : undefined)
  const members = {
    at,
    method: ctx.method,
    path: ctx.path,
    origin: ctx.get('origin') || undefined,
    status: dropped ? 0 : ctx.status,
    cookies: ctx.get('cookie') !== '',
    clientId: text('client_id'),
    grantType: text('grant_type'),
    refreshToken: hash(form['refresh_token']),
    nextRefreshToken: hash(body['refresh_token']),
    scope: text('scope'),
    resource: form['resource'] === undefined ? undefined : [form['resource']].flat().map(String),
    error: typeof body['error'] === 'string' ? body['error'] : undefined,
  }
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as unknown as RequestRecord
}

function hash(token: unknown): string | undefined {
  return typeof token === 'string' ? fingerprint(token) : undefined
}

function bodyOf(ctx: KoaContextWithOIDC): Readonly<Record<string, unknown>> {
  return typeof ctx.body === 'object' && ctx.body !== null && !Buffer.isBuffer(ctx.body) ? { ...ctx.body } : {}
}

/** As a proxy in front of a server that is down answers, but readable for a page. */
function unavailable(ctx: KoaContextWithOIDC, retryAfterSeconds: number | undefined): void {
  ctx.status = 503
  ctx.body = 'The token endpoint is out of order.'
  ctx.set('access-control-allow-origin', ctx.get('origin') || '*')
  ctx.set('access-control-expose-headers', 'retry-after')
  ctx.set('cache-control', 'no-store')
  if (retryAfterSeconds !== undefined) ctx.set('retry-after', String(retryAfterSeconds))
}

function drop(ctx: KoaContextWithOIDC): void {
  ctx.respond = false
  ctx.req.socket.destroy()
}
