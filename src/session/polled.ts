import type { Instant } from '../core/lifetime.js'
import { bare } from '../core/secret.js'
import type { TokenAnswer } from '../core/token-record.js'
import { adoptAnswer } from './adopt-answer.js'
import type { FlowParts } from './decoupled.js'

/**
 * Waits for what the user decides elsewhere, and takes up what comes of it. Rejects with what `poll` and `adoptAnswer` reject with.
 *
 * @param poll calls back in the turn in which each request is sent: the answer's lifetime counts from the last one
 */
export async function polled(
  { client, engine }: FlowParts,
  scope: readonly string[],
  poll: (sending: () => void) => Promise<TokenAnswer>,
): Promise<void> {
  const now = (): Instant => ({ monotonic: client.clock.monotonic(), wall: client.clock.now() })
  let started = now()
  const answer = await poll(() => {
    started = now()
  })
  await adoptAnswer(client, engine, answer, { scope, started })
}

/** What else is asked for than scope, as far as it has a place in a request from elsewhere. */
export function askedBesides({ how, authorizationParameters }: FlowParts): Pick<FlowParts['how'], 'authorizationDetails'> & {
  readonly parameters: Readonly<Record<string, string>>
} {
  return bare({
    authorizationDetails: how.authorizationDetails,
    parameters: bare({ ...authorizationParameters, ...how.authorizationParameters }),
  })
}
