import type { ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'
import type { Transport } from './fault.js'

/** An honest answer, before it is carried. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Buffer
}

/**
 * Carries an answer as the fault has it.
 *
 * @param held is called when nothing more comes that a client could wait for
 */
export function carry(response: ServerResponse, answer: Answer, transport: Transport, held: () => void): void {
  if (transport.reset) return void response.destroy()
  if (transport.silent) return held()
  const { status, headers, body } = carried(answer, transport)
  response.writeHead(status, headers)
  if (transport.drip) return drip(response, held)
  if (transport.truncate === undefined) return void response.end(body)
  response.write(body.subarray(0, transport.truncate), () => response.destroy())
}

function carried(answer: Answer, transport: Transport): Answer & { readonly body: Buffer } {
  const plain = Buffer.concat([Buffer.from(answer.body), Buffer.alloc(transport.padding ?? 0, ' ')])
  const body = transport.gzip ? gzipSync(plain) : plain
  const changed = {
    ...answer.headers,
    ...(transport.gzip ? { 'content-encoding': 'gzip' } : {}),
    ...(transport.redirect === undefined ? {} : { location: transport.redirect }),
    ...(transport.drip ? {} : { 'content-length': String(body.length) }),
    ...transport.headers,
  }
  const headers = Object.fromEntries(Object.entries(changed).filter(([, value]) => value !== undefined)) as Record<string, string>
  return { status: transport.status ?? (transport.redirect === undefined ? answer.status : 302), headers, body }
}

/** As fast as each byte is taken, so that a test need not wait; it ends with the connection. */
function drip(response: ServerResponse, held: () => void): void {
  let sent = 0
  const more = () => {
    if (response.destroyed) return
    sent += 1
    if (sent === 10) held()
    response.write(' ', () => setTimeout(more, 1))
  }
  more()
}
