import type { Carrier } from '../core/carrier.js'
import { OAuthError } from '../core/errors.js'
import { unlessAborted } from '../core/unless-aborted.js'
import { giveBytes, takeBytes } from './byte-port.js'
import { type CallRequest, type CallResponse, callMessage, readCallReply } from './isolated-call-messages.js'
import type { Link } from './isolated-link.js'

/** A `fetch` whose calls are made by the worker. What goes there is what fetch makes of its parameters, all but the signal, of which it is told. */
export function callsOver(link: Link): Carrier {
  return async (input, init) => {
    const given: unknown = init?.body
    const stream = given instanceof ReadableStream ? given : undefined
    // Where an engine knows no streams as bodies it would send the text of one: there the stream goes to the worker past the Request.
    const request = new Request(input, stream === undefined || knowsStreams() ? init : { ...init, body: null })
    const signal = init?.signal ?? request.signal
    signal.throwIfAborted()
    const streamed = stream === undefined ? undefined : knowsStreams() ? (request.body ?? undefined) : stream
    const body = stream === undefined && hasBody(request) ? await unlessAborted(request.arrayBuffer(), signal) : undefined
    return sent(link, { request, body, streamed, signal })
  }
}

interface Sending {
  readonly request: Request
  readonly body: ArrayBuffer | undefined
  readonly streamed: ReadableStream<unknown> | undefined
  readonly signal: AbortSignal
}

function sent(link: Link, { request, body, streamed, signal }: Sending): Promise<Response> {
  const { port1: mine, port2: its } = new MessageChannel()
  const ports: Transferable[] = [its]
  if (streamed !== undefined) {
    const { port1, port2 } = new MessageChannel()
    giveBytes(streamed, port1)
    ports.push(port2)
  }
  return new Promise<Response>((resolve, reject) => {
    // The body of a response that is already here ends too: the worker breaks it, and it breaks here with the signal's reason.
    const abort = () => {
      mine.postMessage({ valetkey: 'abort' })
      reject(signal.reason)
    }
    const lost = () => reject(gone())
    signal.addEventListener('abort', abort, { once: true })
    link.gone.addEventListener('abort', lost, { once: true })
    const heard = ({ data }: MessageEvent<unknown>) => {
      const reply = readCallReply(data)
      if (reply === undefined) return
      mine.removeEventListener('message', heard)
      link.gone.removeEventListener('abort', lost)
      if (reply.kind === 'response') return resolve(responseOf(reply.response, mine, signal, link.gone))
      signal.removeEventListener('abort', abort)
      mine.close()
      reject(reply.error ?? new TypeError('Failed to fetch'))
    }
    mine.addEventListener('message', heard)
    mine.start()
    const message = callMessage({
      url: request.url,
      method: request.method,
      headers: [...request.headers],
      how: howOf(request),
      ...(body && { body }),
    })
    link.post(message, body === undefined ? ports : [...ports, body]).catch(reject)
  })
}

function howOf(request: Request): CallRequest['how'] {
  const { mode, credentials, cache, redirect, referrer, referrerPolicy, integrity, keepalive } = request
  // The page's own address stays here: it may have a response in it.
  return { mode, credentials, cache, redirect, referrerPolicy, integrity, keepalive, ...(referrer === 'about:client' ? {} : { referrer }) }
}

/** Statuses that come without a body. */
const bodiless: readonly number[] = [101, 103, 204, 205, 304]

function responseOf(said: CallResponse, port: MessagePort, signal: AbortSignal, gone: AbortSignal): Response {
  const failure = () => (signal.aborted ? signal.reason : new TypeError('The connection was lost'))
  const body = said.hasBody && !bodiless.includes(said.status) ? takeBytes(port, failure, gone) : null
  if (body === null) port.close()
  // A Response of status 0 can be described, not made.
  const status = said.status === 0 ? 200 : said.status
  const init = { status, statusText: said.statusText, headers: said.headers.map(([...pair]) => pair) }
  return described(new Response(body, init), said, signal)
}

const consuming = ['arrayBuffer', 'blob', 'bytes', 'formData', 'json', 'text'] as const

/** What a Response that is made here does not say of itself, and its clones not either. */
function described(response: Response, said: CallResponse, signal: AbortSignal): Response {
  const { url, redirected, type, status } = said
  const clone = () => described(Response.prototype.clone.call(response), said, signal)
  const facts = { url, redirected, type, ...(status === 0 ? { status, ok: false } : {}), clone }
  for (const [name, value] of Object.entries(facts)) Object.defineProperty(response, name, { value, configurable: true })
  // What breaks the stream of a Response that was made by a script is not told by these in every engine.
  for (const name of consuming) {
    const consume = (response as Partial<Response>)[name]
    if (consume === undefined) continue
    const value = () => consume.call(response).catch((error: unknown) => Promise.reject(signal.aborted ? signal.reason : error))
    Object.defineProperty(response, name, { value, configurable: true })
  }
  return response
}

/** Whether a Request may have a stream as its body. */
function knowsStreams(): boolean {
  return 'duplex' in Request.prototype
}

/** Not every engine shows a Request's body; then only GET and HEAD are known to have none. */
function hasBody({ body, method }: Request): boolean {
  return (body as Request['body'] | undefined) === undefined ? method !== 'GET' && method !== 'HEAD' : body !== null
}

function gone(): OAuthError {
  return new OAuthError(
    'sign_in_required',
    'The worker that made this call is gone, and the tokens with it. Load the page anew and sign in.',
  )
}
