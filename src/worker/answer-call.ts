import { giveBytes, takeBytes } from '../browser/byte-port.js'
import { type CallRequest, failureMessage, isAbort, responseMessage } from '../browser/isolated-call-messages.js'

/** Makes a call of the page's, with the token that the page does not have, and gives back what the API answers. Never rejects. */
export async function answerCall(
  api: typeof fetch,
  { url, method, headers, body, how }: CallRequest,
  port: MessagePort,
  bodyPort: MessagePort | undefined,
): Promise<void> {
  const aborted = new AbortController()
  port.addEventListener('message', ({ data }: MessageEvent<unknown>) => isAbort(data) && aborted.abort())
  port.start()
  try {
    const sent = bodyPort === undefined ? { body: body ?? null } : await streamed(bodyPort)
    const response = await api(url, { ...how, ...sent, method, headers: headers.map(([...pair]) => pair), signal: aborted.signal })
    const { status, statusText, redirected, type } = response
    const hasBody = response.body !== null
    port.postMessage(responseMessage({ status, statusText, redirected, type, url: response.url, headers: [...response.headers], hasBody }))
    // Not every engine ends a call whose body is cancelled before more of it comes; an abort ends it in all.
    if (response.body !== null) giveBytes(response.body, port, () => aborted.abort())
  } catch (error) {
    port.postMessage(failureMessage(error))
  }
}

/** As a stream where this engine can send one, else all of it. */
async function streamed(port: MessagePort): Promise<RequestInit> {
  const stream = takeBytes(port, () => new TypeError('The body could not be read'))
  if (!('duplex' in Request.prototype)) return { body: await new Response(stream).arrayBuffer() }
  return { body: stream, duplex: 'half' } as RequestInit
}
