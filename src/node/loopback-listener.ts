import { timingSafeEqual } from 'node:crypto'
import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { parseUrl } from '../core/address.js'
import { OAuthError } from '../core/errors.js'
import { parametersOf, stateOf } from '../session/response-address.js'
import { answered, answeredWithError, notAllowed, notFound, notTheAnswer } from './loopback-page.js'
import type { Page } from './loopback-page.js'

/** Where to listen. */
export interface Door {
  /** Address literals, tried in this order. */
  readonly hosts: readonly string[]
  /** 0: any that is free. */
  readonly port: number
  /** The path, and the query if there is one. */
  readonly path: string
}

export interface Listener {
  /** With the address and the port that it listens on. */
  readonly redirectUri: string
  /** Resolves with the one request that answers this `state`, when its page is sent. Before it is called, nothing is an answer. */
  answerTo(state: string): Promise<URL>
  /** Nothing listens any more, and no connection is kept. */
  close(): void
}

/** Listens on this machine only. Rejects with `authorization_failed` where there is no such port to be had. */
export async function listen(door: Door): Promise<Listener> {
  let expected = new URL('http://127.0.0.1')
  let waiting: { readonly state: string; readonly resolve: (answer: URL) => void } | undefined
  let accepted: Socket | undefined
  const connections = new Set<Socket>()

  function answer(request: IncomingMessage, response: ServerResponse): void {
    const { page, url } = judge(request, expected, waiting?.state)
    if (url !== undefined) {
      const { resolve } = waiting ?? { resolve: () => {} }
      // One is taken: whatever comes after it answers nothing.
      waiting = undefined
      accepted = request.socket
      // The browser has its page, or has gone away without it.
      response.once('close', () => resolve(url))
    }
    response.writeHead(page.status, page.headers).end(page.body)
  }

  const server = createServer({ requestTimeout: 10_000, headersTimeout: 10_000 }, answer)
  server.on('connection', (socket) => {
    connections.add(socket)
    socket.once('close', () => connections.delete(socket))
  })
  const redirectUri = await open(server, door)
  expected = new URL(redirectUri)
  // A connection that could not be accepted is one connection, not the end of the wait.
  server.on('error', () => {})

  return {
    redirectUri,
    answerTo: (state) =>
      new Promise((resolve) => {
        waiting = { state, resolve }
      }),
    close() {
      waiting = undefined
      server.close()
      // The accepted one is ended by its answer, which may be on its way.
      for (const socket of connections) if (socket !== accepted) socket.destroy()
      accepted?.unref()
    },
  }
}

/** The page for a request, and its address where it is the answer that is waited for. `state` is looked at before anything is taken. */
function judge(request: IncomingMessage, expected: URL, state: string | undefined): { readonly page: Page; readonly url?: URL } {
  // A name that leads here by somebody's DNS is not this place (DNS rebinding).
  if (request.headers.host?.toLowerCase() !== expected.host) return { page: notTheAnswer() }
  const url = request.url?.startsWith('/') === true ? parseUrl(expected.origin + request.url) : undefined
  if (url === undefined) return { page: notTheAnswer() }
  if (url.pathname !== expected.pathname) return { page: notFound() }
  if (request.method !== 'GET') return { page: notAllowed() }
  const given = stateOf(url)
  if (state === undefined || given === undefined || !isSame(given, state)) return { page: notTheAnswer() }
  return { page: parametersOf(url).has('error') ? answeredWithError() : answered(), url }
}

/** In a time that says nothing of where they differ: whoever guesses is on this machine, too. */
function isSame(one: string, other: string): boolean {
  const [left, right] = [Buffer.from(one), Buffer.from(other)]
  return left.length === right.length && timingSafeEqual(left, right)
}

async function open(server: Server, { hosts, port, path }: Door): Promise<string> {
  let reason = ''
  for (const host of hosts) {
    try {
      const taken = await listenOn(server, host, port)
      return `http://${host.includes(':') ? `[${host}]` : host}:${taken}${path}`
    } catch (error) {
      reason = (error as NodeJS.ErrnoException).code ?? 'no reason'
    }
  }
  const where = port === 0 ? 'any port' : `port ${port}`
  const next =
    reason === 'EADDRINUSE'
      ? 'Another program listens there: end it, or leave the port out of redirectUri, so that a free one is taken.'
      : 'Is this program allowed to listen on this machine? If not, sign in by deviceAuthorization.'
  throw new OAuthError('authorization_failed', `The sign-in could not listen on ${where} of ${hosts.join(' or ')} (${reason}). ${next}`)
}

function listenOn(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    // Exclusive: a worker of a cluster has a port of its own.
    server.listen({ host, port, exclusive: true }, () => {
      server.off('error', reject)
      resolve((server.address() as AddressInfo).port)
    })
  })
}
