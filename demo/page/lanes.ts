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
  readonly from: number
  /** When it got its token and left; until then it waited. */
  readonly sent?: number
  readonly until?: number
  readonly good?: boolean
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

/** The lanes of these happenings, in the order in which the tabs came. */
export function lanesOf(happenings: readonly Happening[], first: string): readonly Lane[] {
  const tabs = [...new Set([first, ...happenings.map(({ tab }) => tab)])]
  return tabs.map((tab) =>
    laneOf(
      tab,
      happenings.filter((happening) => happening.tab === tab),
    ),
  )
}

function laneOf(tab: string, happenings: readonly Happening[]): Lane {
  const calls = new Map<string, Open<Call>>()
  const renewals: Open<Renewal>[] = []
  const marks: Mark[] = []
  for (const happening of happenings) {
    const { at } = happening
    if (happening.kind === 'call') calls.set(happening.id, { label: happening.label, from: at })
    else if (happening.kind === 'answer') {
      const call = calls.get(happening.id)
      if (call !== undefined) Object.assign(call, { until: at, good: happening.good })
    } else {
      const mark = markOf(happening)
      if (mark !== undefined) marks.push(mark)
      if (happening.event.type === 'token_attached') send(calls, at)
      else renew(renewals, happening)
    }
  }
  return { tab, calls: [...calls.values()], renewals, marks }
}

/** The event does not say which call its token is for; those that wait are served in the order in which they came. */
function send(calls: ReadonlyMap<string, Open<Call>>, at: number): void {
  const waiting = [...calls.values()].find((call) => call.sent === undefined && call.until === undefined)
  if (waiting !== undefined) waiting.sent = at
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
