import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { accessToken } from '../../src/core/access-token.js'
import type { AccessToken } from '../../src/core/access-token.js'
import type { TokenOptions, TokenSource } from '../../src/core/tokens.js'

/** One request as it came over the wire. */
export interface Received {
  readonly method: string
  readonly path: string
  readonly headers: readonly (readonly [string, string])[]
  readonly body: string
}

export interface Api {
  readonly origin: string
  readonly received: Received[]
  /** What it answers; starts as an empty 200. */
  answer: (received: Received, response: ServerResponse) => void
  close(): Promise<void>
}

/** A real server on loopback that writes down what reaches it. */
export async function startApi(): Promise<Api> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('error', () => {})
    request.on('end', () => {
      const received = asReceived(request, Buffer.concat(chunks))
      api.received.push(received)
      api.answer(received, response)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const api: Api = {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received: [],
    answer: (_, response) => response.end('ok'),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  return api
}

function asReceived(request: IncomingMessage, body: Buffer): Received {
  const headers: [string, string][] = []
  for (let at = 0; at < request.rawHeaders.length; at += 2) headers.push([request.rawHeaders[at] ?? '', request.rawHeaders[at + 1] ?? ''])
  return { method: request.method ?? '', path: request.url ?? '', headers, body: body.toString('latin1') }
}

export function headerOf(received: Received | undefined, name: string): string | undefined {
  return received?.headers.find(([one]) => one.toLowerCase() === name)?.[1]
}

export function bearerOf(received: Received | undefined): string | undefined {
  return headerOf(received, 'authorization')
}

export const refuse =
  (challenge = 'Bearer error="invalid_token"') =>
  (_: Received, response: ServerResponse): void => {
    response.writeHead(401, { 'www-authenticate': challenge }).end('refused')
  }

/** A source of tokens 1, 2, 3, …: the next one when the latest is refused. It remembers what it was asked. */
export interface Counting extends TokenSource {
  readonly asked: TokenOptions[]
  /** How often it renewed. */
  renewals: number
}

export function counting(prefix = 'token-'): Counting {
  let current: AccessToken = accessToken(`${prefix}1`)
  let renewing: Promise<void> | undefined
  const source: Counting = {
    asked: [],
    renewals: 0,
    token: async (options = {}) => {
      source.asked.push(options)
      if (options.rejected === current) {
        renewing ??= Promise.resolve().then(() => {
          source.renewals += 1
          current = accessToken(`${prefix}${source.renewals + 1}`)
          renewing = undefined
        })
        await renewing
      }
      return current
    },
  }
  return source
}
