import { onTestFinished } from 'vitest'
import type { ClientSettings, SignedResponses } from '../../src/core/client.js'
import { authorizationOptions, clientOptions, readClient } from '../../src/core/client-options.js'
import type { OAuthEvent } from '../../src/core/events.js'
import type { Clock, Lock, Store, UserAgent } from '../../src/core/ports.js'
import type { Session } from '../../src/core/session-contract.js'
import { redirectOf } from '../../src/browser/redirect.js'
import { type SessionParts, session } from '../../src/session.js'
import { memoryStore } from '../../src/stores/memory.js'
import { manualClock } from '../../src/testing/manual-clock.js'
import { robot } from '../support/robot.js'
import { expectNothingFound } from '../support/sweep.js'
import { type FakePage, fakePage } from './page.js'

export const origin = 'https://app.example'
export const redirectUri = `${origin}/callback`

/** The authorization server of a test: a real one, or a scripted one by its metadata. */
export type TestServer = ({ readonly issuer: string } | { readonly authorizationServer: { readonly issuer: string } }) & {
  issued(): readonly string[]
  /** The response to a request; without it a robot goes there and follows the redirects. */
  answer?(request: URL): URL
}

/** What a test's session has beside the usual. Client options and parts of the session alike. */
export interface Unusual {
  readonly server?: TestServer
  readonly clientId?: string
  readonly scope?: readonly string[]
  readonly fetch?: typeof fetch
  readonly account?: string
  readonly store?: Store
  readonly lock?: Lock
  readonly userAgent?: UserAgent | undefined
  /** That of another session: both are in one page. */
  readonly place?: FakePage
  readonly redirectUri?: string
  readonly go?: (returnTo: URL) => void
  readonly handOver?: SessionParts['handOver']
  readonly authorizationParameters?: Readonly<Record<string, string>>
  readonly resource?: ClientSettings['resource']
  readonly dpop?: boolean
  readonly pushedAuthorizationRequests?: boolean
  readonly signedResponses?: SignedResponses
  readonly serverQuirks?: ClientSettings['serverQuirks']
}

/** One page load: its session, and what came of it. */
export interface Tab {
  readonly page: FakePage
  readonly session: Session
  readonly events: OAuthEvent[]
  /** The types of what was said, with the code of a failure. */
  said(): readonly string[]
  /** Signs in up to the moment when the page is left; resolves with the authorization request. */
  leave(how?: Parameters<Session['signIn']>[0]): Promise<URL>
}

/** One user's browser: what it keeps (store and cookies), and the tabs that share it. */
export interface Profile {
  readonly store: Store
  readonly clock: Clock & { advance(milliseconds: number): Promise<void> }
  /** Every text that was ever written to the store. */
  readonly written: readonly string[]
  /** Loads a page at an address. */
  open(address?: string | URL, unusual?: Unusual): Tab
  /** Goes to the authorization server and comes back: the address of the response. */
  follow(request: URL): Promise<URL>
  /** Everything: leaves, follows, and loads the page that takes up the response. */
  signIn(how?: Parameters<Session['signIn']>[0], unusual?: Unusual): Promise<Tab>
}

/** When the test is over, everything that its sessions said, showed and threw is swept for secrets. */
export function profile(server: TestServer, usual: Unusual = {}): Profile {
  // Of today: a real authorization server's tokens are of today.
  const clock = manualClock(Date.now())
  const written: string[] = []
  const store = recording(usual.store ?? memoryStore(), written)
  const user = robot({ redirectUri: usual.redirectUri ?? redirectUri })

  function open(address: string | URL = '/', unusual: Unusual = {}): Tab {
    const { account, lock, redirectUri: to = redirectUri, go, authorizationParameters, store: own, ...options } = { ...usual, ...unusual }
    const { userAgent, server: other, place, handOver, ...clientMembers } = options
    const page = place ?? fakePage(new URL(address, origin))
    const events: OAuthEvent[] = []
    const client = readClient(
      {
        ...addressOf(other ?? server),
        clientId: 'page',
        scope: ['openid', 'notes:read'],
        fetch: (...parameters: Parameters<typeof fetch>) => fetch(...parameters),
        observe: (event: OAuthEvent) => events.push(event),
        ...clientMembers,
      },
      [...clientOptions, ...authorizationOptions],
      { clock, account },
    )
    const {
      session: made,
      thrown,
      resumed,
    } = watched(
      session({
        client,
        account,
        store: unusual.store === undefined ? store : (own ?? store),
        lock,
        userAgent: 'userAgent' in options ? userAgent : redirectOf(page),
        redirectUri: () => to,
        authorizationParameters: authorizationParameters ?? {},
        place: page,
        ...(handOver === undefined ? {} : { handOver }),
        go: go ?? page.replaceAddress,
      }),
    )
    const tab: Tab = {
      page,
      session: made,
      events,
      said: () =>
        events.map((event) => [event.type, 'code' in event ? event.code : 'reason' in event ? event.reason : ''].join(' ').trim()),
      leave: async (how) => {
        const left = page.left()
        return Promise.race([left, made.signIn(how).then(() => Promise.reject(new Error('The page was not left.')))])
      },
    }
    onTestFinished(() => {
      const shown = {
        events,
        thrown,
        snapshot: made.snapshot(),
        addresses: [resumed() ? page.address() : undefined, ...page.replaced],
        session: made,
      }
      expectNothingFound([...server.issued(), ...(other?.issued() ?? [])], shown)
    })
    return tab
  }

  const follow = async (request: URL) => server.answer?.(request) ?? user.authorize(async () => request, {})

  return {
    store,
    clock,
    written,
    open,
    follow,
    async signIn(how, unusual) {
      const request = await open('/', unusual).leave(how)
      const tab = open(await follow(request), unusual)
      await tab.session.resume()
      return tab
    },
  }
}

function recording(store: Store, written: string[]): Store {
  return {
    ...store,
    replace: async (key, seen, next) => {
      const done = await store.replace(key, seen, next)
      if (done && next !== undefined) written.push(next.value)
      return done
    },
  }
}

function addressOf(server: TestServer): { readonly issuer: string } | { readonly authorizationServer: { readonly issuer: string } } {
  return 'authorizationServer' in server ? { authorizationServer: server.authorizationServer } : { issuer: server.issuer }
}

/** The session, and what its methods rejected with. */
function watched(one: Session): { readonly session: Session; readonly thrown: unknown[]; resumed(): boolean } {
  const thrown: unknown[] = []
  let hasResumed = false
  const watch =
    <P extends unknown[], R>(method: (...parameters: P) => Promise<R>) =>
    (...parameters: P): Promise<R> => {
      const result = method(...parameters)
      result.catch((error: unknown) => thrown.push(error))
      return result
    }
  const { token, signIn, signOut } = one
  const resume = watch((response?: string | URL) => {
    hasResumed = true
    return one.resume(response)
  })
  return {
    session: { ...one, token: watch(token), resume, signIn: watch(signIn), signOut: watch(signOut) },
    thrown,
    resumed: () => hasResumed,
  }
}
