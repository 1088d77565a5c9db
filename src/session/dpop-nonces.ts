import { decodeNonces, encodeNonces } from '../core/dpop-codec.js'
import { type Nonces, withNonce } from '../core/dpop-values.js'
import type { Clock, Store, Versioned } from '../core/ports.js'
import type { WebCrypto } from '../core/client.js'
import { fresh } from './randomness.js'

/** The newest nonce of each server (RFC 9449 section 8), as all who share the store have heard of it. */
export interface SharedNonces {
  /** In this very turn unless the store is to be looked at first. Never rejects: without a nonce a server says which it wants. */
  newest(owner: string): string | undefined | Promise<string | undefined>
  /** `refused`: a request was refused for it, so that the others should know at once. */
  learn(owner: string, nonce: string, refused: boolean): void
}

/** How long a look at the store counts, in milliseconds: so one who calls all the time asks ten times a second, and hears of a change as soon. */
const lookCounts = 100
/** Between two writes, in milliseconds. A server that gives a new nonce with every answer must not make a write of every call. */
const writesApart = 1_000
/** How long a store keeps them, in milliseconds. One that is forgotten costs one more request. */
const kept = 24 * 60 * 60_000

export function sharedNonces(store: Store, name: string, clock: Clock, webCrypto?: WebCrypto): SharedNonces {
  let nonces: Nonces = []
  /** What was learned here and is not yet in the store. */
  const unshared = new Map<string, string>()
  let version: string | undefined
  let lookedAt = -Infinity
  let wroteAt = -Infinity
  let looking: Promise<void> | undefined
  let sharing = false

  function adopt(stored: Versioned | undefined): void {
    if (stored === undefined || stored.version === version) return
    version = stored.version
    nonces = [...unshared].reduce<Nonces>((all, [owner, nonce]) => withNonce(all, owner, nonce), decodeNonces(stored.value) ?? [])
  }

  async function look(): Promise<void> {
    lookedAt = clock.monotonic()
    try {
      adopt(await store.get(name))
    } catch {
      // What is known here is as good.
    } finally {
      looking = undefined
    }
  }

  /** Others may write at the same time; what is lost to them is written with the next that is learned. */
  async function share(): Promise<void> {
    if (sharing) return
    sharing = true
    wroteAt = clock.monotonic()
    try {
      for (let attempt = 0; attempt < 3 && unshared.size > 0; attempt += 1) {
        const stored = await store.get(name)
        adopt(stored)
        const mine = [...unshared]
        const next = { version: fresh(webCrypto), value: encodeNonces(nonces), expiresAt: clock.now() + kept }
        if (!(await store.replace(name, stored?.version, next))) continue
        version = next.version
        for (const [owner, nonce] of mine) if (unshared.get(owner) === nonce) unshared.delete(owner)
      }
    } catch {
      // A fleet without its store pays a request more for each process.
    } finally {
      sharing = false
    }
  }

  return {
    newest(owner) {
      const known = () => nonces.find(([other]) => other === owner)?.[1]
      if (looking === undefined && clock.monotonic() - lookedAt >= lookCounts) looking = look()
      return looking === undefined ? known() : looking.then(known)
    },
    learn(owner, nonce, refused) {
      if (nonces.some(([other, known]) => other === owner && known === nonce)) return
      nonces = withNonce(nonces, owner, nonce)
      unshared.delete(owner)
      unshared.set(owner, nonce)
      // Not more than are known.
      for (const one of unshared.keys()) if (!nonces.some(([other]) => other === one)) unshared.delete(one)
      if (refused || clock.monotonic() - wroteAt >= writesApart) void share()
    },
  }
}
