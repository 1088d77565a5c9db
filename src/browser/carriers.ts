/** A way for texts between the page that waits and the window that answers. Who hears what says nothing: that is for the words to prove. */
export interface Carrier {
  post(text: string): void
  listen(listener: (text: string) => void): void
}

/** Between two windows that can see each other: what is posted is for this origin alone, what is heard is from this origin and that very window. */
export function between(here: Window, other: Window, until: AbortSignal): Carrier {
  const { origin } = here.location
  return {
    post: (text) => quietly(() => other.postMessage(text, origin)),
    listen: (listener) =>
      here.addEventListener(
        'message',
        (event: MessageEvent<unknown>) => {
          if (event.origin === origin && event.source === other && typeof event.data === 'string') listener(event.data)
        },
        { signal: until },
      ),
  }
}

/** Among all tabs of the origin, for windows that were cut off from each other (`Cross-Origin-Opener-Policy`). */
export function broadcast(name: string, until: AbortSignal): Carrier {
  const channel = quietly(() => new BroadcastChannel(`valetkey ${name}`))
  until.addEventListener('abort', () => channel?.close(), { once: true })
  return {
    post: (text) => quietly(() => channel?.postMessage(text)),
    listen: (listener) =>
      channel?.addEventListener('message', ({ data }: MessageEvent<unknown>) => typeof data === 'string' && listener(data)),
  }
}

/** What cannot be said by one carrier may be by the other. */
function quietly<T>(run: () => T): T | undefined {
  try {
    return run()
  } catch {
    return undefined
  }
}
