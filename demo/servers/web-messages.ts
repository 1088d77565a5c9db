import type { IncomingMessage, ServerResponse } from 'node:http'
import { readText } from './loopback.js'

/** A request as the Web has it, every header as often as it came. Rejects where its body is larger than a note needs. */
export async function webRequest(origin: string, incoming: IncomingMessage): Promise<Request> {
  const { method = 'GET', url = '/', rawHeaders } = incoming
  const headers = new Headers()
  for (let at = 0; at < rawHeaders.length; at += 2) headers.append(rawHeaders[at] ?? '', rawHeaders[at + 1] ?? '')
  const body = await readText(incoming)
  return new Request(origin + url, { method, headers, ...(method === 'GET' || method === 'HEAD' ? {} : { body }) })
}

export async function sendWebResponse(outgoing: ServerResponse, response: Response): Promise<void> {
  const body = Buffer.from(await response.arrayBuffer())
  outgoing.writeHead(response.status, Object.fromEntries(response.headers)).end(body)
}
