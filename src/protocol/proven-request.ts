import type { Client } from '../core/client.js'
import type { ProofAnswer, Proofs } from '../core/dpop.js'
import { bare } from '../core/secret.js'
import { type Answer, type WireRequest, exchange } from './exchange.js'
import type { ServerMetadata } from './library.js'
import { repaired } from './server-quirks.js'
import type { ReadyRequest } from './token-request.js'

/**
 * How long after its beginning a request may be sent once more, in milliseconds. In this time nobody takes the sender for dead: that takes the
 * deadline and three seconds from the mark, and between mark and request two may have passed.
 */
const longestUntilRetry = 2_000

/**
 * Makes a request ready with its proof of possession (RFC 9449 section 5). Where the server readably refuses the proof, and what it says makes
 * another one, the request is made anew, client authentication and all, and sent once more: a server whose answer is about the proof has done
 * nothing yet (section 8).
 * @param key that proves it. Default: the one that new tokens are bound to
 */
export async function provenRequest(
  client: Client,
  proofs: Proofs,
  server: ServerMetadata,
  make: () => Promise<WireRequest>,
  key?: string,
): Promise<ReadyRequest> {
  const { clock } = client
  const boundTo = key ?? (await proofs.key(server['dpop_signing_alg_values_supported']))
  const first = await proven()
  const url = new URL(first.url)

  async function proven(): Promise<WireRequest> {
    const wire = await make()
    const dpop = await proofs.proof(boundTo, wire.method, new URL(wire.url))
    return bare({ ...wire, headers: bare({ ...wire.headers, dpop }) })
  }

  async function answerTo(wire: WireRequest, signal: AbortSignal | undefined): Promise<Answer> {
    return repaired(await exchange(client, wire, signal), client.quirks)
  }

  async function send(signal?: AbortSignal): ReturnType<ReadyRequest['send']> {
    const began = { monotonic: clock.monotonic(), wall: clock.now() }
    const answer = await answerTo(first, signal)
    const verdict = proofs.answered(url, saidBy(answer))
    if (verdict === false) return bare({ answer })
    if (verdict !== true) return bare({ answer, unprovable: verdict })
    const second = await proven().catch(() => undefined)
    // Both clocks, for one may stand still in sleep: a sender that slept must not send a refresh token that others have sent meanwhile.
    const passed = Math.max(clock.monotonic() - began.monotonic, clock.now() - began.wall)
    if (second === undefined || passed > Math.min(longestUntilRetry, client.deadline)) return bare({ answer })
    const last = await answerTo(second, signal)
    proofs.answered(url, saidBy(last))
    return bare({ answer: last })
  }

  return bare({ boundTo, send })
}

function saidBy({ status, mediaType, body, nonce, serverTime }: Answer): ProofAnswer {
  const error = status >= 400 && status < 500 && mediaType === 'application/json' ? body?.['error'] : undefined
  return bare({ error: typeof error === 'string' ? error : undefined, nonce, serverTime })
}
