import { decodePendingRequests, encodePendingRequests } from '../core/pending-codec.js'
import { OAuthError } from '../core/errors.js'
import { type PendingRequest, isStale, pendingLifetime } from '../core/pending-request.js'
import type { Clock, Store } from '../core/ports.js'
import { Secret } from '../core/secret.js'
import { digest } from './digest.js'
import type { PendingRequests } from './pending-requests.js'

/** The authorization requests of a server, of which many wait at once: each has a key of its own, and is forgotten by itself. */
export interface PendingByState extends Pick<PendingRequests, 'find' | 'take'> {
  /** Rejects with `store_unavailable` where it cannot be kept. */
  add(request: PendingRequest, state: string): Promise<void>
}

export function pendingByState(store: Store, clock: Clock, fresh: () => string): PendingByState {
  // A digest, so that who lists the keys of the store learns no state.
  const keyOf = async (state: string): Promise<string> => `valetkey:pending:${await digest(state)}`

  async function read(state: string): Promise<{ readonly version: string; readonly request: PendingRequest } | undefined> {
    const stored = await reached(store.get(await keyOf(state)))
    const [request] = stored === undefined ? [] : (decodePendingRequests(stored.value) ?? [])
    if (stored === undefined || request === undefined || isStale(request, clock.now())) return undefined
    return Secret.equals(request.state, Secret.of(state)) ? { version: stored.version, request } : undefined
  }

  return {
    async add(request, state) {
      const next = { version: fresh(), value: encodePendingRequests([request]), expiresAt: request.createdAt + pendingLifetime }
      if (!(await reached(store.replace(await keyOf(state), undefined, next)))) throw unavailable()
    },
    async find(state) {
      return (await read(state))?.request
    },
    async take(state) {
      const found = await read(state)
      if (found === undefined) return undefined
      // Of several who take the same one, the store lets one delete it.
      return (await reached(store.replace(await keyOf(state), found.version, undefined))) ? found.request : undefined
    },
  }
}

async function reached<T>(operation: Promise<T>): Promise<T> {
  try {
    return await operation
  } catch {
    throw unavailable()
  }
}

function unavailable(): OAuthError {
  return new OAuthError(
    'store_unavailable',
    'The sign-in could not be noted down, or its note not be read. Try again; where it goes on, look at the store.',
  )
}
