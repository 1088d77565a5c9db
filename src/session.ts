import type { Client } from './core/client.js'
import { OAuthError } from './core/errors.js'
import { introduce } from './core/events.js'
import { readReturnTo, readSignInOptions, readSignOutOptions, readTokenOptions } from './core/options.js'
import type { Place } from './core/place.js'
import type { Lock, Store, UserAgent } from './core/ports.js'
import { present } from './core/secret.js'
import type { Session, SignInOptions, SignOutOptions, SignOutResult } from './core/session-contract.js'
import type { TokenOptions, TokenTarget } from './core/tokens.js'
import { unlessAborted } from './core/unless-aborted.js'
import { pendingRequests } from './session/pending-requests.js'
import { draw, fresh } from './session/randomness.js'
import { hasInjectedFragment, leadsTo, parse, stateOf } from './session/response-address.js'
import { sessionView } from './session/session-view.js'
import { signIns } from './session/sign-in.js'
import { cameBackSignedOut, endAtServer, nothingToRevoke, revokeAll, revokeAnswer } from './session/sign-out.js'
import { tokenSource } from './token-source.js'

export interface SessionParts {
  readonly client: Client
  /** Which of several sessions of one client this is. */
  readonly account: string | undefined
  readonly store: Store
  readonly lock: Lock | undefined
  readonly userAgent: UserAgent | undefined
  /** Looked up at each call: a path is relative to the page, and there may be none yet. */
  readonly redirectUri: () => string | undefined
  /** Sent with every authorization request. */
  readonly authorizationParameters: Readonly<Record<string, string>>
  /** The page, where the session lives in one. */
  readonly place: Place | undefined
  /** How the application goes to `returnTo`. */
  readonly go: (returnTo: URL) => void
}

/** Sign in, resume, sign out, over any user agent; and the tokens in between, by the engine. */
export function session(parts: SessionParts): Session {
  const { client, place, store } = parts
  const { clock, emit } = client
  const key = sessionKey(client, parts.account)
  const pending = pendingRequests(store, clock, fresh)
  const engine = tokenSource({
    issuer: client.server.issuer,
    clientId: client.clientId,
    target: present<TokenTarget>({ resource: client.resource[0], audience: client.audience }),
    severalResources: client.resource.length > 1,
    scopeNamedDifferently: client.quirks.has('scope_named_differently'),
    store,
    key,
    lock: parts.lock,
    clock,
    deadline: client.deadline,
    // The protocol is loaded when it is first needed: a page that has a living token needs none of it.
    prepare: async (record, target) => (await import('./grants/refresh-token.js')).prepareRenewal(client)(record, target),
    revoke: (answer) => void revokeAnswer(client, answer),
    emit,
    fresh,
    draw,
  })
  const view = sessionView(engine, () => {
    const look = () => void engine.look().catch(() => {})
    const stops = [store.watch?.(key, look), place?.onWake(look)]
    return () => stops.forEach((stop) => stop?.())
  })
  const flows = signIns({ client, owner: key, engine, pending, authorizationParameters: parts.authorizationParameters })
  let resuming: Promise<boolean> | undefined

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
      await flows.start(userAgent, how, present({ redirectUri: parts.redirectUri(), returnTo: returnTo?.href }))
    })
  }

  /** Where the application goes afterwards: in a page as asked, else where it is now. Elsewhere nothing can go anywhere. */
  function returnAddress(returnTo: string | undefined): URL | undefined {
    const address = place?.address()
    if (address !== undefined) return readReturnTo(returnTo, address) ?? withoutResponse(address)
    if (returnTo === undefined) return undefined
    throw new OAuthError(
      'invalid_configuration',
      '`returnTo` is for pages: outside of one there is nowhere to go after the sign-in. Leave it out.',
    )
  }

  function resume(response?: string | URL): Promise<boolean> {
    if (response !== undefined) return resumeWith(response)
    // Two calls at the same time, as React's StrictMode makes them, are one.
    resuming ??= resumeHere().finally(() => {
      resuming = undefined
    })
    return resuming
  }

  async function resumeWith(handedIn: string | URL): Promise<boolean> {
    const response = parse(handedIn)
    if (response === undefined) {
      throw new OAuthError(
        'authorization_response_invalid',
        'What was handed to resume() is no URL. Give it the whole address that the user came back to.',
      )
    }
    await reported(async () => flows.complete(await flows.take(response), response))
    return true
  }

  async function resumeHere(): Promise<boolean> {
    await place?.ready()
    if (!(await cameBackSignedOut({ place, pending, owner: key })) && (await tookUpAddress())) return true
    const { record } = await engine.look()
    return engine.judge(record).kind !== 'sign_in'
  }

  /** Whether the page's own address was an authorization response of this session, and is now a session. */
  async function tookUpAddress(): Promise<boolean> {
    const address = place?.address()
    if (place === undefined || address === undefined || !isResponse(address)) return false
    const state = stateOf(address)
    const found = state === undefined ? undefined : await pending.find(state)
    if (found !== undefined && found.owner !== key) return false
    // Another session of this page may have taken it up meanwhile, and its address with it.
    if (place.address()?.href !== address.href && found === undefined) return false
    // The code leaves the address bar before anything else is done with it, and whatever comes of it.
    place.replaceAddress(withoutResponse(address))
    if (found === undefined || !address.searchParams.has('state')) {
      emit({ type: 'sign_in_failed', code: 'authorization_response_invalid' })
      return false
    }
    const taken = await pending.take(state ?? '')
    if (taken === undefined) return false
    await reported(() => flows.complete(taken, address))
    goTo(taken.returnTo)
    return true
  }

  function isResponse(address: URL): boolean {
    const redirectUri = parts.redirectUri()
    return redirectUri !== undefined && leadsTo(redirectUri, address) && (address.searchParams.has('state') || hasInjectedFragment(address))
  }

  function withoutResponse(address: URL): URL {
    return isResponse(address) ? new URL(parts.redirectUri() ?? address) : address
  }

  /** Checked again: what was stored may have been changed by others. */
  function goTo(returnTo: string | undefined): void {
    const address = place?.address()
    if (address === undefined || returnTo === undefined) return
    const url = readReturnTo(returnTo, address)
    if (url !== undefined) parts.go(url)
  }

  async function signOut(options?: SignOutOptions): Promise<SignOutResult> {
    const { atAuthorizationServer = false, returnTo, signal } = readSignOutOptions(options)
    signal?.throwIfAborted()
    const address = place?.address()
    if (address !== undefined) readReturnTo(returnTo, address)
    const record = await engine.signOut()
    const revoking = record === undefined ? Promise.resolve(nothingToRevoke) : revokeAll(client, record)
    const revoked = await unlessAborted(revoking, signal)
    const authorizationServer = atAuthorizationServer
      ? await endAtServer({ client, place, pending, owner: key, idToken: record?.idToken, returnTo: absolute(returnTo, address) })
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
    { emit, clock },
  )
}

/** One record per issuer, client and account. Nothing secret is in it: it is also the name of a lock. */
function sessionKey(client: Client, account = ''): string {
  return ['valetkey', 'session', client.server.issuer, client.clientId, account].map(encodeURIComponent).join(':')
}

function absolute(returnTo: string | undefined, address: URL | undefined): string | undefined {
  return returnTo === undefined ? undefined : new URL(returnTo, address).href
}
