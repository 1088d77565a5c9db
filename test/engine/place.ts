import type { Proofs } from '../../src/core/dpop.js'
import { OAuthError, type OAuthErrorCode } from '../../src/core/errors.js'
import type { OAuthFact } from '../../src/core/events.js'
import type { TokenOutcome } from '../../src/core/exchange.js'
import type { RenewElsewhere } from '../../src/engine/elsewhere.js'
import { memoryStore } from '../../src/stores/memory.js'
import { manualClock } from '../../src/testing/manual-clock.js'
import { type TokenEngine, tokenSource } from '../../src/token-source.js'
import { anAnswer } from '../core/records.js'

export const hour = 3_600_000
export type Answer = () => Promise<TokenOutcome>

/** A place with one store and one clock: its sources, and the requests they sent. */
export function place(
  first: {
    readonly lifetime?: number
    readonly refreshToken?: string | undefined
    /** Tokens are bound to this key (RFC 9449), whose proofs these are. */
    readonly bound?: { to: string; readonly proofs: Proofs }
  } = {},
) {
  const clock = manualClock()
  const store = memoryStore()
  const requests: { readonly refreshToken: string; readonly at: number; readonly resource: string | undefined }[] = []
  const facts: OAuthFact[] = []
  const { lifetime = hour, bound } = first
  const binding = () => (bound === undefined ? {} : ({ tokenType: 'DPoP', boundTo: bound.to } as const))
  let names = 0
  let issued = 0
  const renewed: Answer = async () => ({ ok: true, answer: anAnswer({ lifetime, refreshToken: `R${(issued += 1)}`, ...binding() }) })
  const server: { answer: Answer } = { answer: renewed }
  const network = { isOffline: false }

  function source(renewElsewhere?: RenewElsewhere): TokenEngine {
    return tokenSource({
      issuer: 'https://as.example',
      clientId: 'c',
      target: {},
      severalResources: false,
      scopeNamedDifferently: false,
      store,
      key: 'tokens',
      lock: undefined,
      clock,
      deadline: 10_000,
      prepare: async (record, { resource }) => ({
        send: async () => {
          requests.push({ refreshToken: record.refreshToken?.reveal() ?? '', at: clock.monotonic(), resource })
          await clock.wait(50)
          return server.answer()
        },
        discard: () => {},
      }),
      renewElsewhere,
      proofs: bound === undefined ? undefined : async () => bound.proofs,
      revoke: () => {},
      emit: (fact) => void facts.push(fact),
      fresh: () => `${(names += 1)}`,
      draw: () => 0.5,
      isOffline: () => network.isOffline,
    })
  }

  const signIn = (engine: TokenEngine): Promise<unknown> =>
    engine.signIn(anAnswer({ lifetime, refreshToken: 'refreshToken' in first ? first.refreshToken : 'R0', ...binding() }), {
      scope: ['read'],
      started: { monotonic: clock.monotonic(), wall: clock.now() },
    })

  return { clock, store, server, network, renewed, requests, facts, source, signIn }
}

export function failing(code: OAuthErrorCode, facts: { readonly retryAfter?: number; readonly serverError?: string } = {}): Answer {
  const { retryAfter, serverError } = facts
  const error = new OAuthError(code, 'simulated', serverError === undefined ? {} : { serverError })
  return async () => ({ ok: false, error, surelyNotDone: serverError !== undefined, ...(retryAfter === undefined ? {} : { retryAfter }) })
}

export const thousand = <T>(make: () => Promise<T>): Promise<PromiseSettledResult<T>[]> =>
  Promise.allSettled(Array.from({ length: 1_000 }, make))
export const codes = (results: readonly PromiseSettledResult<unknown>[]): ReadonlySet<unknown> =>
  new Set(results.map((result) => (result.status === 'rejected' ? (result.reason as OAuthError).code : 'served')))
