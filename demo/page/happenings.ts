import type { OAuthEvent } from '../../src/browser/index.js'

/** Something that a tab did, for the timeline. There is no token in it. */
export type Happening = { readonly tab: string; readonly at: number } & (
  | { readonly kind: 'event'; readonly event: OAuthEvent }
  | { readonly kind: 'call'; readonly id: string; readonly label: string }
  | {
      readonly kind: 'answer'
      readonly id: string
      readonly label: string
      readonly outcome: string
      readonly good: boolean
      readonly quiet: boolean
    }
)

/** A happening as a tab reports it: the tab's name is added on the way. */
export type Report = Happening extends infer H ? (H extends unknown ? Omit<H, 'tab'> : never) : never

/** In words, for the journal; `undefined` where a line would say nothing new. */
export function inWords(happening: Happening): string | undefined {
  if (happening.kind === 'call') return undefined
  if (happening.kind === 'answer') return happening.good && happening.quiet ? undefined : `${happening.label}: ${happening.outcome}`
  const { event } = happening
  switch (event.type) {
    case 'discovered':
      return 'Read what the authorization server can do'
    case 'sign_in_started':
      return 'Sent you to the authorization server'
    case 'sign_in_finished':
      return 'Signed in'
    case 'sign_in_failed':
      return `Sign-in failed: ${event.code}`
    case 'renewal_started':
      return 'Asked for a new token'
    case 'renewal_finished':
      return `Got a new token in ${Math.round(event.tookMilliseconds)} ms`
    case 'renewal_adopted':
      return 'Took over a token that another tab got'
    case 'renewal_failed':
      return `Got no new token: ${event.code}${event.retryAt === undefined ? '' : `; not again before ${new Date(event.retryAt).toLocaleTimeString('en-GB')}`}`
    case 'scope_narrowed':
      return `Was granted less than it asked for, without ${event.missingScope.join(', ')}`
    case 'session_ended':
      return `The session ended: ${event.reason}`
    case 'token_rejected':
      return 'The API refused the token'
    case 'token_withheld':
      return `Sent no token to ${event.origin}`
    case 'store_failed':
      return `The browser’s storage failed: ${event.code}`
    case 'store_recovered':
      return 'The browser’s storage is back'
    case 'token_attached':
      return undefined
  }
}

/** Whether it is bad news. */
export function isTrouble(happening: Happening): boolean {
  if (happening.kind === 'call') return false
  if (happening.kind === 'answer') return !happening.good
  return ['sign_in_failed', 'renewal_failed', 'session_ended', 'token_rejected', 'store_failed'].includes(happening.event.type)
}
