// One option at a time: what kinds of values there are, and how a wrong one is named.

import { OAuthError } from './errors.js'
import { isScopeToken } from './scope.js'
import { bare } from './secret.js'

/** Options by name, own members only, without prototype: a polluted `Object.prototype` changes nothing. */
export type Members = Readonly<Record<string, unknown>>

/** An option that is wrong; `problem` goes on with the sentence that its name begins. */
export function wrongOption(name: string, problem: string): OAuthError {
  return new OAuthError('invalid_configuration', `\`${name}\` ${problem}`)
}

/** The members of an options object, each read once. `undefined` is as absent; one that `of` does not know is refused by its name. */
export function ownMembers(options: unknown, known: readonly string[], of: string): Members {
  if (!isObject(options) || Array.isArray(options)) throw wrongOption('options', `of ${of} must be an object.`)
  const members: Record<string, unknown> = bare({})
  for (const name of Object.keys(options)) {
    const value = options[name]
    if (value === undefined) continue
    if (!known.includes(name)) throw wrongOption(name, `is not an option of ${of}. It has: ${known.join(', ')}.`)
    members[name] = value
  }
  return members
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

/** A text that is not empty, and that can be written: half a surrogate pair is no character in any encoding. */
export function text(members: Members, name: string): string | undefined {
  const value = members[name]
  if (value === undefined || (isText(value) && !/\p{Cs}/u.test(value))) return value
  throw wrongOption(name, isText(value) ? 'must be a string without half of a surrogate pair.' : 'must be a string that is not empty.')
}

export function oneOf<T extends string>(members: Members, name: string, choices: readonly T[]): T | undefined {
  const value = members[name]
  if (value === undefined) return undefined
  const choice = choices.find((one) => one === value)
  if (choice === undefined) throw wrongOption(name, `must be one of: ${choices.join(', ')}.`)
  return choice
}

export function flag(members: Members, name: string): boolean | undefined {
  const value = members[name]
  if (value === undefined || typeof value === 'boolean') return value
  throw wrongOption(name, 'must be true or false.')
}

/** A finite number of seconds, 0 or more. */
export function seconds(members: Members, name: string): number | undefined {
  const value = members[name]
  if (value === undefined || (typeof value === 'number' && Number.isFinite(value) && value >= 0)) return value
  throw wrongOption(name, 'must be a number of seconds, 0 or more.')
}

export function callable<F extends (...parameters: never[]) => unknown>(members: Members, name: string): F | undefined {
  const value = members[name]
  if (value === undefined || typeof value === 'function') return value as F | undefined
  throw wrongOption(name, 'must be a function.')
}

/** Scope values, one string each, every one once (RFC 6749 section 3.3). */
export function scopeValues(members: Members, name: string): readonly string[] | undefined {
  const value = members[name]
  if (value === undefined) return undefined
  if (!Array.isArray(value))
    throw wrongOption(name, "must be a list with one scope value in each string, such as ['notes:read', 'notes:write'].")
  if (!value.every(isScopeToken)) {
    throw wrongOption(
      name,
      'has a value that is no scope value (RFC 6749 section 3.3): no spaces, quotes, backslashes or other than ASCII characters.',
    )
  }
  return Object.freeze([...new Set(value)])
}

/** Values that go into one parameter with spaces between them, such as `acr_values`. */
export function words(members: Members, name: string): readonly string[] | undefined {
  const value = members[name]
  if (value === undefined) return undefined
  if (!Array.isArray(value) || !value.every((one) => isText(one) && !/\s/.test(one))) {
    throw wrongOption(name, 'must be a list of strings without spaces.')
  }
  return Object.freeze([...(value as string[])])
}

/** Further parameters of a request. Those that valetkey sets are refused, for two of a name or another's value break its promises. */
export function parameters(members: Members, name: string, reserved: readonly string[]): Readonly<Record<string, string>> | undefined {
  const value = members[name]
  if (value === undefined) return undefined
  if (!isObject(value) || Array.isArray(value)) throw wrongOption(name, 'must be an object with a string for each parameter.')
  const result: Record<string, string> = bare({})
  for (const parameter of Object.keys(value)) {
    const one = value[parameter]
    if (one === undefined) continue
    if (!isText(one) || parameter === '') throw wrongOption(`${name}.${parameter}`, 'must be a string that is not empty.')
    if (reserved.includes(parameter))
      throw wrongOption(`${name}.${parameter}`, 'is a parameter of the protocol, which valetkey sets itself. Leave it out.')
    result[parameter] = one
  }
  return Object.freeze(result)
}

/** A resource indicator: an absolute URI without a fragment (RFC 8707 section 2). Kept as written. */
export function resourceIndicator(value: unknown, name: string): string {
  if (isText(value) && /^[a-z][a-z\d+.-]*:[^\s\p{Cc}#]+$/iu.test(value)) return value
  throw wrongOption(name, 'must be an absolute URI without a fragment (RFC 8707 section 2), such as https://api.example.com/.')
}

export function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}
