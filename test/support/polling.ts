import type { TokenAnswer } from '../../src/core/token-record.js'
import { type manualClock as ManualClock, manualClock } from '../../src/testing/manual-clock.js'
import { metadata, testClient } from './client.js'
import { type FaultServer, type Received, type Route, faultServer, json, silence } from './fault-server.js'
import { marker } from './marker.js'

// A server that is polled until a user has decided elsewhere, and time that passes for it second by second.

export const tokens = { access_token: `at-${marker}`, token_type: 'Bearer', expires_in: 60, refresh_token: `rt-${marker}` }
export const pending = json({ error: 'authorization_pending' }, 400)
export const slowDown = json({ error: 'slow_down' }, 400)

export interface World {
  readonly server: FaultServer
  readonly clock: ReturnType<typeof ManualClock>
  readonly client: ReturnType<typeof testClient>
  /** When each poll came, in seconds since the request. */
  readonly polls: number[]
  /** Ends the polling. */
  readonly leave: AbortController
  /** Where the polling is: between two polls, before a server that is silent, or at its end. */
  at: 'work' | 'pause' | 'silence' | 'end'
}

/** Where a request is made that a user answers, and what it is answered with. */
export interface Endpoint {
  readonly name: 'device_authorization_endpoint' | 'backchannel_authentication_endpoint'
  readonly path: string
  readonly answer: Readonly<Record<string, unknown>>
}

/** A server that answers the polls in this order; the last answer stays. */
export async function pollingWorld(
  endpoint: Endpoint,
  answers: readonly Route[],
  more: Readonly<Record<string, unknown>> = {},
): Promise<World> {
  const clock = manualClock()
  const leave = new AbortController()
  const polls: number[] = []
  const server = await faultServer({
    [endpoint.path]: json(endpoint.answer),
    '/token': (request: Received, response) => {
      const answer = answers[Math.min(polls.length, answers.length - 1)] ?? pending
      polls.push(clock.monotonic() / 1_000)
      if (answer === silence) of.at = 'silence'
      return answer(request, response)
    },
  })
  const authorizationServer = metadata(server.origin, { [endpoint.name]: `${server.origin}${endpoint.path}` })
  const watched = {
    ...clock,
    async wait(milliseconds: number, signal?: AbortSignal) {
      if (signal !== leave.signal) return clock.wait(milliseconds, signal)
      of.at = 'pause'
      await clock.wait(milliseconds, signal)
      of.at = 'work'
    },
  }
  const of: World = { server, clock, polls, leave, at: 'work', client: testClient({ authorizationServer, ...more }, watched) }
  return of
}

/** Time in steps of a second; it stands still while an exchange is under way, however slow the machine is. */
export async function pass(of: World, seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second += 1) {
    while (of.at === 'work') await new Promise((resolve) => setImmediate(resolve))
    await of.clock.advance(1_000)
  }
  while (of.at === 'work') await new Promise((resolve) => setImmediate(resolve))
}

/** What comes of a polling in so many seconds. */
export async function outcomeIn(of: World, polling: Promise<TokenAnswer>, seconds: number) {
  const result = polling
    .finally(() => (of.at = 'end'))
    .then(
      (answer) => ({ answer, error: undefined }),
      (error: unknown) => ({ answer: undefined, error }),
    )
  await pass(of, seconds)
  return of.at === 'end' ? result : { answer: undefined, error: 'still polling' }
}

export function gaps(polls: readonly number[]): readonly number[] {
  return polls.map((at, index) => at - (polls[index - 1] ?? 0))
}
