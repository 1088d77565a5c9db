import type { Client } from '../core/client.js'
import { OAuthError } from '../core/errors.js'
import { readReturnTo, readSignInOptions, readSignOutOptions } from '../core/options.js'
import type { Place } from '../core/place.js'
import { present } from '../core/secret.js'
import type { SignInOptions, SignOutOptions, SignOutResult } from '../core/session-contract.js'
import { unlessAborted } from '../core/unless-aborted.js'
import type { TokenEngine } from '../engine/token-engine.js'
import { isDecoupled } from './decoupled.js'
import { pendingRequests } from './pending-requests.js'
import { fresh } from './randomness.js'
import { leadsTo, mayBeResponse, parse, stateOf } from './response-address.js'
import { notRevoked, nothingToRevoke, revokeAll } from './revoke.js'
import type { SessionParts } from './session-over.js'
import type { SessionView } from './session-view.js'
import { signIns } from './sign-in.js'
import { cameBackSignedOut, endAtServer } from './sign-out.js'

export interface FlowParts extends SessionParts {
  /** With what its tokens are bound. */
  readonly client: Client
  /** The key of the session's record. */
  readonly key: string
  readonly engine: TokenEngine
  readonly view: SessionView
}

/** How a session begins and ends. Who has one, and calls with it, needs none of this. */
export interface Flows {
  signIn(options?: SignInOptions): Promise<void>
  signOut(options?: SignOutOptions): Promise<SignOutResult>
  /** Finishes what a response answers that was handed in. */
  resumeWith(handedIn: string | URL): Promise<boolean>
  /** Finishes what the page's own address answers, if that is of this session. */
  takeUpAddress(place: Place): Promise<void>
}

export type FlowsOf = (parts: FlowParts) => Flows

/** Sign in, take up a response, sign out, over any user agent. */
export const flows: FlowsOf = (parts) => {
  const { place, store, client, key, engine, view } = parts
  const { clock, emit } = client
  const pending = pendingRequests(store, clock, () => fresh(client.webCrypto))
  const ways = signIns({ client, owner: key, engine, pending, authorizationParameters: parts.authorizationParameters })

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
      if (isDecoupled(userAgent)) await ways.startElsewhere(userAgent, how)
      else await ways.start(userAgent, how, present({ redirectUri: parts.redirectUri(), returnTo: returnTo?.href }))
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
      await ways.complete(await ways.take(response), response)
    })
    return true
  }

  async function takeUpAddress(place: Place): Promise<void> {
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
    await reported(() => ways.complete(taken, address))
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
    return redirectUri !== undefined && leadsTo(redirectUri, address) && mayBeResponse(address)
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

  return { signIn, signOut, resumeWith, takeUpAddress }
}

function ownAddress(returnTo: string | undefined, address: URL): URL | undefined {
  try {
    return readReturnTo(returnTo, address)
  } catch {
    return undefined
  }
}
