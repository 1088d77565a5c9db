import { type Session, browserSession, deviceAuthorization, oauthFetch } from '../../../src/browser/index.js'
import { type AppConfig, app } from './app.js'

/** A page that signs in on another device, such as that of a screen in a hall. */
export interface Screen {
  readonly session: Session
  /** The same as `app.outcome`, of this session. */
  outcome(run: (session: Session) => Promise<unknown>): Promise<unknown>
  call(path: string): Promise<number>
}

const config = (await (await fetch('/config.json')).json()) as AppConfig
const { dpop } = config

/** Waits hardly at all between polls: what that is about is in device-code.test.ts. */
const hasty = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  wait: (milliseconds: number, signal?: AbortSignal) =>
    new Promise<void>((resolve, reject) => {
      const timer = setTimeout(resolve, milliseconds === 6_000 ? 50 : milliseconds)
      signal?.addEventListener('abort', () => {
        clearTimeout(timer)
        reject(signal.reason as Error)
      })
    }),
}

const session = browserSession({
  issuer: config.issuer,
  clientId: 'page',
  account: 'screen',
  redirectUri: '/callback',
  scope: ['openid', 'notes:read'],
  dpop,
  clock: hasty,
  userAgent: deviceAuthorization(({ userCode, verificationUri }) => {
    document.title = `Open ${verificationUri} and type ${userCode}`
  }),
})
const api = oauthFetch(session, { resources: [`${config.api}/`] })

export const screen: Screen = {
  session,
  outcome: (run) => app.outcome(() => run(session)),
  call: async (path) => (await api(`${config.api}${path}`)).status,
}
Object.assign(globalThis, { screenOfHall: screen })
