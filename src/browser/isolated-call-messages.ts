import { OAuthError } from '../core/errors.js'
import { Unreadable, list, number, object, oneOf, optional, readable, string } from '../core/reading.js'
import { present } from '../core/secret.js'
import { errorMessage, readError } from './error-messages.js'

// One call to an API, from a page to the worker that has the token, and its answer. Each has a port of its own; there, bodies follow (byte-port.ts).

type Headers = readonly (readonly [name: string, value: string])[]

/** What a page asks for. A body that is a stream comes over a second port. */
export interface CallRequest {
  readonly url: string
  readonly method: string
  readonly headers: Headers
  readonly body?: ArrayBuffer
  /** What else of a Request a fetch in a worker can have. */
  readonly how: RequestInit
}

/** What the API answered. `hasBody`: it follows over the same port. */
export interface CallResponse {
  readonly status: number
  readonly statusText: string
  readonly headers: Headers
  readonly url: string
  readonly redirected: boolean
  readonly type: ResponseType
  readonly hasBody: boolean
}

const texts = ['mode', 'credentials', 'cache', 'redirect', 'referrer', 'referrerPolicy', 'integrity'] as const

export function callMessage({ url, method, headers, body, how }: CallRequest): object {
  return { valetkey: 'call', url, method, headers, body, how: { ...how } }
}

export function readCall(message: unknown): CallRequest | undefined {
  return readable<CallRequest>(() => {
    const from = object(message)
    if (from['valetkey'] !== 'call') throw new Unreadable()
    const how = object(from['how'])
    const told = Object.fromEntries(texts.map((name) => [name, optional(how[name], string)]))
    return present<CallRequest>({
      url: string(from['url']),
      method: string(from['method']),
      headers: readHeaders(from['headers']),
      body: optional(from['body'], bytes),
      how: present<RequestInit>({ ...told, keepalive: how['keepalive'] === true }),
    })
  })
}

/** @param failed what to reject with: an OAuthError keeps its code, all else is what fetch throws */
export function failureMessage(failed: unknown): object {
  return { valetkey: 'failed', error: failed instanceof OAuthError ? errorMessage(failed) : undefined }
}

export function responseMessage(response: CallResponse): object {
  return { valetkey: 'response', ...response }
}

export type CallReply =
  | { readonly kind: 'response'; readonly response: CallResponse }
  | { readonly kind: 'failed'; readonly error: OAuthError | undefined }

export function readCallReply(message: unknown): CallReply | undefined {
  return readable<CallReply>(() => {
    const from = object(message)
    const kind = oneOf(from['valetkey'], ['response', 'failed'])
    if (kind === 'failed') return { kind, error: optional(from['error'], readError) }
    const response: CallResponse = {
      status: number(from['status']),
      statusText: string(from['statusText']),
      headers: readHeaders(from['headers']),
      url: string(from['url']),
      redirected: from['redirected'] === true,
      type: oneOf(from['type'], ['basic', 'cors', 'default', 'error', 'opaque', 'opaqueredirect']),
      hasBody: from['hasBody'] === true,
    }
    return { kind, response }
  })
}

export function isAbort(message: unknown): boolean {
  return readable(() => object(message)['valetkey']) === 'abort'
}

function readHeaders(value: unknown): Headers {
  return list(value).map((pair) => {
    const [name, text, ...more] = list(pair)
    if (more.length > 0) throw new Unreadable()
    return [string(name), string(text)] as const
  })
}

function bytes(value: unknown): ArrayBuffer {
  if (!(value instanceof ArrayBuffer)) throw new Unreadable()
  return value
}
