import type { Happening } from './happenings.js'

/** What one tab did, as times and nothing of how it is drawn. An absent end means: still under way. */
export interface Lane {
  readonly tab: string
  readonly calls: readonly Call[]
  readonly renewals: readonly Renewal[]
  readonly marks: readonly Mark[]
}

export interface Call {
  readonly label: string
  /** It waits for its first token, travels, and after a refusal waits for another. */
  readonly stretches: readonly Stretch[]
  readonly until?: number
  readonly good?: boolean
}

export interface Stretch {
  readonly kind: 'waits' | 'travels'
  readonly from: number
  readonly until?: number
}

export interface Renewal {
  readonly from: number
  readonly until?: number
  readonly failed?: string
}

export interface Mark {
  readonly kind: 'began' | 'ended' | 'adopted' | 'refused'
  readonly at: number
  readonly words: string
}

type Open<T> = { -readonly [K in keyof T]: T[K] }
type OpenCall = Open<Omit<Call, 'stretches'>> & { readonly stretches: Open<Stretch>[] }

/** The lanes of these happenings, in the order in which the tabs came. */
export function lanesOf(happenings: readonly Happening[], first: string | undefined): readonly Lane[] {
  const tabs = [...new Set([...(first === undefined ? [] : [first]), ...happenings.map(({ tab }) => tab)])]
  return tabs.map((tab) =>
    laneOf(
      tab,
      happenings.filter((happening) => happening.tab === tab),
    ),
  )
}

function laneOf(tab: string, happenings: readonly Happening[]): Lane {
  const calls = new Map<string, OpenCall>()
  const renewals: Open<Renewal>[] = []
  const marks: Mark[] = []
  for (const happening of happenings) {
    const { at } = happening
    if (happening.kind === 'call') calls.set(happening.id, { label: happening.label, stretches: [{ kind: 'waits', from: at }] })
    else if (happening.kind === 'answer') {
      const call = calls.get(happening.id)
      if (call !== undefined) answer(call, at, happening.good)
    } else {
      const mark = markOf(happening)
      if (mark !== undefined) marks.push(mark)
      if (happening.event.type === 'token_attached') turn(calls, at, 'travels')
      if (happening.event.type === 'token_rejected') turn(calls, at, 'waits')
      renew(renewals, happening)
    }
  }
  return { tab, calls: [...calls.values()], renewals, marks }
}

function answer(call: OpenCall, at: number, good: boolean): void {
  close(call, at)
  Object.assign(call, { until: at, good })
}

/** An event does not say which call its token is for; of those it can be about, it is the one that has been so the longest. */
function turn(calls: ReadonlyMap<string, OpenCall>, at: number, kind: Stretch['kind']): void {
  const since = (call: OpenCall): number => call.stretches.at(-1)?.from ?? 0
  const [call] = [...calls.values()]
    .filter(({ until, stretches }) => until === undefined && stretches.at(-1)?.kind !== kind)
    .toSorted((one, other) => since(one) - since(other))
  if (call === undefined) return
  close(call, at)
  call.stretches.push({ kind, from: at })
}

function close({ stretches }: OpenCall, at: number): void {
  const last = stretches.at(-1)
  if (last !== undefined) last.until = at
}

function renew(renewals: Open<Renewal>[], { at, event }: Happening & { readonly kind: 'event' }): void {
  const open = renewals.findLast((renewal) => renewal.until === undefined)
  if (event.type === 'renewal_started') renewals.push({ from: at })
  if (event.type === 'renewal_finished' && open !== undefined) open.until = at
  if (event.type === 'renewal_failed') {
    if (open === undefined) renewals.push({ from: at, until: at, failed: event.code })
    else Object.assign(open, { until: at, failed: event.code })
  }
}

function markOf({ at, event }: Happening & { readonly kind: 'event' }): Mark | undefined {
  if (event.type === 'sign_in_finished') return { kind: 'began', at, words: 'signed in' }
  if (event.type === 'session_ended') return { kind: 'ended', at, words: event.reason }
  if (event.type === 'renewal_adopted') return { kind: 'adopted', at, words: 'took over another’s token' }
  if (event.type === 'token_rejected') return { kind: 'refused', at, words: 'the API refused the token' }
  return undefined
}
