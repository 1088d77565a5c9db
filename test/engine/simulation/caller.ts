import type { AccessToken } from '../../../src/core/access-token.js'
import type { AuthorizationServer, ServedToken } from './authorization-server.js'
import type { Trace } from './context.js'
import type { Call } from './invariants.js'
import type { Judge } from './judge.js'
import type { Source } from './recovery.js'
import type { Random, Timeline } from './timeline.js'
import { type Target, fullScope } from './worlds.js'

export interface CallerParts {
  readonly time: Timeline
  readonly random: Random
  readonly server: AuthorizationServer
  readonly rules: Judge
  readonly trace: Trace | undefined
  readonly targets: readonly Target[]
  /** The session that the store holds. */
  readonly sessionNow: () => string | undefined
  /** Whether to call once more. */
  readonly goesOn: () => boolean
}

/** A program in a context: calls an API now and then, and once more after a 401. */
export function caller(parts: CallerParts): { work(source: Source): Promise<void> } {
  const { time, random, server, rules, targets } = parts

  async function work(source: Source): Promise<void> {
    const { clock } = source.context
    while (parts.goesOn()) {
      await clock.wait(random.between(100, 4_000))
      // Now and then many at once.
      const count = random.chance(0.1) ? 5 : 1
      await Promise.all(Array.from({ length: count }, () => callApi(source).catch(() => {})))
    }
  }

  async function callApi(source: Source): Promise<void> {
    const target = random.pick(targets)
    const began = time.now()
    const first = await token(source, target)
    // From memory, for want of the store, it may be an old one.
    const firstServedAt = source.context.blindAt >= began ? -1 : began
    if (!(await isRefused(source, first, target))) return
    const second = await token(source, target, first)
    if (await isRefused(source, second, target)) rules.refusedTwice(served(first), served(second), firstServedAt)
  }

  async function token(source: Source, target: Target, rejected?: AccessToken): Promise<AccessToken> {
    const call: Call = {
      context: source.context,
      startedAt: time.now(),
      resource: target.resource,
      scope: target.scope ?? fullScope,
      unsure: false,
    }
    const ready = rejected === undefined ? source.engine.ready(target) : undefined
    if (ready !== undefined) {
      call.session = parts.sessionNow()
      rules.served(call, served(ready))
      return ready
    }
    source.calls.add(call)
    // The engine looks at the store in this very turn.
    if (rejected === undefined) source.beginning = call
    else call.session = rules.sessionOf(served(rejected))
    try {
      const found = await source.engine.token({ ...target, ...leaving(source), ...(rejected === undefined ? {} : { rejected }) })
      rules.served(call, served(found))
      return found
    } finally {
      source.calls.delete(call)
    }
  }

  /** Some callers do not wait to the end. */
  function leaving(source: Source): { readonly signal?: AbortSignal } {
    if (!random.chance(0.03)) return {}
    const leave = new AbortController()
    void source.context.clock.wait(random.between(0, 3_000)).then(() => leave.abort(new Error('left')))
    return { signal: leave.signal }
  }

  async function isRefused(source: Source, token: AccessToken, target: Target): Promise<boolean> {
    return source.context.call(random.between(5, 150), random.between(5, 150), () => {
      const now = served(token)
      return now.revokedBy !== undefined || time.now() > now.diesAt || !now.family.living || now.resource !== target.resource
    })
  }

  function served(token: AccessToken): ServedToken {
    return server.accessToken(token.reveal()) as ServedToken
  }

  return { work }
}
