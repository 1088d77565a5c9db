import { get, update } from 'idb-keyval'
import type { DpopKey, DpopKeys } from '../core/dpop.js'
import { dpopAlgorithms } from '../core/dpop-values.js'
import { bare } from '../core/secret.js'
import { newKey } from '../protocol/dpop-proof.js'
import type { Database } from './database.js'
import { natives } from './natives.js'

/**
 * Keys in a page's database, as the CryptoKeys that they are: nobody can read them out, this library neither. The tabs have them in common;
 * whichever is first makes one.
 */
export function dpopKeysIn(run: Database['run']): DpopKeys {
  return {
    get: (name) =>
      run(async (use) => {
        const held: unknown = await get(entryOf(name), use)
        return isKey(held) ? held : undefined
      }),
    getOrMake: (name, algorithm) =>
      run(async (use) => {
        const held: unknown = await get(entryOf(name), use)
        if (isKey(held)) return held
        const made = await newKey(algorithm, natives.webCrypto)
        let first = made
        await update<unknown>(entryOf(name), (now) => (first = isKey(now) ? now : made), use)
        return first
      }),
  }
}

const entryOf = (name: string) => `key ${name}`

/** Any script of the origin may have written there; and one that could be read out is none of ours. */
function isKey(held: unknown): held is DpopKey {
  if (typeof held !== 'object' || held === null) return false
  const { algorithm, privateKey, publicKey } = bare<{ algorithm?: unknown; privateKey?: unknown; publicKey?: unknown }>({ ...held })
  return (
    dpopAlgorithms.some((one) => one === algorithm) &&
    privateKey instanceof CryptoKey &&
    !privateKey.extractable &&
    privateKey.type === 'private' &&
    privateKey.usages.includes('sign') &&
    typeof publicKey === 'object' &&
    publicKey !== null &&
    Object.values(publicKey).every((member) => typeof member === 'string')
  )
}
