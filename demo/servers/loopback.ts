import { createHash } from 'node:crypto'
import { type IncomingMessage, type RequestListener, type ServerResponse, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** An HTTP server on this machine only. */
export interface LoopbackServer {
  /** Such as `http://127.0.0.1:49152`. */
  readonly origin: string
  close(): Promise<void>
}

/** Connections that are not yet taken up: a storm of a thousand calls comes at once. */
const mostWaiting = 4_096

/** Starts to listen; `port` 0 takes a free one. The listener may be made afterwards, when the origin is known. */
export async function listen(
  options: { readonly host?: string | undefined; readonly port?: number | undefined },
  listener: (origin: string) => RequestListener | Promise<RequestListener>,
): Promise<LoopbackServer> {
  // A busy machine must not close a connection that a client is just about to use again.
  const server = createServer({ keepAliveTimeout: 60_000 })
  const host = options.host ?? '127.0.0.1'
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port: options.port ?? 0, host, backlog: mostWaiting }, resolve)
  })
  const origin = `http://${host}:${(server.address() as AddressInfo).port}`
  server.on('request', await listener(origin))
  return {
    origin,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** The body of a request, as text; more than a form or a note needs is refused. */
export async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > 100_000) throw new Error('The request body is too large.')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

export async function readForm(request: IncomingMessage): Promise<URLSearchParams> {
  return new URLSearchParams(await readText(request))
}

export function sendJson(response: ServerResponse, status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): void {
  const text = JSON.stringify(body)
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store', ...headers }).end(text)
}

/** Tells two tokens apart in a log, without being one. */
export function fingerprint(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12)
}
