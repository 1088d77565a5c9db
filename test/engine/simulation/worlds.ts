import type { Strikes } from './context.js'
import type { StoreFaults } from './store.js'
import type { RequestFaults } from './wire.js'

/** What a caller asks for. `resource` and `scope` left out: what the source has. */
export interface Target {
  readonly resource?: string
  readonly scope?: readonly string[]
}

/** What happens to the world as a whole, and how many milliseconds pass between two of a kind, on average. */
export interface Happenings {
  /** Every access token is taken back. */
  readonly storm?: number
  /** The authorization server does not answer for a while. */
  readonly outage?: number
  /** The store does not answer for a while. */
  readonly storeDown?: number
  /** One context does not reach the store for a while. */
  readonly cut?: number
  /** The store loses its last write. */
  readonly forget?: number
  /** The user signs out, or in, in any of the contexts. */
  readonly signs?: number
  /** The authorization server ends the session. */
  readonly removal?: number
  /** All machines sleep, and wake one after the other. */
  readonly sleepOfAll?: number
}

export interface World {
  readonly name: string
  /** Of an access token, in milliseconds. */
  readonly lifetime?: number
  readonly targets?: readonly Target[]
  readonly strikes?: Strikes
  readonly store?: StoreFaults
  readonly requests?: RequestFaults
  /** How likely a request cannot be made ready. */
  readonly unprepared?: number
  readonly happenings?: Happenings
  /** How far wall clocks may be off. */
  readonly skew?: number
  readonly contexts?: number
  /** How long a process lives at most. */
  readonly processLife?: number
  /** In the end there are only processes that live so long, one every few minutes. */
  readonly shortInTheEnd?: number
}

export const fullScope: readonly string[] = ['read', 'write']
const wide: Target = {}
const narrow: Target = { scope: ['read'] }
const other: Target = { resource: 'https://other.example/' }
const otherNarrow: Target = { resource: 'https://other.example/', scope: ['read'] }
const several = [wide, narrow, other, otherNarrow]

const strikes: Strikes = { death: 0.003, stop: 0.003, sleep: 0.003 }

/** Scale: a deadline of 10 s, hence a patience of 13 s. */
const list = [
  { name: 'calm' },
  { name: 'tokens of 1 s', lifetime: 1_000 },
  { name: 'two resources, narrow and wide', targets: several },
  { name: 'death', strikes: { death: 0.01 } },
  { name: 'SIGSTOP', strikes: { stop: 0.01 } },
  { name: 'sleep', strikes: { sleep: 0.01 } },
  { name: 'sleep of all', happenings: { sleepOfAll: 25_000 } },
  { name: 'request lost', requests: { request_lost: 0.4 } },
  { name: 'answer lost', requests: { answer_lost: 0.4 } },
  { name: 'answer in up to 3 deadlines', requests: { late_3: 0.6 } },
  { name: 'answer in up to 5 deadlines', requests: { late_5: 0.6 } },
  { name: '503 before the rotation', requests: { failed_before: 0.5 } },
  { name: '503 after the rotation', requests: { failed_after: 0.4 } },
  { name: '429', requests: { too_many: 0.5 } },
  { name: 'empty 400', requests: { empty_400: 0.4 } },
  { name: 'outage', unprepared: 0.1, happenings: { outage: 30_000 } },
  { name: 'store error before the write', store: { before: 0.1 } },
  { name: 'store error after the write', store: { after: 0.3, later: 0.05 } },
  { name: 'store slow', store: { slow: 0.1 } },
  { name: 'answers late and the store slow', requests: { late_5: 0.7 }, store: { slow: 0.4 } },
  { name: 'store down', happenings: { storeDown: 25_000 } },
  { name: 'one context cut from the store', happenings: { cut: 20_000 } },
  { name: 'store forgets its last write', happenings: { forget: 15_000 } },
  { name: '401 storms', targets: several, lifetime: 60_000, happenings: { storm: 8_000 } },
  { name: 'sign-out and sign-in', lifetime: 5_000, happenings: { signs: 6_000 } },
  { name: 'sign-out and sign-in with store errors', lifetime: 5_000, store: { before: 0.03, after: 0.3 }, happenings: { signs: 3_000 } },
  { name: 'sign-out and sign-in in storms', targets: several, happenings: { signs: 8_000, storm: 6_000 } },
  { name: 'the server ends the session', happenings: { removal: 40_000 } },
  { name: 'clocks 10 minutes off', skew: 600_000 },
  { name: 'short processes', processLife: 9_000, strikes: { death: 0.005 } },
  { name: 'short processes after a death', lifetime: 5_000, shortInTheEnd: 9_000 },
  { name: '32 contexts', contexts: 32 },
  {
    name: 'everything at once',
    targets: several,
    strikes,
    store: { before: 0.02, after: 0.02, later: 0.01, slow: 0.01 },
    requests: {
      request_lost: 0.04,
      answer_lost: 0.04,
      late_3: 0.05,
      late_5: 0.02,
      failed_before: 0.04,
      failed_after: 0.03,
      unreadable: 0.02,
      too_many: 0.03,
      empty_400: 0.01,
    },
    unprepared: 0.02,
    happenings: {
      storm: 30_000,
      outage: 80_000,
      storeDown: 80_000,
      cut: 60_000,
      forget: 90_000,
      signs: 40_000,
      removal: 150_000,
      sleepOfAll: 90_000,
    },
    skew: 600_000,
    processLife: 60_000,
  },
] as const satisfies readonly World[]

export type WorldName = (typeof list)[number]['name']
export const worlds: readonly (World & { readonly name: WorldName })[] = list
