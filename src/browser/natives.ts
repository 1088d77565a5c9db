import type { WebCrypto } from '../core/client.js'
import { bare } from '../core/secret.js'
import type { NativeFetch } from '../oauth-fetch/calls.js'

interface Natives extends NativeFetch {
  /** `fetch` for what is said to the authorization server: the body of its answer is read by natives too. */
  readonly exchange: typeof fetch
  readonly webCrypto: WebCrypto
  readonly openDatabase: (factory: IDBFactory, name: string) => IDBOpenDBRequest
}

/**
 * The browser's own functions as they were when this file was loaded: what a script of the page puts in their place later sees no token, no verifier
 * and no use of a key, and makes nothing predictable. Nothing is called. Node loads `Response` and its kin when they are first looked at, which is
 * not for an import to do: there nothing is kept, and each is looked up at the call.
 */
export const natives: Partial<Natives> = /* @__PURE__ */ captured(Object.getOwnPropertyDescriptor(globalThis, 'Response')?.value)

function captured(NativeResponse: typeof Response | undefined): Partial<Natives> {
  if (NativeResponse === undefined) return bare({})
  const { fetch, crypto, Headers: NativeHeaders } = globalThis
  const setIn = freed(NativeHeaders.prototype.set)
  const bodyOf = freed(Object.getOwnPropertyDescriptor(NativeResponse.prototype, 'body')?.get as (this: Response) => Response['body'])
  const readerOf = freed(ReadableStream.prototype.getReader as (this: ReadableStream) => ReadableStreamDefaultReader)
  const nextOf = freed(ReadableStreamDefaultReader.prototype.read)
  return bare<Natives>({
    fetch,
    headersWith(headers, carried) {
      const together = new NativeHeaders(headers)
      for (const name in carried) setIn(together, name, carried[name] ?? '')
      return together
    },
    async exchange(input, init) {
      const response = await fetch(input, init)
      const body = bodyOf(response)
      if (body === null) return response
      const getReader = () => {
        const reader = readerOf(body)
        return bare({ read: () => nextOf(reader), cancel: () => reader.cancel() })
      }
      return Object.defineProperty(response, 'body', { value: bare({ getReader, cancel: () => body.cancel() }) })
    },
    // A page that is not secure has no `subtle`, and fails where it first needs it.
    webCrypto: bare({ ...methodsOf(crypto), subtle: methodsOf(crypto.subtle) }),
    openDatabase: freed(globalThis.IDBFactory?.prototype.open),
  })
}

/** Bound here: a later script may replace `bind` and `call` too. */
function methodsOf<T extends object>(object: T): T {
  const methods: Record<string, unknown> = bare({})
  for (const name in object) {
    const method: unknown = object[name]
    if (typeof method === 'function') methods[name] = method.bind(object)
  }
  return methods as T
}

/** A method as a function of its object. */
function freed<T, Given extends unknown[], R>(method: (this: T, ...given: Given) => R): (object: T, ...given: Given) => R {
  return Function.prototype.call.bind(method) as never
}
