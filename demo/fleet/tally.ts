import type { OAuthEvent } from '../../src/index.js'

/** What a worker tells. */
export type Message = OAuthEvent | { readonly type: 'called'; readonly status: number }

/** What one worker has done so far. */
export interface Tally {
  readonly calls: number
  /** Tokens that it asked the authorization server for. */
  readonly renewals: number
  /** Calls that the API refused with 401 at first. */
  readonly refused: number
  /** Calls that came back to the program with 401. */
  readonly failed: number
}

export const nothingYet: Tally = { calls: 0, renewals: 0, refused: 0, failed: 0 }

export function counted(tally: Tally, message: Message): Tally {
  switch (message.type) {
    case 'called':
      return { ...tally, calls: tally.calls + 1, failed: tally.failed + (message.status === 401 ? 1 : 0) }
    case 'renewal_finished':
      return { ...tally, renewals: tally.renewals + 1 }
    case 'token_rejected':
      return { ...tally, refused: tally.refused + 1 }
    default:
      return tally
  }
}

export function sum(tallies: readonly Tally[]): Tally {
  const of = (name: keyof Tally) => tallies.reduce((total, tally) => total + tally[name], 0)
  return { calls: of('calls'), renewals: of('renewals'), refused: of('refused'), failed: of('failed') }
}

const columns: readonly (readonly [head: string, value: (tally: Tally) => number])[] = [
  ['calls', (tally) => tally.calls],
  ['renewals', (tally) => tally.renewals],
  ['401 mended', (tally) => tally.refused - tally.failed],
  ['401 seen', (tally) => tally.failed],
]

/** A line for each worker, and one for all of them. */
export function table(tallies: readonly Tally[]): readonly string[] {
  const line = (name: string, cells: readonly string[]) =>
    name.padEnd(8) + cells.map((cell, index) => cell.padStart((columns[index]?.[0].length ?? 0) + 3)).join('')
  const row = (name: string, tally: Tally) => line(name, columns.map(([, value]) => String(value(tally)))) // prettier-ignore
  const head = line('worker', columns.map(([name]) => name)) // prettier-ignore
  return [head, ...tallies.map((tally, index) => row(String(index + 1), tally)), row('all', sum(tallies))]
}
