// RFC 6749 section 3.3: scope = scope-token *( SP scope-token ), scope-token = 1*( %x21 / %x23-5B / %x5D-7E ).

const scopeToken = /^[\x21\x23-\x5B\x5D-\x7E]+$/

export function isScopeToken(value: unknown): value is string {
  return typeof value === 'string' && scopeToken.test(value)
}

/** The values of a `scope` parameter, each once, in the order in which they came. */
export function parseScope(text: string, separator: string | RegExp = ' '): readonly string[] {
  return unique(text.split(separator).filter((value) => value !== ''))
}

/** The `scope` parameter of these values; `undefined` where there are none, so that no empty parameter is sent. */
export function formatScope(scope: readonly string[] | undefined): string | undefined {
  return scope === undefined || scope.length === 0 ? undefined : unique(scope).join(' ')
}

/** Whether everything that is wanted was granted. */
export function covers(granted: readonly string[], wanted: readonly string[]): boolean {
  return missingScope(granted, wanted).length === 0
}

/** What is wanted and was not granted. */
export function missingScope(granted: readonly string[], wanted: readonly string[]): readonly string[] {
  return wanted.filter((value) => !granted.includes(value))
}

/** Everything of both, each once. */
export function unionScope(one: readonly string[], other: readonly string[]): readonly string[] {
  return unique([...one, ...other])
}

/** Whether both name the same values, in whatever order. */
export function sameScope(one: readonly string[] | undefined, other: readonly string[] | undefined): boolean {
  if (one === undefined || other === undefined) return one === other
  return covers(one, other) && covers(other, one)
}

function unique(values: readonly string[]): readonly string[] {
  return [...new Set(values)]
}
