import { Agent, type IncomingMessage, type OutgoingHttpHeaders, type ServerResponse, request as requestTo } from 'node:http'
import { listen, readText } from '../../demo/servers/loopback.js'

/** What goes wrong on one path, until it is changed. Preflights pass. */
export interface Fault {
  /** 503, 429: nothing is forwarded. `drop_request`: the connection ends before anything is, `drop_answer`: after the work was done. */
  readonly answer?: 503 | 429 | 'drop_request' | 'drop_answer'
  readonly retryAfterSeconds?: number
  /** How long an answer takes after the work is done. */
  readonly delayMilliseconds?: number
}

/** One request, when its fate is sealed. */
export interface Passed {
  /** When it came, in milliseconds since the epoch. */
  readonly at: number
  readonly method: string
  readonly path: string
  /** What the server answered, or the proxy in its place. 0: the connection was dropped. */
  readonly status: number
  readonly grantType?: string
}

/** In front of a server: a page knows only this origin. */
export interface FaultProxy {
  readonly origin: string
  /** Where it leads; before, there is nothing behind it. */
  forwardTo(server: { readonly origin: string }): void
  /** By path. */
  readonly faults: Map<string, Fault>
  /** There is no way through: what comes is dropped. */
  offline: boolean
  /** By how much every `Date` is wrong, in milliseconds; but of an answer with a cookie, whose life a browser counts from it. */
  dateOffset: number
  /** Whether a page may read `Date`, which across origins it usually may not. */
  dateReadable: boolean
  /** Preflights left out. */
  readonly log: readonly Passed[]
  close(): Promise<void>
}

export async function startFaultProxy(): Promise<FaultProxy> {
  const agent = new Agent({ keepAlive: true })
  const faults = new Map<string, Fault>()
  const log: Passed[] = []
  let target: URL | undefined

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const at = Date.now()
    const path = new URL(request.url ?? '/', server.origin).pathname
    const body = await readText(request)
    const grantType = path === '/token' ? new URLSearchParams(body).get('grant_type') : null
    const note = (status: number): void => {
      if (request.method === 'OPTIONS') return
      log.push({ at, method: request.method ?? 'GET', path, status, ...(grantType === null ? {} : { grantType }) })
    }
    const drop = (): void => {
      note(0)
      request.socket.destroy()
    }
    const fault: Fault = (request.method === 'OPTIONS' ? undefined : faults.get(path)) ?? {}
    if (self.offline || target === undefined || fault.answer === 'drop_request') return drop()
    if (fault.answer === 503 || fault.answer === 429) {
      note(fault.answer)
      return outOfOrder(request, response, fault.answer, fault.retryAfterSeconds)
    }
    const answered = await forward(agent, target, request, body)
    const { delayMilliseconds = 0 } = fault
    // The work is done, so this request counts from now on, whatever becomes of its answer.
    if (fault.answer === 'drop_answer') return drop()
    note(answered.status)
    if (delayMilliseconds > 0) await new Promise((resolve) => setTimeout(resolve, delayMilliseconds).unref())
    if (self.offline) return void request.socket.destroy()
    response.writeHead(answered.status, { ...answered.headers, ...dated(self, answered.headers) }).end(answered.body)
  }

  const server = await listen({}, () => (request, response) => {
    response.sendDate = false
    // Without one behind it, or when a browser goes away in the middle.
    answer(request, response).catch(() => request.socket.destroy())
  })
  const self: FaultProxy = {
    origin: server.origin,
    forwardTo: ({ origin }) => void (target = new URL(origin)),
    faults,
    offline: false,
    dateOffset: 0,
    dateReadable: false,
    log,
    async close() {
      await server.close()
      agent.destroy()
    },
  }
  return self
}

interface Answered {
  readonly status: number
  readonly headers: OutgoingHttpHeaders
  readonly body: Buffer
}

/** As it came, its Host too: the server behind goes by the name that the page knows. */
function forward(agent: Agent, target: URL, request: IncomingMessage, body: string): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const { method, url: path, headers } = request
    const onward = requestTo({ agent, host: target.hostname, port: target.port, method, path, headers }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const { connection: _connection, 'transfer-encoding': _encoding, 'keep-alive': _keepAlive, ...kept } = response.headers
        resolve({ status: response.statusCode ?? 502, headers: kept, body: Buffer.concat(chunks) })
      })
    })
    onward.on('error', reject)
    onward.end(body)
  })
}

/** A gateway in front of a server that is down; readable for a page, `Retry-After` too. */
function outOfOrder(request: IncomingMessage, response: ServerResponse, status: number, retryAfterSeconds: number | undefined): void {
  response
    .writeHead(status, {
      'content-type': 'text/plain',
      'access-control-allow-origin': request.headers.origin ?? '*',
      'access-control-expose-headers': 'retry-after',
      ...(retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }),
    })
    .end('Out of order.')
}

function dated(proxy: FaultProxy, headers: OutgoingHttpHeaders): OutgoingHttpHeaders {
  const { dateReadable } = proxy
  const dateOffset = headers['set-cookie'] === undefined ? proxy.dateOffset : 0
  const exposed = [headers['access-control-expose-headers'] ?? [], dateReadable ? 'date' : []].flat().join(', ')
  return { date: new Date(Date.now() + dateOffset).toUTCString(), ...(exposed === '' ? {} : { 'access-control-expose-headers': exposed }) }
}
