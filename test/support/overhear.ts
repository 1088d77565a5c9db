/** What `overhear` tells of, by two functions of the page. */
export interface Overhearing {
  reportOverheard(thing: unknown): void
  reportViolation(text: string): void
}

/**
 * Runs in a page, before its own scripts: what another script of the origin could hear is reported, by `reportOverheard` and `reportViolation`
 * among its globals. It needs nothing from outside of itself.
 */
export function overhear(): void {
  if (!location.protocol.startsWith('http')) return
  const { reportOverheard: report, reportViolation } = globalThis as unknown as Overhearing
  const channel = BroadcastChannel.prototype.postMessage
  BroadcastChannel.prototype.postMessage = function (message: unknown) {
    report({ broadcast: this.name, message: JSON.stringify(message) })
    channel.call(this, message)
  }
  for (const [name, kind] of [
    ['worker', Worker],
    ['service worker', ServiceWorker],
    ['port', MessagePort],
  ] as const) {
    const prototype = kind.prototype as { postMessage(message: unknown, options?: StructuredSerializeOptions): void }
    const { postMessage } = prototype
    prototype.postMessage = function (message, options) {
      report({ to: name, message: JSON.stringify(message) })
      postMessage.call(this, message, options)
    }
  }
  const data = Object.getOwnPropertyDescriptor(MessageEvent.prototype, 'data')?.get
  Object.defineProperty(MessageEvent.prototype, 'data', {
    get(this: MessageEvent) {
      const heard: unknown = data?.call(this)
      report({ heard: JSON.stringify(heard) })
      return heard
    },
  })
  const { request } = LockManager.prototype
  LockManager.prototype.request = function (this: LockManager, ...parameters: Parameters<LockManager['request']>) {
    report({ lock: parameters[0] })
    return request.apply(this, parameters)
  } as LockManager['request']
  addEventListener('storage', ({ key, newValue }) => report({ key, newValue }))
  document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) =>
    reportViolation(`${violatedDirective} ${blockedURI}`),
  )
}
