import { browserSession, oauthFetch, type OAuthEvent } from '../../../src/browser/index.js'

// A page that signs its user in and then calls an API as long as it is open. It counts what it saw; a test reads `window.seen`.

export interface CallerConfig {
  readonly issuer: string
  readonly api: string
  readonly betweenCallsMilliseconds: number
}

export interface Seen {
  ready: boolean
  readonly statuses: Record<string, number>
  readonly errors: string[]
  readonly events: OAuthEvent[]
}

declare global {
  interface Window {
    seen: Seen
  }
}

const config = (await (await fetch('/config.json')).json()) as CallerConfig
const seen: Seen = { ready: false, statuses: {}, errors: [], events: [] }
window.seen = seen

const session = browserSession({
  issuer: config.issuer,
  clientId: 'page',
  redirectUri: '/callback',
  scope: ['mail:read'],
  resource: 'https://mail.example/',
  observe: (event) => seen.events.push(event),
})
const api = oauthFetch(session, { resources: [`${config.api}/`] })

async function call(): Promise<void> {
  try {
    const { status } = await api(`${config.api}/mail`)
    seen.statuses[status] = (seen.statuses[status] ?? 0) + 1
  } catch (error) {
    seen.errors.push(String(error))
  }
}

async function main(): Promise<void> {
  if (!(await session.resume())) return session.signIn()
  for (;;) {
    await call()
    seen.ready = true
    await new Promise((resolve) => setTimeout(resolve, config.betweenCallsMilliseconds))
  }
}

main().catch((error: unknown) => seen.errors.push(String(error)))
