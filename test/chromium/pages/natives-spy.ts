/** What a script has seen that put functions of its own in the place of the browser's. */
export interface NativesSpy {
  /** Each call as one text: the function's name, and all that could be read of it. */
  readonly seen: readonly string[]
}

/** Runs in a page: from now on every function that a secret could pass is the script's, and what is random is a number that it knows, one higher each time. */
export function spyOnNatives(): void {
  const seen: string[] = []
  const { apply, construct, getOwnPropertyDescriptor, defineProperty } = Reflect
  const { stringify } = JSON
  const { clone, text } = Response.prototype
  const decoder = new TextDecoder('latin1')

  const shown = (value: unknown): string => {
    if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) return decoder.decode(value as ArrayBuffer)
    if (value instanceof Headers) return stringify([...value])
    try {
      return typeof value === 'string' ? value : (stringify(value) ?? '')
    } catch {
      return ''
    }
  }
  const note = (name: string, values: readonly unknown[]): void => void seen.push(`${name} ${values.map(shown).join(' ')}`)

  function replace(owner: object, name: string, instead?: (given: readonly unknown[]) => unknown): void {
    const { value, get } = (getOwnPropertyDescriptor(owner, name) ?? {}) as { value?: () => unknown; get?: () => unknown }
    const original = value ?? get
    if (original === undefined) return
    function spy(this: unknown, ...given: unknown[]): unknown {
      note(name, [this, ...given])
      if (get !== undefined && this instanceof Response)
        void apply(text, apply(clone, this, []), []).then((body: string) => note(name, [body]))
      const result: unknown = instead?.(given) ?? apply(original as () => unknown, this, given)
      const answer = result instanceof Promise ? result : Promise.resolve(result)
      void answer.then(
        (one: { value?: unknown } | undefined) => note(name, [one, one?.value]),
        () => {},
      )
      return result
    }
    defineProperty(owner, name, { configurable: true, ...(get === undefined ? { writable: true, value: spy } : { get: spy }) })
  }

  let drawn = 0
  const counted = ([array]: readonly unknown[]) => (array as Uint8Array).fill((drawn += 1))
  replace(Crypto.prototype, 'getRandomValues', counted)
  replace(Crypto.prototype, 'randomUUID', () => '00000000-0000-4000-8000-000000000000')
  replace(Math, 'random', () => 0)
  for (const name of Object.getOwnPropertyNames(SubtleCrypto.prototype)) if (name !== 'constructor') replace(SubtleCrypto.prototype, name)
  replace(globalThis, 'fetch')
  for (const name of ['set', 'append']) replace(Headers.prototype, name)
  for (const name of ['body', 'arrayBuffer', 'clone']) replace(Response.prototype, name)
  replace(ReadableStream.prototype, 'getReader')
  replace(ReadableStreamDefaultReader.prototype, 'read')
  replace(IDBFactory.prototype, 'open')
  for (const name of ['Headers', 'Request'] as const) {
    const known = globalThis[name]
    Object.assign(globalThis, {
      [name]: new Proxy(known, {
        construct: (target, given, by) => {
          note(name, given)
          return construct(target, given, by) as object
        },
      }),
    })
  }
  Object.assign(globalThis, { nativesSpy: { seen } satisfies NativesSpy })
}
