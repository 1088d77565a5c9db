import { watchers } from '../stores/watchers.js'

/** Says to every tab, this one included, that a key changed: never to what. */
export interface Changes {
  tell(key: string): void
  watch(key: string, changed: () => void): () => void
}

/**
 * Over a BroadcastChannel of this name. It is open while somebody watches. Where there is none, this tab alone is told.
 * A message is a hint: who is told looks into the store, and a message that is no key of a watcher does nothing.
 */
export function changes(name: string): Changes {
  const watching = watchers()
  let channel: BroadcastChannel | undefined

  function tell(key: string): void {
    watching.tell(key)
    const open = channel ?? openChannel(name)
    try {
      open?.postMessage(key)
    } catch {
      // A hint that is lost costs the others a look at their next call.
    }
    if (open !== channel) open?.close()
  }

  function watch(key: string, changed: () => void): () => void {
    if (channel === undefined) {
      channel = openChannel(name)
      channel?.addEventListener('message', listen)
    }
    const stop = watching.add(key, changed)
    return () => {
      stop()
      if (watching.count() > 0) return
      channel?.close()
      channel = undefined
    }
  }

  function listen(event: MessageEvent<unknown>): void {
    if (typeof event.data === 'string') watching.tell(event.data)
  }

  return { tell, watch }
}

function openChannel(name: string): BroadcastChannel | undefined {
  try {
    return typeof BroadcastChannel === 'function' ? new BroadcastChannel(name) : undefined
  } catch {
    return undefined
  }
}
