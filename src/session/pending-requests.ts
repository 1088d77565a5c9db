import { decodePendingRequests, encodePendingRequests } from '../core/pending-codec.js'
import { OAuthError } from '../core/errors.js'
import { type PendingRequest, isStale, pendingKey } from '../core/pending-request.js'
import type { Clock, Store } from '../core/ports.js'
import { Secret } from '../core/secret.js'

/** The authorization requests that wait for their responses, of all sessions that share a store. */
export interface PendingRequests {
  /** Rejects with `store_unavailable` where it cannot be kept: a user who is sent away without it could not come back. */
  add(request: PendingRequest): Promise<void>
  /** The one with this state, whoever asked. One that is too old is as if missing. */
  find(state: string): Promise<PendingRequest | undefined>
  /** Takes it out: of several who take the same one, one gets it. */
  take(state: string): Promise<PendingRequest | undefined>
}

/** A user signs in once or twice at a time; what is beyond that was abandoned. */
const mostPending = 20

export function pendingRequests(store: Store, clock: Clock, fresh: () => string): PendingRequests {
  async function read(): Promise<{ readonly version: string | undefined; readonly list: readonly PendingRequest[] }> {
    try {
      const stored = await store.get(pendingKey)
      const list = stored === undefined ? [] : (decodePendingRequests(stored.value) ?? [])
      return { version: stored?.version, list: list.filter((one) => !isStale(one, clock.now())) }
    } catch (error) {
      throw error instanceof OAuthError ? error : unavailable()
    }
  }

  async function write(seen: string | undefined, list: readonly PendingRequest[]): Promise<boolean> {
    const next = list.length === 0 ? undefined : { version: fresh(), value: encodePendingRequests(list) }
    try {
      return await store.replace(pendingKey, seen, next)
    } catch {
      // It may have happened: whoever asked looks again.
      return false
    }
  }

  async function add(request: PendingRequest): Promise<void> {
    for (let attempt = 0; attempt < mostAttempts; attempt++) {
      const { version, list } = await read()
      if (list.some((one) => Secret.equals(one.state, request.state))) return
      if (await write(version, [...list, request].slice(-mostPending))) return
    }
    throw unavailable()
  }

  async function find(state: string): Promise<PendingRequest | undefined> {
    return withState((await read()).list, state)
  }

  async function take(state: string): Promise<PendingRequest | undefined> {
    for (let attempt = 0; attempt < mostAttempts; attempt++) {
      const { version, list } = await read()
      const found = withState(list, state)
      if (found === undefined) return undefined
      if (
        await write(
          version,
          list.filter((one) => one !== found),
        )
      )
        return found
    }
    throw unavailable()
  }

  return { add, find, take }
}

/** Each lost attempt means that another's was written, so a few dozen are more tabs than anybody has. */
const mostAttempts = 50

function withState(list: readonly PendingRequest[], state: string): PendingRequest | undefined {
  return list.find((one) => Secret.equals(one.state, Secret.of(state)))
}

function unavailable(): OAuthError {
  return new OAuthError(
    'store_unavailable',
    'The sign-in could not be noted down, or its note not be read. Try again; where it goes on, look at the store.',
  )
}
