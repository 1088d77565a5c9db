import type { AuthorizationServer, UserSessionSettings } from './core/client.js'
import { readClient, readLock, readStore } from './core/client-options.js'
import { OAuthError } from './core/errors.js'
import { ownMembers, text, wrongOption } from './core/option.js'
import { readAuthorizationParameters } from './core/authorization-parameters.js'
import { readReturnTo, readSignInOptions } from './core/options.js'
import { readRedirectUri } from './core/redirect-uri.js'
import type { PendingRequest } from './core/pending-request.js'
import type { Store } from './core/ports.js'
import { stateOfRequest } from './core/request-state.js'
import { unionScope } from './core/scope.js'
import { Secret, bare, present } from './core/secret.js'
import type { Session, SignInOptions } from './core/session-contract.js'
import { session } from './session.js'
import { adoptAnswer } from './session/adopt-answer.js'
import { pendingByState } from './session/pending-by-state.js'
import { withProofs } from './session/proofs.js'
import { fresh } from './session/randomness.js'
import { leadsTo, parse, stateOf } from './session/response-address.js'
import type { SessionEngineParts } from './session/engine-over.js'
import { sessionEngine } from './session/session-engine.js'
import { systemClock } from './system-clock.js'
import { tokenSource } from './token-source.js'
import { userSessionOptions } from './user-session.js'

/** Sign-in as two routes of a server. The binding belongs in an HttpOnly, Secure, SameSite=Lax cookie or the server's own session. */
export interface ServerSignIn {
  /** For the route that begins: send the user to `location`, and keep `binding` for this browser, ten minutes at most. */
  start(options?: SignInOptions & { readonly account?: string }): Promise<{ readonly location: URL; readonly binding: string }>
  /**
   * For the route of `redirectUri`: redeems the response and stores the account's session, for which `userSession` acts from then on.
   * Without an `account` from `start`, it is the subject of the ID token, or fresh where there is none.
   * Rejects with `authorization_response_invalid` when the response, the binding or the account is another's, before anything is sent; with
   * `access_denied`, `interaction_required`, `authorization_failed` when the response is an error; with `different_user` when the account's session is another user's.
   */
  finish(
    response: string | URL,
    options: { readonly binding: string; readonly account?: string },
  ): Promise<{ readonly session: Session; readonly account: string; readonly returnTo?: string }>
}

/**
 * Signs users in on a server, in any framework: authorization code with PKCE (RFC 6749 section 4.1, RFC 7636), each request bound to the browser that
 * began it, and to the signed-in user where there is one (so that nobody finishes what another began).
 *
 * @throws OAuthError `invalid_configuration`, which names the option that is wrong, before any request
 *
 * @example
 * const signIn = serverSignIn({ issuer, clientId, redirectUri: 'https://site.example/callback', scope: ['openid', 'calendar'], store: memoryStore() })
 * const { location, binding } = await signIn.start({ returnTo: '/calendar' })
 */
export function serverSignIn(
  options: AuthorizationServer & UserSessionSettings & { readonly redirectUri: string; readonly store: Store },
): ServerSignIn {
  const known = userSessionOptions.filter((name) => name !== 'userAgent' && name !== 'account')
  const members = ownMembers(options, known, 'serverSignIn')
  const asked = readClient(options, known, { clock: systemClock }, 'serverSignIn')
  const store = readStore(members)
  if (store === undefined) throw wrongOption('store', 'is missing: the routes need one that every process of the server reaches.')
  const client = withProofs(asked, store)
  const redirectUri = readRedirectUri(members['redirectUri'])
  const configured = readAuthorizationParameters(members) ?? bare({})
  const pending = pendingByState(store, client.clock, fresh)
  const partsOf = (account: string | undefined): SessionEngineParts => ({ client, account, store, lock: readLock(members) })

  async function start(
    given?: SignInOptions & { readonly account?: string },
  ): Promise<{ readonly location: URL; readonly binding: string }> {
    const { account, ...rest } = bare({ ...given })
    const of = text(bare({ account }), 'account')
    const { scope, returnTo, signal, authorizationParameters, ...how } = readSignInOptions(rest, 'start')
    signal?.throwIfAborted()
    const there = readReturnTo(returnTo, new URL(redirectUri))
    client.emit({ type: 'sign_in_started' })
    const { startAuthorization } = await import('./grants/authorization-code.js')
    const { url, pending: made } = await startAuthorization(client, {
      ...how,
      owner: redirectUri,
      redirectUri,
      scope: await scopeToAsk(of, scope ?? client.scope),
      authorizationParameters: { ...configured, ...authorizationParameters },
      ...(there === undefined ? {} : { returnTo: there.href }),
    })
    signal?.throwIfAborted()
    // Twice the length: who has to guess it can try many at once.
    const binding = fresh() + fresh()
    await pending.add(present<PendingRequest>({ ...made, binding: Secret.of(binding), account: of }), stateOfRequest(url) ?? '')
    return { location: url, binding }
  }

  /** What the account's living session has is asked for again: a new grant takes the place of the old one. */
  async function scopeToAsk(account: string | undefined, asked: readonly string[]): Promise<readonly string[]> {
    if (account === undefined) return asked
    const { engine } = sessionEngine(partsOf(account), tokenSource)
    const { record } = await engine.look()
    return record === undefined || engine.judge(record).kind === 'sign_in' ? asked : unionScope(record.grantedScope, asked)
  }

  async function finish(...[handedIn, given]: Parameters<ServerSignIn['finish']>): ReturnType<ServerSignIn['finish']> {
    const { binding, account } = Object.assign(Object.create(null) as typeof given, given)
    try {
      const response = parse(handedIn)
      const request = response === undefined ? undefined : await take(response, binding, account)
      if (response === undefined || request === undefined) throw notOurs()
      return await redeem(request, response)
    } catch (error) {
      client.emit({ type: 'sign_in_failed', code: error instanceof OAuthError ? error.code : 'authorization_failed' })
      throw error
    }
  }

  /** Taken out only by whom it is for: a stranger's hit does not spend it. */
  async function take(response: URL, binding: unknown, account: unknown): Promise<PendingRequest | undefined> {
    const state = stateOf(response)
    if (state === undefined || typeof binding !== 'string' || !leadsTo(redirectUri, response)) return undefined
    const found = await pending.find(state)
    const isTheirs = found?.binding !== undefined && Secret.equals(found.binding, Secret.of(binding)) && found.account === account
    return isTheirs ? pending.take(state) : undefined
  }

  async function redeem(request: PendingRequest, response: URL): ReturnType<ServerSignIn['finish']> {
    const { finishAuthorization } = await import('./grants/authorization-code.js')
    const started = { monotonic: client.clock.monotonic(), wall: client.clock.now() }
    const answer = await finishAuthorization(client, request, response)
    const account = request.account ?? answer.idTokenClaims?.sub ?? fresh()
    const parts = partsOf(account)
    await adoptAnswer(client, sessionEngine(parts, tokenSource).engine, answer, { scope: request.scope, started })
    const made = session({
      ...parts,
      userAgent: undefined,
      redirectUri: () => redirectUri,
      authorizationParameters: configured,
      place: undefined,
      go: () => {},
    })
    await made.resume()
    return { session: made, account, ...(request.returnTo === undefined ? {} : { returnTo: request.returnTo }) }
  }

  return Object.freeze({ start, finish })
}

function notOurs(): OAuthError {
  return new OAuthError(
    'authorization_response_invalid',
    'This response does not belong to a sign-in that this browser began in the last ten minutes. Begin again.',
  )
}
