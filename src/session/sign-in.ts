import type { Client } from '../core/client.js'
import { OAuthError } from '../core/errors.js'
import type { PendingRequest } from '../core/pending-request.js'
import type { DecoupledSignIn, UserAgent } from '../core/ports.js'
import { unionScope } from '../core/scope.js'
import { Secret, present } from '../core/secret.js'
import type { SignInOptions } from '../core/session-contract.js'
import { unlessAborted } from '../core/unless-aborted.js'
import type { TokenEngine } from '../engine/token-engine.js'
import { adoptAnswer } from './adopt-answer.js'
import { flowOf } from './decoupled.js'
import type { PendingRequests } from './pending-requests.js'
import { leadsTo, stateOf } from './response-address.js'

export interface SignInParts {
  readonly client: Client
  /** The key of the session that asks. */
  readonly owner: string
  readonly engine: TokenEngine
  readonly pending: PendingRequests
  /** Sent with every authorization request. */
  readonly authorizationParameters: Readonly<Record<string, string>>
}

export interface SignIns {
  /** Sends the user there and finishes what comes back, or settles when another brings the response here. */
  start(userAgent: UserAgent, how: SignInOptions, from: { readonly redirectUri?: string; readonly returnTo?: string }): Promise<void>
  /** Lets the user agent do all of it, on another device. */
  startElsewhere(userAgent: DecoupledSignIn, how: SignInOptions): Promise<void>
  /** The pending request of this session that a response answers, taken out. Rejects with `authorization_response_invalid`. */
  take(response: URL): Promise<PendingRequest>
  /** Finishes a sign-in with its response, and settles the one that waits for it. */
  complete(request: PendingRequest, response: URL): Promise<void>
}

/** The sign-ins of one session, from the authorization request to the stored tokens. */
export function signIns(parts: SignInParts): SignIns {
  const { client, engine, owner, pending } = parts
  const { clock } = client
  const waiting = new Set<{ readonly state: Secret; readonly settle: (finished: Promise<void>) => void }>()

  async function start(
    userAgent: UserAgent,
    how: SignInOptions,
    from: { readonly redirectUri?: string; readonly returnTo?: string },
  ): Promise<void> {
    const leave = new AbortController()
    const abort = () => leave.abort(how.signal?.reason)
    const tooLateToAbort = () => how.signal?.removeEventListener('abort', abort)
    how.signal?.addEventListener('abort', abort, { once: true })
    let settle: (finished: Promise<void>) => void = () => {}
    const settledElsewhere = new Promise<void>((resolve) => {
      settle = (finished) => {
        tooLateToAbort()
        resolve(finished)
      }
    })
    const mine = new Set<{ readonly state: Secret; readonly settle: typeof settle }>()
    const request = async (redirectUri: string): Promise<URL> => {
      const { url, pending: made } = await authorizationRequest(redirectUri, how, from.returnTo)
      leave.signal.throwIfAborted()
      await pending.add(made)
      const one = { state: made.state, settle }
      mine.add(one)
      waiting.add(one)
      return url
    }
    try {
      const away = userAgent.authorize(request, present({ redirectUri: from.redirectUri, signal: leave.signal }))
      // A user agent may be deaf to the signal; a response that is here is finished whatever the signal says.
      const answered = unlessAborted(away, leave.signal).then(async (response) => complete(await take(response), response))
      await Promise.race([answered, settledElsewhere])
    } finally {
      for (const one of mine) waiting.delete(one)
      tooLateToAbort()
      leave.abort()
    }
  }

  async function startElsewhere(userAgent: DecoupledSignIn, how: SignInOptions): Promise<void> {
    await flowOf(userAgent)?.({ ...parts, scope: await scopeToAsk(how.scope), how })
  }

  async function authorizationRequest(
    redirectUri: string,
    how: SignInOptions,
    returnTo: string | undefined,
  ): Promise<{ readonly url: URL; readonly pending: PendingRequest }> {
    const { startAuthorization } = await import('../grants/authorization-code.js')
    const { signal: _, scope: asked, returnTo: __, authorizationParameters, ...rest } = how
    return startAuthorization(client, {
      ...rest,
      owner,
      redirectUri,
      scope: await scopeToAsk(asked),
      authorizationParameters: { ...parts.authorizationParameters, ...authorizationParameters },
      ...(returnTo === undefined ? {} : { returnTo }),
    })
  }

  /** While signed in, what is already granted is asked for again: a new grant takes the place of the old one. */
  async function scopeToAsk(asked: readonly string[] = client.scope): Promise<readonly string[]> {
    const { record } = await engine.look()
    return record === undefined || engine.judge(record).kind === 'sign_in' ? asked : unionScope(record.grantedScope, asked)
  }

  async function take(response: URL): Promise<PendingRequest> {
    const state = stateOf(response)
    const found = state === undefined ? undefined : await pending.find(state)
    const taken =
      state !== undefined && found?.owner === owner && found.endsSession !== true && leadsTo(found.redirectUri, response)
        ? await pending.take(state)
        : undefined
    if (taken === undefined) {
      throw new OAuthError(
        'authorization_response_invalid',
        'This is no answer to a sign-in that waits here: it was never asked for, was answered before, or took longer than ten minutes. Sign in again.',
      )
    }
    return taken
  }

  function complete(request: PendingRequest, response: URL): Promise<void> {
    const finished = finish(request, response)
    for (const one of waiting) if (Secret.equals(one.state, request.state)) one.settle(finished)
    return finished
  }

  async function finish(request: PendingRequest, response: URL): Promise<void> {
    const { finishAuthorization } = await import('../grants/authorization-code.js')
    const started = { monotonic: clock.monotonic(), wall: clock.now() }
    const answer = await finishAuthorization(client, request, response)
    await adoptAnswer(client, engine, answer, { scope: request.scope, started })
  }

  return { start, startElsewhere, take, complete }
}
