import { createHash, randomBytes } from 'node:crypto'
import type { DemoAuthorizationServer } from '../../demo/servers/authorization-server.js'

export const clientId = 'page'
export const redirectUri = 'http://127.0.0.1:9/callback'

/** A browser of two functions: it keeps cookies and follows redirects until one leaves the server. */
export class Browser {
  readonly cookies = new Map<string, string>()
  readonly issuer: string

  constructor(issuer: string) {
    this.issuer = issuer
  }

  async send(url: string, init: RequestInit = {}): Promise<Response> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const response = await fetch(url, { ...init, redirect: 'manual', headers: { cookie, accept: 'text/html' } })
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (name !== undefined && value !== undefined) this.cookies.set(name, value)
    }
    return response
  }

  /** Ends with a page of the server, or with the address elsewhere to which it sends the user. */
  async visit(
    url: string,
    init: RequestInit = {},
  ): Promise<{ readonly page: string; readonly address: URL; readonly response?: Response }> {
    let address = new URL(url)
    for (let step = 0; step < 12; step += 1) {
      if (address.origin !== this.issuer) return { page: '', address }
      const response = await this.send(address.href, step === 0 ? init : {})
      const location = response.headers.get('location')
      if (location === null) return { page: await response.text(), address, response }
      address = new URL(location, address)
    }
    throw new Error('too many redirects')
  }
}

export interface PlainRequest {
  readonly url: string
  readonly verifier: string
  readonly state: string
}

export function authorizationRequest(
  issuer: string,
  scope: string,
  more: Readonly<Record<string, string | readonly string[]>> = {},
): PlainRequest {
  const verifier = randomBytes(32).toString('base64url')
  const state = randomBytes(8).toString('base64url')
  const url = new URL('/auth', issuer)
  url.search = new URLSearchParams({
    client_id: clientId,
    response_type: 'code',
    redirect_uri: redirectUri,
    scope,
    state,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  }).toString()
  for (const [name, values] of Object.entries(more)) for (const value of [values].flat()) url.searchParams.append(name, value)
  return { url: url.href, verifier, state }
}

export interface Tokens {
  readonly status: number
  readonly access_token: string
  readonly refresh_token: string
  readonly id_token: string
  readonly scope: string
  readonly expires_in: number
  readonly error: string
}

export async function tokenRequest(issuer: string, form: Readonly<Record<string, string>>): Promise<Tokens> {
  const response = await fetch(`${issuer}/token`, { method: 'POST', body: new URLSearchParams({ client_id: clientId, ...form }) })
  const body = response.headers.get('content-type')?.includes('json') ? ((await response.json()) as object) : {}
  return { ...body, status: response.status } as Tokens
}

export async function redeem(
  server: DemoAuthorizationServer,
  address: URL,
  request: PlainRequest,
  more: Readonly<Record<string, string>> = {},
) {
  const code = address.searchParams.get('code') ?? ''
  return tokenRequest(server.issuer, {
    grant_type: 'authorization_code',
    code,
    redirect_uri: redirectUri,
    code_verifier: request.verifier,
    ...more,
  })
}

/** The whole code flow of an automatic user. */
export async function signIn(
  server: DemoAuthorizationServer,
  scope: string,
  more: Readonly<Record<string, string | readonly string[]>> = {},
  browser = new Browser(server.issuer),
): Promise<Tokens> {
  const request = authorizationRequest(server.issuer, scope, more)
  const { address } = await browser.visit(request.url)
  return redeem(server, address, request)
}

export function refresh(
  server: DemoAuthorizationServer,
  refreshToken: string,
  more: Readonly<Record<string, string>> = {},
): Promise<Tokens> {
  return tokenRequest(server.issuer, { grant_type: 'refresh_token', refresh_token: refreshToken, ...more })
}
