import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { type Http2ServerRequest, type Http2ServerResponse, createSecureServer } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { selfSigned } from './certificate.js'

/** What came with a call. Of its token there is a hash. */
export interface Came {
  readonly method: string
  readonly path: string
  readonly token: string | undefined
  readonly contentType: string | undefined
  readonly own: string | undefined
  /** How many bytes each part of the body had as it came. */
  readonly parts: number[]
  readonly body: () => Buffer
  isOver: boolean
}

/** An API over HTTP/2, without which a browser sends no stream: it takes every token, and does what the path says. */
export interface EchoApi {
  readonly origin: string
  readonly calls: Came[]
  /** The next call is answered with 401, and so are all with its token from then on. */
  refuseNext: boolean
  /** Writes the next part of a body that is dripping; an empty one is its end. */
  drip(part: string): void
  close(): Promise<void>
}

export async function startEchoApi(): Promise<EchoApi> {
  const calls: Came[] = []
  const refused = new Set<string | undefined>()
  let dripping: Http2ServerResponse | undefined
  const server = createSecureServer({ ...selfSigned, allowHTTP1: true })
  server.on('request', (request: Http2ServerRequest, response: Http2ServerResponse) => {
    const path = new URL(request.url, 'https://127.0.0.1').pathname
    const cors = {
      'access-control-allow-origin': '*',
      'access-control-allow-methods': '*',
      'access-control-allow-headers': 'authorization, content-type, x-own',
      'access-control-expose-headers': 'x-answer, www-authenticate',
    }
    if (request.method === 'OPTIONS') return void response.writeHead(204, cors).end()
    const [bytes, parts]: [Buffer[], number[]] = [[], []]
    const { authorization } = request.headers
    const came: Came = {
      method: request.method,
      path,
      token: authorization === undefined ? undefined : createHash('sha256').update(authorization).digest('hex'),
      contentType: request.headers['content-type'],
      own: request.headers['x-own'] as string | undefined,
      parts,
      body: () => Buffer.concat(bytes),
      isOver: false,
    }
    calls.push(came)
    const incoming = request as unknown as IncomingMessage
    incoming.on('data', (part: Buffer) => {
      bytes.push(part)
      parts.push(part.length)
    })
    response.on('close', () => (came.isOver = true))
    if (path === '/drip') {
      dripping = response
      response.writeHead(200, { ...cors, 'content-type': 'text/plain' })
      return void response.write('first ')
    }
    incoming.on('end', () => {
      if (self.refuseNext) refused.add(came.token)
      self.refuseNext = false
      if (refused.has(came.token))
        return void response.writeHead(401, { ...cors, 'www-authenticate': 'Bearer error="invalid_token"' }).end('refused')
      if (path === '/redirect') return void response.writeHead(302, { ...cors, location: '/elsewhere' }).end()
      if (path === '/empty') return void response.writeHead(204, { ...cors, 'x-answer': 'empty' }).end()
      response.writeHead(201, { ...cors, 'content-type': came.contentType ?? 'text/plain', 'x-answer': 'echo' })
      response.end(came.method === 'HEAD' ? '' : came.body())
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const sessions = new Set<{ destroy(): void }>()
  server.on('session', (session) => sessions.add(session))
  const self: EchoApi = {
    origin: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    refuseNext: false,
    drip: (part) => void (part === '' ? dripping?.end() : dripping?.write(part)),
    close: () => {
      for (const session of sessions) session.destroy()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
  return self
}
