/** Text that must not be seen: a token, a code, a verifier, a client secret. It prints, serialises and inspects as `[redacted]`. */
export interface Secret {
  /** The text itself. Called where it goes on the wire or into a store, nowhere else. */
  reveal(): string
}

const redacted = (): string => '[redacted]'

/** What makes an object print as `[redacted]` wherever a program may print it: string, JSON, Node's inspect. */
const disguise: PropertyDescriptorMap = {
  toString: { value: redacted },
  toJSON: { value: redacted },
  [Symbol.toPrimitive]: { value: redacted },
  [Symbol.for('nodejs.util.inspect.custom')]: { value: redacted },
}

/**
 * An object without a prototype: a polluted `Object.prototype.then` or `toJSON` is never called with it.
 * Every object that carries a Secret is made by this.
 */
export function bare<T extends object>(members: T): T {
  return Object.assign(Object.create(null) as T, members)
}

/** The members of T, any of which may be given as `undefined`. */
export type Loose<T> = { readonly [K in keyof T]: T[K] | undefined }

/** `bare`, without the members that are `undefined`. */
export function present<T extends object>(members: Loose<T>): T {
  const given = members as Readonly<Record<string, unknown>>
  const made = Object.create(null) as Record<string, unknown>
  for (const name of Object.keys(given)) if (given[name] !== undefined) made[name] = given[name]
  return made as T
}

/** `bare`, and printed as `[redacted]`. */
export function disguised<T extends object>(members: T): T {
  return Object.freeze(Object.defineProperties(bare(members), disguise))
}

function of(text: string): Secret {
  const secret = Object.create(null) as Secret
  // Not enumerable, so that a copy or a deep comparison of a record never walks into it.
  Object.defineProperty(secret, 'reveal', { value: () => text })
  return Object.freeze(Object.defineProperties(secret, disguise))
}

function equals(one: Secret | undefined, other: Secret | undefined): boolean {
  return one === other || (one !== undefined && other !== undefined && one.reveal() === other.reveal())
}

export const Secret: {
  /** Wraps text on receipt. */
  readonly of: (text: string) => Secret
  /** Compares without showing either. */
  readonly equals: (one: Secret | undefined, other: Secret | undefined) => boolean
} = { of, equals }
