import { OAuthError, type Session, browserSession, isolatedSession, oauthFetch } from '../../../src/browser/index.js'
import type { AppConfig } from './app.js'

/** What a test may have this page do, and see of it. */
export interface IsolatedApp {
  readonly session: Session
  readonly worker: Worker
  readonly api: typeof fetch
  /** Origins of the APIs: the one, the other. */
  readonly origins: { readonly api: string; readonly otherApi: string }
  /** Every way in which a program could print what was thrown. */
  readonly thrown: string[]
  outcome(run: (session: Session) => Promise<unknown>): Promise<unknown>
  leave(how?: Parameters<Session['signIn']>[0]): void
  /** The status of a call, or the code or the name of its failure. */
  call(url: string, init?: RequestInit): Promise<number | string>
  /** What `resume` of a session of the page itself comes to, of the same client. */
  resumeInPage(): Promise<unknown>
}

interface Factory {
  createPolicy(name: string, rules: object): { createScriptURL(address: string): string }
}

const { trustedTypes } = globalThis as unknown as { readonly trustedTypes: Factory }
const policy = trustedTypes.createPolicy('application', { createScriptURL: (address: string) => address })
const worker = new Worker(policy.createScriptURL('/tokens.js'), { type: 'module' })
const session = isolatedSession(worker)
const config = (await (await fetch('/config.json')).json()) as AppConfig
const { api: origin, otherApi = '' } = config
const api = oauthFetch(session, { resources: [`${origin}/`, `${otherApi}/`] })
const thrown: string[] = []

function keep(error: unknown): string {
  const { stack, message, name } = error as Error
  thrown.push(String(error), JSON.stringify(error), String(stack), message)
  return error instanceof OAuthError ? error.code : name
}

export const app: IsolatedApp = {
  session,
  worker,
  api,
  origins: { api: origin, otherApi },
  thrown,
  outcome: (run) => run(session).catch(keep),
  leave: (how) =>
    void session.signIn(how).then(
      () => navigator.sendBeacon('/settled', 'resolved'),
      (error: unknown) => navigator.sendBeacon('/settled', `${keep(error)} ${session.snapshot().status}`),
    ),
  resumeInPage: () => browserSession({ issuer: config.issuer, clientId: 'page', redirectUri: '/callback' }).resume().catch(keep),
  call: async (url, init) => api(url, init).then(({ status }) => status, keep),
}
Object.assign(globalThis, { app })
