import { type IncomingMessage, type ServerResponse, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { DemoAuthorizationServer } from '../../demo/servers/authorization-server.js'
import { clientSecretBasic } from '../../src/index.js'
import { type ResourceServer, resourceServer } from '../../src/resource-server/index.js'

type Needed = NonNullable<Parameters<ResourceServer['verifyAccessToken']>[1]>

/** An API over `valetkey/resource-server` that takes payments, and may want a stronger sign-in or more scope for them. */
export interface PaymentsApi {
  readonly origin: string
  /** The address that payments are posted to. */
  readonly address: string
  /** What a call needs of its token; may be changed at any time. */
  needed: Needed
  /** Every call, preflights not counted, with what it was answered. */
  readonly attempts: { readonly method: string; readonly body: string; readonly status: number; readonly scheme: string | undefined }[]
  /** The bodies that were accepted. */
  readonly accepted: string[]
  /** Describes itself at the well-known place (RFC 9728). */
  describedAs: object | undefined
  /** From now on it takes this server's tokens for this resource. */
  trust(server: DemoAuthorizationServer, audience: string, dpop?: 'accepted' | 'required'): void
  close(): Promise<void>
}

export async function startPaymentsApi(): Promise<PaymentsApi> {
  let api: ResourceServer | undefined

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const cors = {
      'access-control-allow-origin': '*',
      'access-control-allow-headers': 'authorization, content-type, dpop',
      'access-control-expose-headers': 'WWW-Authenticate',
    }
    if (request.method === 'OPTIONS') return void response.writeHead(204, cors).end()
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks).toString()
    if (request.url === '/.well-known/oauth-protected-resource' && self.describedAs !== undefined)
      return void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(self.describedAs))
    const { method = 'GET', headers, url = '/' } = request
    const sent = new Request(self.origin + url, {
      method,
      headers: Object.entries(headers).map(([name, value]) => [name, String(value)] as [string, string]),
    })
    const token = await api?.verifyAccessToken(sent, self.needed)
    const refused = token === undefined ? new Response(null, { status: 503 }) : token.ok ? undefined : token.response
    const status = refused?.status ?? 201
    self.attempts.push({ method, body, status, scheme: headers.authorization?.split(' ')[0] })
    if (refused === undefined) self.accepted.push(body)
    response.writeHead(status, { ...cors, ...Object.fromEntries(refused?.headers ?? []) }).end(refused === undefined ? 'paid' : '')
  }

  const server = createServer((request, response) => void answer(request, response).catch(() => response.destroy()))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const self: PaymentsApi = {
    origin,
    address: `${origin}/payments`,
    needed: {},
    attempts: [],
    accepted: [],
    describedAs: undefined,
    trust({ issuer, resourceServer: { clientId, clientSecret } }, audience, dpop = 'accepted') {
      api = resourceServer({
        issuer,
        audience,
        introspection: { clientId, clientAuthentication: clientSecretBasic(clientSecret) },
        dpop,
      })
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  return self
}
