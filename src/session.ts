import { OAuthError } from './core/errors.js'
import { introduce } from './core/events.js'
import { readReturnTo, readSignInOptions, readSignOutOptions, readTokenOptions } from './core/options.js'
import type { Place } from './core/place.js'
import type { DecoupledSignIn, UserAgent } from './core/ports.js'
import { present } from './core/secret.js'
import type { Session, SignInOptions, SignOutOptions, SignOutResult } from './core/session-contract.js'
import type { TokenOptions } from './core/tokens.js'
import { unlessAborted } from './core/unless-aborted.js'
import { attend } from './session/attention.js'
import { pendingRequests } from './session/pending-requests.js'
import { withProofs } from './session/proofs.js'
import { fresh } from './session/randomness.js'
import { hasInjectedToken, isAnswer, leadsTo, parse, stateOf } from './session/response-address.js'
import type { SessionEngineParts } from './session/engine-over.js'
import { sessionEngine } from './session/session-engine.js'
import { sessionView } from './session/session-view.js'
import { signIns } from './session/sign-in.js'
import { isDecoupled } from './session/decoupled.js'
import { cameBackSignedOut, endAtServer, notRevoked, nothingToRevoke, revokeAll } from './session/sign-out.js'

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

/** Sign in, resume, sign out, over any user agent; and the tokens in between, by the engine. */
export function session(parts: SessionParts): Session {
  const { place, store } = parts
  const client = withProofs(parts.client, store)
  const { clock, emit } = client
  const { key, engine } = sessionEngine({ ...parts, client })
  const pending = pendingRequests(store, clock, () => fresh(client.webCrypto))
  const view = sessionView(engine, (lookNow) => attend({ engine, clock, store, key, place }, lookNow))
  const flows = signIns({ client, owner: key, engine, pending, authorizationParameters: parts.authorizationParameters })
  async function signIn(options?: SignInOptions): Promise<void> {
    const how = readSignInOptions(options)
    const { userAgent } = parts
    const returnTo = returnAddress(how.returnTo)
    how.signal?.throwIfAborted()
    await reported(async () => {
      if (userAgent === undefined) {
        throw new OAuthError(
          'sign_in_required',
          'This session has no userAgent to sign in with. Sign the user in where there is one, with the same store and account.',
        )
      }
      emit({ type: 'sign_in_started' })
      if (isDecoupled(userAgent)) await flows.startElsewhere(userAgent, how)
      else await flows.start(userAgent, how, present({ redirectUri: parts.redirectUri(), returnTo: returnTo?.href }))
      // The page was not left: it goes where it was asked to, and else stays where its user has gone meanwhile.
      if (how.returnTo !== undefined && place !== undefined) goTo(place, returnTo?.href)
    })
  }

  /** Where the application goes afterwards: in a page as asked, else where it is now. Elsewhere nothing can go anywhere. */
  function returnAddress(returnTo: string | undefined): URL | undefined {
    const address = place?.address()
    if (address !== undefined) return readReturnTo(returnTo, address) ?? withoutResponse(address)
    if (returnTo === undefined) return undefined
    throw new OAuthError(
      'invalid_configuration',
      '`returnTo` is for pages: outside of one there is nowhere to go afterwards. Leave it out.',
    )
  }

  async function resume(response?: string | URL): Promise<boolean> {
    parts.makeReady?.()
    if (response !== undefined) return resumeWith(response)
    try {
      if (place !== undefined) await onceAtATime(place, key, () => takeUpAddress(place))
    } catch (error) {
      // Whatever the response was: a page that renders the session sees where it stands.
      await engine.look().catch(() => {})
      throw error
    }
    const { record } = await engine.look()
    return engine.judge(record).kind !== 'sign_in'
  }

  async function resumeWith(handedIn: string | URL): Promise<boolean> {
    refuseInFrame(place)
    await reported(async () => {
      const response = parse(handedIn)
      if (response === undefined) {
        throw new OAuthError(
          'authorization_response_invalid',
          'What was handed to resume() is no URL. Give it the whole address that the user came back to.',
        )
      }
      await flows.complete(await flows.take(response), response)
    })
    return true
  }

  /** Finishes what the page's own address answers, if that is of this session. */
  async function takeUpAddress(place: Place): Promise<void> {
    await place.ready()
    refuseInFrame(place)
    const find = (state: string) => pending.find(state).catch((error: unknown) => unanswered(place, error))
    if (await cameBackSignedOut({ place, pending: { ...pending, find }, owner: key })) return
    const address = place.address()
    if (address === undefined || !isResponse(address)) return
    const state = stateOf(address)
    const found = state === undefined ? undefined : await find(state)
    if (found !== undefined && found.owner !== key) return
    // Another session of this page may have cleared it away meanwhile.
    if (place.address()?.href !== address.href && found === undefined) return
    // The code leaves the address bar before anything else is done with it, and whatever comes of it.
    place.replaceAddress(withoutResponse(address))
    // That nobody could be asked is no reason to leave the response lying.
    if (state !== undefined && found?.endsSession !== true) await parts.handOver?.(address, state, found !== undefined).catch(() => {})
    if (found === undefined || found.endsSession === true) {
      emit({ type: 'sign_in_failed', code: 'authorization_response_invalid' })
      return
    }
    const taken = await pending.take(state ?? '')
    if (taken === undefined) return
    await reported(() => flows.complete(taken, address))
    goTo(place, taken.returnTo)
  }

  /** Who frames the callback chooses what it does and when: there a response leaves the address, and that is all that is done with it. */
  function refuseInFrame(place: Place | undefined): void {
    const address = place?.isFramedByAnother() === true ? place.address() : undefined
    if (address === undefined || !isResponse(address)) return
    place?.replaceAddress(withoutResponse(address))
    emit({ type: 'sign_in_failed', code: 'authorization_response_invalid' })
    throw new OAuthError(
      'authorization_response_invalid',
      'The authorization response is in a frame of another origin. Nothing was sent; sign in again.',
    )
  }

  /** Whose response it is nobody can say now. A sign-in that is repeated costs less than a code that stays in the address. */
  function unanswered(place: Place, error: unknown): never {
    const address = place.address()
    if (address !== undefined && isResponse(address)) {
      place.replaceAddress(withoutResponse(address))
      emit({ type: 'sign_in_failed', code: error instanceof OAuthError ? error.code : 'store_unavailable' })
    }
    throw error
  }

  function isResponse(address: URL): boolean {
    const redirectUri = parts.redirectUri()
    return redirectUri !== undefined && leadsTo(redirectUri, address) && (isAnswer(address) || hasInjectedToken(address))
  }

  function withoutResponse(address: URL): URL {
    return isResponse(address) ? new URL(parts.redirectUri() ?? address) : address
  }

  /** Looked at again: someone may have changed what was stored. Then the page stays where it is, for the user is signed in. */
  function goTo(place: Place, returnTo: string | undefined): void {
    const address = place.address()
    const url = address === undefined ? undefined : ownAddress(returnTo, address)
    if (url !== undefined) parts.go(url)
  }

  async function signOut(options?: SignOutOptions): Promise<SignOutResult> {
    const { atAuthorizationServer = false, returnTo, signal } = readSignOutOptions(options)
    signal?.throwIfAborted()
    const goesTo = returnTo === undefined ? undefined : returnAddress(returnTo)?.href
    const held = await engine.signOut().catch(async (error: unknown) => {
      // The store takes no end of it, so what it holds is made worthless.
      const shown = engine.shown()
      if (shown !== undefined) await unlessAborted(revokeAll(client, shown), signal)
      throw error
    })
    const record = held === 'unreadable' ? undefined : held
    const revoking = record === undefined ? Promise.resolve(held === undefined ? nothingToRevoke : notRevoked) : revokeAll(client, record)
    const revoked = await unlessAborted(revoking, signal)
    const authorizationServer = atAuthorizationServer
      ? await endAtServer({ client, place, pending, owner: key, idToken: record?.idToken, returnTo: goesTo })
      : 'not_asked'
    return { ...revoked, authorizationServer }
  }

  /** Says a failure to whoever observes, and shows `signing_in` meanwhile. */
  function reported(run: () => Promise<void>): Promise<void> {
    return view.duringSignIn(async () => {
      try {
        await run()
      } catch (error) {
        emit({ type: 'sign_in_failed', code: error instanceof OAuthError ? error.code : 'cancelled' })
        throw error
      }
    })
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

function ownAddress(returnTo: string | undefined, address: URL): URL | undefined {
  try {
    return readReturnTo(returnTo, address)
  } catch {
    return undefined
  }
}
