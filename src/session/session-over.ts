import { introduce } from '../core/events.js'
import { readSignOutOptions, readTokenOptions } from '../core/options.js'
import type { Place } from '../core/place.js'
import type { DecoupledSignIn, UserAgent } from '../core/ports.js'
import type { Session, SignInOptions, SignOutOptions, SignOutResult } from '../core/session-contract.js'
import type { TokenOptions } from '../core/tokens.js'
import { attend } from './attention.js'
import type { EngineOf, SessionEngineParts } from './engine-over.js'
import type { Flows, FlowsOf } from './flows.js'
import { withProofs } from './proofs.js'
import { mayBeResponse } from './response-address.js'
import { sessionEngine } from './session-engine.js'
import { sessionView } from './session-view.js'

export interface SessionParts extends SessionEngineParts {
  readonly userAgent: UserAgent | DecoupledSignIn | undefined
  /** Looked up at each call: a path is relative to the page, and there may be none yet. */
  readonly redirectUri: () => string | undefined
  /** Sent with every authorization request. */
  readonly authorizationParameters: Readonly<Record<string, string>>
  /** The page, where the session lives in one. */
  readonly place: Place | undefined
  /** Gives a response to a window that waits for it, and then does not settle, for this one closes. `isKnown`: its request was made here. */
  readonly handOver?: (response: URL, state: string, isKnown: boolean) => Promise<void>
  /** How the application goes to `returnTo`. */
  readonly go: (returnTo: URL) => void
  /** Called when a session is taken up: what a renewal will need can be made ready meanwhile. */
  readonly makeReady?: (() => void) | undefined
}

/** What of the code is here, and what is loaded when it is first needed. */
export interface SessionCode {
  readonly engineOf: EngineOf
  /** What begins and ends a session. */
  readonly load: () => FlowsOf | Promise<FlowsOf>
}

/** A session over its engine, and over the flows that begin and end it. */
export function sessionOver(parts: SessionParts, { engineOf, load }: SessionCode): Session {
  const { place, store } = parts
  const client = withProofs(parts.client, store)
  const { clock, emit } = client
  const { key, engine } = sessionEngine({ ...parts, client }, engineOf)
  const view = sessionView(engine, (lookNow) => attend({ engine, clock, store, key, place }, lookNow))
  let made: Flows | undefined

  /** In this very turn where they are here: a window opens only while the user's click is fresh. */
  function flows(): Flows | Promise<Flows> {
    if (made !== undefined) return made
    const loaded = load()
    const make = (flowsOf: FlowsOf) => (made ??= flowsOf({ ...parts, client, key, engine, view }))
    return typeof loaded === 'function' ? make(loaded) : loaded.then(make)
  }

  async function signIn(options?: SignInOptions): Promise<void> {
    const known = flows()
    return (known instanceof Promise ? await known : known).signIn(options)
  }

  async function signOut(options?: SignOutOptions): Promise<SignOutResult> {
    const known = await Promise.resolve(flows()).catch(() => undefined)
    return known === undefined ? endHere(options) : known.signOut(options)
  }

  /** Code that cannot be had just now is no reason to stay signed in. */
  async function endHere(options: SignOutOptions | undefined): Promise<SignOutResult> {
    const { atAuthorizationServer = false, signal } = readSignOutOptions(options)
    signal?.throwIfAborted()
    const revoked = (await engine.signOut()) === undefined ? 'absent' : 'failed'
    return { refreshToken: revoked, accessTokens: revoked, authorizationServer: atAuthorizationServer ? 'failed' : 'not_asked' }
  }

  async function resume(response?: string | URL): Promise<boolean> {
    parts.makeReady?.()
    if (response !== undefined) return (await flows()).resumeWith(response)
    try {
      if (place !== undefined) await onceAtATime(place, key, () => takeUp(place))
    } catch (error) {
      // Whatever the response was: a page that renders the session sees where it stands.
      await engine.look().catch(() => {})
      throw error
    }
    const { record } = await engine.look()
    return engine.judge(record).kind !== 'sign_in'
  }

  async function takeUp(place: Place): Promise<void> {
    await place.ready()
    const address = place.address()
    if (address !== undefined && mayBeResponse(address)) await (await flows()).takeUpAddress(place)
  }

  return introduce<Session>(
    Object.freeze({
      token: async (options?: TokenOptions) => engine.token(readTokenOptions(options)),
      resume,
      signIn,
      signOut,
      missingScope: view.missingScope,
      subscribe: view.subscribe,
      snapshot: view.snapshot,
    }),
    { emit, clock, ready: engine.ready },
  )
}

const takeUps = new WeakMap<Place, Map<string, Promise<void>>>()

/** What a page's address answers is taken up once: two calls at the same time, as React's StrictMode makes them, are one, in two sessions too. */
function onceAtATime(place: Place, key: string, takeUp: () => Promise<void>): Promise<void> {
  const running = takeUps.get(place) ?? new Map<string, Promise<void>>()
  takeUps.set(place, running)
  const begun = running.get(key) ?? takeUp().finally(() => running.delete(key))
  running.set(key, begun)
  return begun
}
