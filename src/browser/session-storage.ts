import { OAuthError } from '../core/errors.js'
import type { Store, Versioned } from '../core/ports.js'
import { expiryOf, isExpired, readVersioned, versioned } from '../stores/versioned.js'

/**
 * The tab's own sessionStorage, in clear: for what has to survive a redirect and is no token. It is synchronous and of one tab, so a comparison and
 * its write are one. Without sessionStorage nothing is found, and writing rejects with `store_unavailable`: what would not survive must not leave.
 */
export function sessionStorageStore(): Store {
  return {
    get: async (key) => read(key),
    async replace(key, seen, next) {
      if (read(key)?.version !== seen) return false
      try {
        if (next === undefined) sessionStorage.removeItem(itemOf(key))
        else sessionStorage.setItem(itemOf(key), JSON.stringify(versioned(next.version, next.value, expiryOf(next))))
      } catch {
        throw new OAuthError(
          'store_unavailable',
          'The browser keeps nothing for this page (neither IndexedDB nor sessionStorage), so a redirect could not come back. Ask the user to allow site data.',
        )
      }
      return true
    },
  }
}

const itemOf = (key: string) => `valetkey ${key}`

function read(key: string): Versioned | undefined {
  try {
    const text = sessionStorage.getItem(itemOf(key))
    if (text === null) return undefined
    const held = parse(text)
    if (!isExpired(held, Date.now())) return held
    sessionStorage.removeItem(itemOf(key))
  } catch {
    // There is no sessionStorage, or the browser keeps it from this page.
  }
  return undefined
}

function parse(text: string): Versioned {
  try {
    return readVersioned(JSON.parse(text))
  } catch {
    return readVersioned(undefined)
  }
}
