import type { WebCrypto } from '../core/client.js'
import { decodeDpopKey, encodeDpopKey } from '../core/dpop-codec.js'
import type { DpopAlgorithm, DpopKey, DpopKeyText, DpopKeys } from '../core/dpop.js'
import { OAuthError } from '../core/errors.js'
import type { Store } from '../core/ports.js'
import { fresh } from './randomness.js'

/** How a key becomes a text and comes back from it. */
export interface KeyTexts {
  newKeyText(algorithm: DpopAlgorithm, webCrypto?: WebCrypto): Promise<DpopKeyText>
  keyOfText(text: DpopKeyText, webCrypto?: WebCrypto): Promise<DpopKey | undefined>
}

/** Each lost attempt means that another's was written, which is then found. */
const mostAttempts = 5

/** Keys as texts in a store, beside the records, and sealed as they are: what makes a fleet's processes one holder of the key. */
export function keysInStore(store: Store, { newKeyText, keyOfText }: KeyTexts, webCrypto?: WebCrypto): DpopKeys {
  async function look(name: string): Promise<{ readonly version: string | undefined; readonly key: DpopKey | undefined }> {
    try {
      const stored = await store.get(name)
      const text = stored === undefined ? undefined : decodeDpopKey(stored.value)
      return { version: stored?.version, key: text === undefined ? undefined : await keyOfText(text, webCrypto) }
    } catch (error) {
      throw error instanceof OAuthError ? error : unavailable()
    }
  }

  return {
    get: async (name) => (await look(name)).key,
    async getOrMake(name, algorithm) {
      for (let attempt = 0; attempt < mostAttempts; attempt += 1) {
        const { version, key } = await look(name)
        if (key !== undefined) return key
        const made = await newKeyText(algorithm, webCrypto)
        // Whether it was written or another's, or may have been: the next look shows which one all have.
        await store.replace(name, version, { version: fresh(webCrypto), value: encodeDpopKey(made) }).catch(() => false)
      }
      throw unavailable()
    },
  }
}

function unavailable(): OAuthError {
  return new OAuthError(
    'store_unavailable',
    'The key that tokens are bound to could not be read or kept. Try again; where it goes on, look at the store.',
  )
}
