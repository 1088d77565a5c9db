import { watchers } from '../stores/watchers.js'

/** Says to every tab, this one included, that a key changed: never to what. */
export interface Changes {
  tell(key: string): void
  /** Says to this tab alone that any key may have changed. */
  doubt(): void
  watch(key: string, changed: () => void): () => void
}

/**
 * Over a BroadcastChannel of this name. It is open while somebody watches, and the page is there: a page that was left and kept as it was
 * would lose its place in the back/forward cache by a message. Where there is none, this tab alone is told.
 * A message is a hint: who is told looks into the store, and a message that is no key of a watcher does nothing.
 */
export function changes(name: string): Changes {
  const watching = watchers()
  let channel: BroadcastChannel | undefined

  function tell(key: string): void {
    watching.tell(key)
    const through = channel ?? openChannel(name)
    try {
      through?.postMessage(key)
    } catch {
      // A hint that is lost costs the others a look at their next call.
    }
    if (through !== channel) through?.close()
  }

  function watch(key: string, changed: () => void): () => void {
    if (watching.count() === 0) begin()
    const stop = watching.add(key, changed)
    return () => {
      stop()
      if (watching.count() === 0) end()
    }
  }

  function begin(): void {
    open()
    globalThis.addEventListener?.('pagehide', close)
    globalThis.addEventListener?.('pageshow', reopen)
  }

  function end(): void {
    globalThis.removeEventListener?.('pagehide', close)
    globalThis.removeEventListener?.('pageshow', reopen)
    close()
  }

  function open(): void {
    channel = openChannel(name)
    channel?.addEventListener('message', listen)
  }

  function close(): void {
    channel?.close()
    channel = undefined
  }

  /** What was said meanwhile was said to others. */
  function reopen(): void {
    if (channel !== undefined) return
    open()
    watching.tellAll()
  }

  function listen(event: MessageEvent<unknown>): void {
    if (typeof event.data === 'string') watching.tell(event.data)
  }

  return { tell, doubt: watching.tellAll, watch }
}

function openChannel(name: string): BroadcastChannel | undefined {
  try {
    return typeof BroadcastChannel === 'function' ? new BroadcastChannel(name) : undefined
  } catch {
    return undefined
  }
}
