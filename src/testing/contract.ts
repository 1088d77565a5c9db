/** One rule of a port; run each with any test runner. It rejects where the rule is broken. */
export interface ContractRule {
  readonly name: string
  run(): Promise<void>
}

/** Fails the rule with a sentence. */
export function check(holds: boolean, sentence: string): asserts holds {
  if (!holds) throw new Error(sentence)
}

/** Both are texts, numbers or absent. */
export function equal(actual: unknown, expected: unknown, what: string): void {
  check(Object.is(actual, expected), `${what}: expected ${show(expected)}, got ${show(actual)}`)
}

/** The reason of a promise that has to reject. */
export async function rejection(promise: Promise<unknown>, what: string): Promise<unknown> {
  let outcome: unknown
  try {
    outcome = await promise
  } catch (reason) {
    return reason
  }
  throw new Error(`${what}: expected a rejection, got ${show(outcome)}`)
}

/** Fails the rule instead of hanging: what it waits for comes at once or never. */
export async function soon<T>(promise: Promise<T>, what: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const never = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: nothing came of it within ten seconds`)), 10_000)
  })
  try {
    return await Promise.race([promise, never])
  } finally {
    clearTimeout(timer)
  }
}

/** Fresh and unguessable, as versions are. */
export function fresh(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** A turn of the event loop, for what would otherwise happen too early to be seen. */
export function turn(): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, 0))
}

function show(value: unknown): string {
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value)
  return text.length > 80 ? `${text.slice(0, 80)}… (${text.length} characters)` : text
}
