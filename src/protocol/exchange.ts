import type { Client } from '../core/client.js'
import { OAuthError } from '../core/errors.js'
import { bare } from '../core/secret.js'
import { type JsonObject, parseObject } from './json.js'

/** No token response and no metadata document is larger. Counted after decompression, in bytes. */
const largestBody = 1024 * 1024

/** One request, ready for the wire. Made with `bare`: its body may hold a token, a code, a verifier. */
export interface WireRequest {
  readonly url: string
  readonly method: 'GET' | 'POST'
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

/** What came back, read to its end. Made with `bare`: its body may hold tokens. */
export interface Answer {
  /** 0: a redirect, which is never followed. */
  readonly status: number
  /** Lower case, without parameters; empty when the server named none. */
  readonly mediaType: string
  /** The JSON object that the body is, whatever its media type; absent when it is none, or was not read. */
  readonly body?: JsonObject
  readonly tooLarge?: true
  /** `Retry-After` (RFC 9110 section 10.2.3) in milliseconds; absent when it says nothing that makes sense. */
  readonly retryAfter?: number
  /** `Date`, in milliseconds since the epoch, where it could be read. */
  readonly serverTime?: number
  /** `DPoP-Nonce` (RFC 9449 section 8), as it came; `null` where there is none that could be read. */
  readonly nonce: string | null
}

/**
 * One exchange with the authorization server. `fetch` is called in this very turn. It follows no redirect, sends no cookie and
 * no referrer, is never cached, and reads no more than `largestBody`.
 * Rejects with `network` when there is no answer, whatever `fetch` said: its error may quote what was sent.
 */
export async function exchange(client: Pick<Client, 'fetch' | 'clock'>, request: WireRequest, signal?: AbortSignal): Promise<Answer> {
  try {
    const response = await begin(fetchOf(client), request, signal)
    return await read(response, client)
  } catch {
    throw new OAuthError(
      'network',
      `${new URL(request.url).origin} gave no answer that could be read. Check the connection, the server's certificate and, in a page, that it allows this origin (CORS).`,
    )
  }
}

/** The caller's `fetch`, or the global one as it is at this moment. */
export function fetchOf(client: Pick<Client, 'fetch'>): typeof fetch {
  return client.fetch ?? globalThis.fetch
}

function begin(fetch: typeof globalThis.fetch, request: WireRequest, signal: AbortSignal | undefined): Promise<Response> {
  // Without a prototype: a polluted `Object.prototype.body` or `headers` is not read as an option.
  const init = bare<RequestInit>({
    method: request.method,
    headers: request.headers,
    body: request.body ?? null,
    redirect: 'manual',
    credentials: 'omit',
    referrerPolicy: 'no-referrer',
    cache: 'no-store',
    signal: signal ?? null,
  })
  return fetch(request.url, init)
}

async function read(response: Response, client: Pick<Client, 'clock'>): Promise<Answer> {
  // A fetch that follows redirects all the same has handed the request on already; its answer is nobody's.
  const redirected = response.type === 'opaqueredirect' || response.redirected || (response.status >= 300 && response.status < 400)
  const status = redirected ? 0 : response.status
  const serverTime = readDate(response.headers.get('date'))
  const retryAfter = readRetryAfter(response.headers.get('retry-after'), serverTime ?? client.clock.now())
  return bare<Answer>({
    status,
    mediaType: (response.headers.get('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '',
    ...(saysMore(status) ? await readBody(response) : await leaveBody(response)),
    ...(retryAfter === undefined ? {} : { retryAfter }),
    ...(serverTime === undefined ? {} : { serverTime }),
    nonce: response.headers.get('dpop-nonce'),
  })
}

/** Whether the body of such an answer can say more than its status does. */
function saysMore(status: number): boolean {
  return status === 200 || status === 201 || (status >= 400 && status < 500 && status !== 408 && status !== 429)
}

async function leaveBody(response: Response): Promise<object> {
  void response.body?.cancel().catch(() => {})
  return {}
}

async function readBody(response: Response): Promise<Pick<Answer, 'body' | 'tooLarge'>> {
  if (response.body === null) return {}
  const reader = response.body.getReader()
  // JSON is UTF-8 without a byte order mark (RFC 8259 section 8.1).
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  let text = ''
  let size = 0
  for (;;) {
    const { done, value } = await reader.read()
    size += value?.byteLength ?? 0
    if (size > largestBody) {
      void reader.cancel().catch(() => {})
      return { tooLarge: true }
    }
    const more = decoded(decoder, value)
    if (more === undefined) {
      void reader.cancel().catch(() => {})
      return {}
    }
    text += more
    if (done) break
  }
  const body = parseObject(text)
  return body === undefined ? {} : bare({ body })
}

function decoded(decoder: TextDecoder, bytes: Uint8Array | undefined): string | undefined {
  try {
    return decoder.decode(bytes, { stream: bytes !== undefined })
  } catch {
    return undefined
  }
}

function readDate(text: string | null): number | undefined {
  // Only the form that RFC 9110 section 5.6.7 lets a sender generate; `Date.parse` alone would read almost anything as a date.
  if (text === null || !/^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/.test(text)) return undefined
  const time = Date.parse(text)
  return Number.isNaN(time) ? undefined : time
}

function readRetryAfter(text: string | null, now: number): number | undefined {
  const milliseconds = text !== null && /^\d+$/.test(text) ? Number(text) * 1000 : (readDate(text) ?? Number.NaN) - now
  return milliseconds > 0 && Number.isFinite(milliseconds) ? milliseconds : undefined
}

/**
 * Runs under the client's deadline, which covers headers and body. Rejects with `timed_out` and aborts the signal when it is over.
 * @param who is waited for
 */
export async function withinDeadline<T>(
  client: Pick<Client, 'clock' | 'deadline'>,
  run: (signal: AbortSignal) => Promise<T>,
  who = 'The authorization server',
): Promise<T> {
  const tooLate = new AbortController()
  const settled = new AbortController()
  const deadline = client.clock.wait(client.deadline, settled.signal).then(() => {
    tooLate.abort()
    throw new OAuthError(
      'timed_out',
      `${who} did not answer within ${client.deadline / 1000} seconds. Try again, or set deadlineSeconds higher.`,
    )
  })
  try {
    return await Promise.race([run(tooLate.signal), deadline])
  } finally {
    settled.abort()
  }
}
