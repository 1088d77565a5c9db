import {
  type OAuthEvent,
  type Session,
  browserSession,
  memoryStore,
  oauthFetch,
  popup,
  redirect,
  signedResponses,
} from '../../../src/browser/index.js'

/** What a test may have this page do, and see of it. */
export interface App {
  readonly session: Session
  readonly events: OAuthEvent[]
  /** Whether it signs in in a window of its own from now on, instead of leaving. */
  inWindow: boolean
  /** Every way in which a program could print what was thrown. */
  readonly thrown: string[]
  /** Runs one method; resolves with what it resolves with, or with the code of its failure. */
  outcome(run: (session: Session) => Promise<unknown>): Promise<unknown>
  /** Leaves the page for a sign-in, or opens its window. What becomes of the promise is reported to the page's server. */
  leave(how?: Parameters<Session['signIn']>[0]): void
  /** Calls the API; resolves with the status. */
  call(path: string, init?: RequestInit): Promise<number>
  /** Renews now; resolves with `renewed`, or with the code of the failure. */
  renew(): Promise<string>
}

export interface AppConfig {
  readonly issuer: string
  readonly api: string
  readonly otherApi?: string
  readonly worker?: string
  readonly deadlineSeconds?: number
  readonly dpop: boolean
  readonly signedResponses: boolean
}

export const config = (await (await fetch('/config.json')).json()) as AppConfig
const events: OAuthEvent[] = []
const thrown: string[] = []
const [leaving, opening] = [redirect(), popup()]
const session = browserSession({
  issuer: config.issuer,
  clientId: 'page',
  redirectUri: '/callback',
  scope: ['openid', 'notes:read'],
  dpop: config.dpop,
  signedResponses: config.signedResponses ? signedResponses() : undefined,
  userAgent: { authorize: (...parameters) => (app.inWindow ? opening : leaving).authorize(...parameters) },
  // Other pages see nothing of what such a page keeps.
  ...(location.search === '?in-memory' ? { store: memoryStore() } : {}),
  observe: (event) => events.push(event),
  worker: config.worker,
  deadlineSeconds: config.deadlineSeconds,
})
const api = oauthFetch(session, { resources: [`${config.api}/`] })

function keep(error: unknown): string {
  const { code, stack, message } = error as { code: string; stack: string; message: string }
  const members = Object.getOwnPropertyNames(error).map((name) => `${name}: ${String((error as Record<string, unknown>)[name])}`)
  thrown.push(
    String(error),
    JSON.stringify(error),
    stack,
    message,
    ...members,
    JSON.stringify(Object.entries(structuredClone(error) as object)),
  )
  return code
}

export const app: App = {
  session,
  events,
  inWindow: false,
  thrown,
  outcome: (run) => run(session).catch(keep),
  leave: (how) =>
    void session.signIn(how).then(
      () => navigator.sendBeacon('/settled', 'resolved'),
      (error: unknown) => navigator.sendBeacon('/settled', `${keep(error)} ${session.snapshot().status}`),
    ),
  renew: () =>
    session
      .token()
      .then((rejected) => session.token({ rejected }))
      .then(() => 'renewed', keep),
  call: async (path, init) => (await api(`${config.api}${path}`, init)).status,
}
Object.assign(globalThis, { app })

// A page that another one opened or shows is reached by nobody, so it resumes by itself, and says to that one how this ended.
const other = (globalThis.opener as Window | null) ?? (parent === globalThis.window ? null : parent)
if (other !== null) void app.outcome((one) => one.resume()).then((result) => other.postMessage(`resumed: ${String(result)}`, '*'))
