import { type IncomingHttpHeaders, type ServerResponse, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

/** A request as it came, body and all. */
export interface Received {
  readonly method: string
  /** Path and query. */
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingHttpHeaders
  readonly body: string
  readonly form: URLSearchParams
}

/** What a path answers; a new one may be put in its place at any time. */
export type Route = (request: Received, response: ServerResponse) => unknown

export interface FaultServer {
  readonly origin: string
  /** Every request, in the order in which they came. */
  readonly received: Received[]
  /** Those to one path. */
  to(path: string): readonly Received[]
  on(path: string, route: Route): FaultServer
}

/** A scripted HTTP server on loopback; what has no route is a 404. It is closed when the test is over. */
export async function faultServer(routes: Readonly<Record<string, Route>> = {}): Promise<FaultServer> {
  const table = new Map(Object.entries(routes))
  const received: Received[] = []
  const server = createServer(async (incoming, response) => {
    response.on('error', () => {})
    const chunks: Buffer[] = []
    for await (const chunk of incoming) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks).toString()
    const path = incoming.url ?? '/'
    const { pathname, searchParams: query } = new URL(path, 'http://server')
    const request = { method: incoming.method ?? '', path, query, headers: incoming.headers, body, form: new URLSearchParams(body) }
    received.push(request)
    await (table.get(pathname) ?? notFound)(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  const self: FaultServer = {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    to: (path) => received.filter((request) => request.path.split('?')[0] === path),
    on: (path, route) => {
      table.set(path, route)
      return self
    },
  }
  return self
}

const notFound: Route = (_, response) => response.writeHead(404).end()

/** Text with a status and headers. */
export function text(body: string | Buffer, headers: Readonly<Record<string, string>> = {}, status = 200): Route {
  return (_, response) => response.writeHead(status, headers).end(body)
}

export function json(body: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): Route {
  return text(JSON.stringify(body), { 'content-type': 'application/json', ...headers }, status)
}

/** A status and nothing else. */
export function status(code: number, headers: Readonly<Record<string, string>> = {}): Route {
  return text('', headers, code)
}

/** The connection breaks after the request was read. */
export const hangUp: Route = (_, response) => response.destroy()

/** No answer, ever. */
export const silence: Route = () => {}

/** Headers, the beginning of a body, and then nothing more. */
export const stall: Route = (_, response) => void response.writeHead(200, { 'content-type': 'application/json' }).write('{"a":')

/** A JSON text of so many bytes, sent as fast as it is taken. `sent` counts what went out. */
export function flood(bytes: number): Route & { sent: number } {
  const chunk = Buffer.alloc(64 * 1024, 0x61)
  const route: Route & { sent: number } = Object.assign(
    (_: Received, response: ServerResponse) => {
      response.writeHead(200, { 'content-type': 'application/json' }).write('{"access_token":"')
      const more = () => {
        while (route.sent < bytes && !response.destroyed) {
          route.sent += chunk.length
          if (!response.write(chunk)) return void response.once('drain', more)
        }
        if (!response.destroyed) response.end('"}')
      }
      more()
    },
    { sent: 0 },
  )
  return route
}
