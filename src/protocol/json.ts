/** What a server said in JSON. It has no prototype: a member that is missing is never found on a polluted `Object.prototype` instead. */
export type JsonObject = { readonly [member: string]: unknown }

/** Deeper than any metadata document or token response; a deeper one could only be made to exhaust a stack. */
const deepest = 50

/** The JSON object in this text; `undefined` when there is none. Nothing that is thrown here could show the text. */
export function parseObject(text: string): JsonObject | undefined {
  try {
    return objectOf(JSON.parse(text))
  } catch {
    return undefined
  }
}

/** A copy of this object without prototypes, at any depth; `undefined` when it is not an object, or too deep. */
export function objectOf(value: unknown): JsonObject | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  try {
    return copy(value, deepest) as JsonObject
  } catch {
    return undefined
  }
}

function copy(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (depth === 0) throw new RangeError('too deep')
  if (Array.isArray(value)) return value.map((member) => copy(member, depth - 1))
  const object = Object.create(null) as Record<string, unknown>
  for (const [name, member] of Object.entries(value)) {
    // An own `__proto__` would become the prototype of whoever merges this later.
    if (name !== '__proto__') object[name] = copy(member, depth - 1)
  }
  return object
}
