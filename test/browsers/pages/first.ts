import { overhear } from '../../support/overhear.js'

// What happens in a page before the library is there: it has the clock that its test gives it, and everything that it says is reported.

export interface PageConfig {
  readonly issuer: string
  readonly api: string
  /** Where the script of its worker is, if it is to have one. */
  readonly worker?: string
  /** By how much the wall clock of the page is wrong when it is loaded, in milliseconds. */
  readonly clockOffset: number
}

/** What a page tells its own server. */
export type Report =
  | { readonly overheard: unknown }
  | { readonly violation: string }
  | { readonly said: string }
  /** What a page found that came back as it was. */
  | { readonly restored: string }

export function report(what: Report): void {
  navigator.sendBeacon('/report', JSON.stringify(what))
}

/** Milliseconds since the epoch, as the tests have them, whatever clock the page has. */
export const realTime = (): number => performance.timeOrigin + performance.now()

Object.assign(globalThis, {
  reportOverheard: (overheard: unknown) => report({ overheard }),
  reportViolation: (violation: string) => report({ violation }),
})
overhear()

for (const level of ['log', 'info', 'debug', 'warn', 'error'] as const) {
  console[level] = (...words: unknown[]) => report({ said: words.map(String).join(' ') })
}
addEventListener('error', ({ message }) => report({ said: message }))
addEventListener('unhandledrejection', ({ reason }) => report({ said: String(reason) }))

export const config = (await (await fetch('/config.json')).json()) as PageConfig

const { now } = Date
let offset = config.clockOffset
Date.now = () => now() + offset

/** Somebody, or something, sets the clock. */
export function jump(milliseconds: number): void {
  offset += milliseconds
}
