import type { Clock } from '../core/ports.js'
import type { JsonObject } from '../protocol/json.js'
import { sha256 } from '../protocol/jws.js'

/** What the authorization server says of a token; `undefined`: it is not active. */
export type Introspect = (token: string) => Promise<JsonObject | undefined>

interface Kept {
  readonly claims: JsonObject | undefined
  /** Monotonic. */
  readonly until: number
}

/** As many answers as are kept. */
const most = 10_000

/**
 * Asks once for all who want to know the same at the same time, so that no answer is overtaken by an older one, and believes it for so long. A token is
 * kept by its digest. Whether one that is kept has expired meanwhile is for who reads its `exp`.
 */
export function introspectionCache(ask: Introspect, seconds: number, clock: Pick<Clock, 'monotonic'>): Introspect {
  if (seconds === 0) return ask
  const answers = new Map<string, Kept>()
  const asking = new Map<string, Promise<JsonObject | undefined>>()

  async function askNow(name: string, token: string): Promise<JsonObject | undefined> {
    const claims = await ask(token)
    answers.delete(name)
    answers.set(name, { claims, until: clock.monotonic() + seconds * 1_000 })
    for (const oldest of answers.keys()) {
      if (answers.size <= most) break
      answers.delete(oldest)
    }
    return claims
  }

  return async (token) => {
    const name = await sha256(token)
    const known = answers.get(name)
    if (known !== undefined && clock.monotonic() < known.until) return known.claims
    const running = asking.get(name) ?? askNow(name, token).finally(() => asking.delete(name))
    asking.set(name, running)
    return running
  }
}
