import { bare } from './secret.js'

// What comes from outside, such as a store or another thread, read strictly: what is not of the shape that is expected is unreadable as a whole.

/** Own members only. */
export type Members = Readonly<Record<string, unknown>>

export class Unreadable extends Error {}

/** What `make` makes, or `undefined` where something could not be read. */
export function readable<T>(make: () => T): T | undefined {
  try {
    return make()
  } catch {
    return undefined
  }
}

export function object(value: unknown): Members {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Unreadable()
  // A copy without a prototype: a member that is missing is not found on a polluted Object.prototype instead.
  return bare({ ...value })
}

export function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new Unreadable()
  return value
}

export function string(value: unknown): string {
  if (typeof value !== 'string') throw new Unreadable()
  return value
}

export function number(value: unknown): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new Unreadable()
  return value
}

export function strings(value: unknown): readonly string[] {
  return list(value).map(string)
}

export function oneOf<T extends string>(value: unknown, allowed: readonly T[]): T {
  const found = allowed.find((one) => one === value)
  if (found === undefined) throw new Unreadable()
  return found
}

export function optional<T>(value: unknown, make: (value: unknown) => T): T | undefined {
  return value === undefined ? undefined : make(value)
}
