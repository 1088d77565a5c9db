import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { listen, readForm, sendJson } from '../../../demo/servers/loopback.js'

// An authorization server that can do little, but fast and for many sessions side by side. A refresh token serves once; a second use after the
// grace revokes its whole family (RFC 9700 section 4.14.2).

/** All tokens that came from one sign-in. */
export interface Family {
  current: string
  revoked: boolean
  /** Renewals that were answered with new tokens. */
  rotations: number
  /** Spent tokens that came again within the grace, and were answered again. */
  graced: number
  /** Spent tokens that came again after it. */
  reuses: number
}

export interface StrictServer {
  readonly authorizationServer: { readonly issuer: string } & Record<string, unknown>
  readonly api: string
  family(account: string): Family
  /** Everything that came to the token endpoint. */
  tokenRequests(): number
  /** Every request, whatever it was for. */
  requests(): number
  /** Access tokens are worth nothing from now on. */
  revokeAll(): void
  readonly trouble: {
    /** How the token endpoint answers, in the place of what it would. It has done nothing then. */
    answer: ((response: ServerResponse) => void) | undefined
    /** What its answers wait for, when the work is done. */
    answering: (() => Promise<unknown>) | undefined
  }
  readonly live: { accessTokenSeconds: number }
  close(): Promise<void>
}

export async function strictServer(options: { readonly graceSeconds: number }): Promise<StrictServer> {
  const families = new Map<string, Family>()
  const codes = new Map<string, string>()
  const refreshTokens = new Map<string, { readonly family: Family; spentAt?: number }>()
  const accessTokens = new Map<string, number>()
  const trouble: StrictServer['trouble'] = { answer: undefined, answering: undefined }
  const live = { accessTokenSeconds: 600 }
  let [requests, tokenRequests] = [0, 0]

  const tokens = (more: object) => {
    const token = text()
    accessTokens.set(token, Date.now() + live.accessTokenSeconds * 1_000)
    return { status: 200, body: { access_token: token, token_type: 'Bearer', expires_in: live.accessTokenSeconds, ...more } }
  }
  const rotated = (family: Family) => {
    family.current = text()
    refreshTokens.set(family.current, { family })
    return tokens({ refresh_token: family.current })
  }
  const refused = { status: 400, body: { error: 'invalid_grant' } }

  function renewed(refreshToken: string) {
    const known = refreshTokens.get(refreshToken)
    if (known === undefined || known.family.revoked) return refused
    const { family, spentAt } = known
    if (spentAt === undefined) {
      known.spentAt = Date.now()
      family.rotations += 1
      return rotated(family)
    }
    if (Date.now() - spentAt < options.graceSeconds * 1_000) {
      family.graced += 1
      return tokens({ refresh_token: family.current })
    }
    family.reuses += 1
    family.revoked = true
    return refused
  }

  function granted(form: URLSearchParams) {
    const account = codes.get(form.get('code') ?? '')
    switch (form.get('grant_type')) {
      case 'authorization_code': {
        if (account === undefined) return refused
        const family: Family = { current: '', revoked: false, rotations: 0, graced: 0, reuses: 0 }
        families.set(account, family)
        return rotated(family)
      }
      case 'refresh_token':
        return renewed(form.get('refresh_token') ?? '')
      default:
        return tokens({})
    }
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    requests += 1
    const url = new URL(request.url ?? '/', server.origin)
    if (url.pathname === '/authorize') {
      const code = text()
      codes.set(code, url.searchParams.get('login_hint') ?? '')
      const location = new URL(url.searchParams.get('redirect_uri') ?? '')
      for (const [name, value] of Object.entries({ code, state: url.searchParams.get('state') ?? '', iss: server.origin }))
        location.searchParams.set(name, value)
      return void response.writeHead(302, { location: location.href }).end()
    }
    if (url.pathname === '/token') {
      tokenRequests += 1
      const form = await readForm(request)
      if (trouble.answer !== undefined) return trouble.answer(response)
      const { status, body } = granted(form)
      await trouble.answering?.()
      return sendJson(response, status, body)
    }
    const expiresAt = accessTokens.get(request.headers.authorization?.slice('Bearer '.length) ?? '') ?? 0
    if (expiresAt > Date.now()) return sendJson(response, 200, {})
    sendJson(response, 401, {}, { 'www-authenticate': 'Bearer error="invalid_token"' })
  }

  const server = await listen({}, () => (request, response) => {
    response.on('error', () => {})
    void answer(request, response).catch(() => response.destroy())
  })
  const { origin } = server
  return {
    authorizationServer: { issuer: origin, authorization_endpoint: `${origin}/authorize`, token_endpoint: `${origin}/token` },
    api: `${origin}/api/`,
    family(account) {
      const found = families.get(account)
      if (found === undefined) throw new Error(`nobody signed in as ${account}`)
      return found
    },
    tokenRequests: () => tokenRequests,
    requests: () => requests,
    revokeAll: () => accessTokens.clear(),
    trouble,
    live,
    close: server.close,
  }
}

const text = () => randomBytes(24).toString('base64url')
