import type { Versioned } from '../core/ports.js'
import { bare } from '../core/secret.js'

/** A copy of its own members only, without a prototype: it may carry tokens, and a polluted `Object.prototype` neither adds to it nor is called with it. */
export function versioned(version: string, value: string, expiresAt: number | undefined): Versioned {
  return Object.freeze(bare<Versioned>(expiresAt === undefined ? { version, value } : { version, value, expiresAt }))
}

/** The own `expiresAt`, where there is one. */
export function expiryOf(held: Versioned): number | undefined {
  return Object.hasOwn(held, 'expiresAt') ? held.expiresAt : undefined
}

/** Past its own `expiresAt`: then it counts as missing. */
export function isExpired(held: Versioned, now: number): boolean {
  const expiresAt = expiryOf(held)
  return expiresAt !== undefined && expiresAt <= now
}

/** What lies in a store that anybody may have written into: an entry that is none is of the empty version and without a value, so that it can be replaced. */
export function readVersioned(entry: unknown): Versioned {
  if (typeof entry === 'object' && entry !== null && Object.hasOwn(entry, 'version') && Object.hasOwn(entry, 'value')) {
    const { version, value } = entry as Readonly<Record<'version' | 'value', unknown>>
    const expiresAt: unknown = expiryOf(entry as Versioned)
    if (typeof version === 'string' && typeof value === 'string' && (expiresAt === undefined || typeof expiresAt === 'number')) {
      return versioned(version, value, expiresAt)
    }
  }
  return versioned('', '', undefined)
}
