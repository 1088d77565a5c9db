import { config, jump, realTime, report } from './first.js'
import {
  type OAuthEvent,
  OAuthError,
  type SessionSnapshot,
  type SignInOptions,
  type SignOutResult,
  browserSession,
  oauthFetch,
  popup,
  redirect,
} from '../../../src/browser/index.js'

// A page that does what its test tells it, and keeps count of what it saw. A test reads `app`.

/** One call of the API, on the clock of the tests. */
export interface Call {
  readonly began: number
  readonly ended: number
  /** The status, or the code of the failure; `fetch` where the API itself was not reached. */
  readonly outcome: number | string
}

/** One state of the session, as a user interface that renders it sees it. */
export interface Shown {
  readonly status: SessionSnapshot['status']
  readonly subject?: string | undefined
  readonly ended?: string | undefined
}

export interface App {
  /** What taking up the session came to: whether there is one, or the code of the failure. */
  readonly state: boolean | string
  readonly calls: Call[]
  readonly events: OAuthEvent[]
  readonly shown: Shown[]
  /** Leaves for a sign-in. */
  signIn(options?: SignInOptions): void
  /** Signs in in a window of its own. Resolves with `signed_in`, or with the code of the failure. */
  signInInWindow(): Promise<string>
  /** This document is being left. */
  leaving: boolean
  /** Resolves with its result, and with when it was done. */
  signOut(): Promise<SignOutResult & { readonly at: number }>
  /** One call; resolves with its outcome. */
  call(): Promise<Call['outcome']>
  /** Calls again and again. */
  start(betweenCallsMilliseconds: number): void
  stop(): void
  /** Asks for a token that lives longer than any does: one renewal. Resolves with `renewed`, or with the code of the failure. */
  renew(): Promise<string>
  /** Shows what a user interface would be shown. */
  subscribe(): void
  jump(milliseconds: number): void
  /** What the browser says of its network; and it says so. */
  network(online: boolean): void
  /** When the page comes back as it was left, it makes a call and reports its outcome. */
  callWhenRestored(): void
  shownNow(): Shown
}

const [calls, events, shown]: [Call[], OAuthEvent[], Shown[]] = [[], [], []]
let calling = false
let inWindow = false
const [leaving, opening] = [redirect(), popup()]

const session = browserSession({
  issuer: config.issuer,
  clientId: 'page',
  redirectUri: '/callback',
  scope: ['openid', 'mail:read'],
  resource: 'https://mail.example/',
  userAgent: { authorize: (...parameters) => (inWindow ? opening : leaving).authorize(...parameters) },
  observe: (event) => events.push(event),
  worker: config.worker,
})
const api = oauthFetch(session, { resources: [`${config.api}/`] })

const codeOf = (error: unknown): string => (error instanceof OAuthError ? error.code : error instanceof TypeError ? 'fetch' : String(error))

async function call(): Promise<Call['outcome']> {
  const began = realTime()
  const outcome = await api(`${config.api}/mail`).then(({ status }) => status, codeOf)
  calls.push({ began, ended: realTime(), outcome })
  return outcome
}

async function callAgainAndAgain(betweenCallsMilliseconds: number): Promise<void> {
  calling = true
  while (calling) {
    await call()
    await new Promise((resolve) => setTimeout(resolve, betweenCallsMilliseconds))
  }
}

function shownNow(): Shown {
  const { status, idTokenClaims, ended } = session.snapshot()
  return { status, subject: idTokenClaims?.sub, ended }
}

// A window that was cut off knows nobody who opened it.
if (location.pathname === '/callback') report({ overheard: { hasOpener: opener !== null } })
const state = await session.resume().catch(codeOf)

const app: App = {
  state,
  calls,
  events,
  shown,
  signIn: (options) => {
    app.leaving = true
    void session.signIn(options).catch(() => {})
  },
  signInInWindow: async () => {
    inWindow = true
    return session.signIn().then(() => session.snapshot().status, codeOf)
  },
  leaving: false,
  signOut: async () => ({ ...(await session.signOut()), at: realTime() }),
  call,
  start: (betweenCallsMilliseconds) => void callAgainAndAgain(betweenCallsMilliseconds),
  stop: () => void (calling = false),
  renew: () => session.token({ minimumValiditySeconds: 3_600 }).then(() => 'renewed', codeOf),
  subscribe: () => void session.subscribe(() => shown.push(shownNow())),
  jump,
  network: (online) => {
    Object.defineProperty(navigator, 'onLine', { value: online, configurable: true })
    dispatchEvent(new Event(online ? 'online' : 'offline'))
  },
  callWhenRestored: () =>
    addEventListener('pageshow', ({ persisted }) => {
      if (persisted) void call().then((outcome) => report({ restored: String(outcome) }))
    }),
  shownNow,
}
Object.assign(globalThis, { app })
