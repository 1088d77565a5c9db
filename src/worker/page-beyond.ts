import { type Order, type Said, type Seen, plain } from '../browser/isolated-messages.js'
import type { OAuthError } from '../core/errors.js'
import type { Place } from '../core/place.js'
import type { UserAgent } from '../core/ports.js'
import { unlessAborted } from '../core/unless-aborted.js'

/** The page of a worker, as a session in the worker sees it: what the page last said of itself, and orders that it obeys. */
export interface PageBeyond {
  readonly place: Place
  readonly userAgent: UserAgent
  /** From now on, this is the port. */
  connect(port: Pick<MessagePort, 'postMessage'>): void
  say(said: Said): void
  /** What the page says of itself. */
  see(seen: Seen): void
  wake(): void
  obeyed(id: number, error: OAuthError | undefined): void
  go(url: URL): void
  /** Resolves when the page's address is what it was told to be. */
  addressIsReplaced(): Promise<void>
}

export function pageBeyond(): PageBeyond {
  let port: Pick<MessagePort, 'postMessage'> | undefined
  let seen: Seen | undefined
  let orders = 0
  let replaced: Promise<unknown> = Promise.resolve()
  const waiting = new Map<number, (error: OAuthError | undefined) => void>()
  const wakeful = new Set<() => void>()

  const say = (said: Said) => port?.postMessage(plain(said))

  function order(kind: Order['kind'], url: URL): Promise<void> {
    orders += 1
    const id = orders
    return new Promise((resolve, reject) => {
      waiting.set(id, (error) => (error === undefined ? resolve() : reject(error)))
      say({ kind, id, url: url.href })
    })
  }

  function replaceAddress(url: URL): void {
    if (seen !== undefined) seen = { ...seen, address: url.href }
    replaced = order('replace', url).catch(() => {})
  }

  return {
    place: {
      // The page asks only when its user looks at it.
      ready: async () => {},
      isFramedByAnother: () => seen?.isFramed === true,
      address: () => (seen === undefined ? undefined : new URL(seen.address)),
      replaceAddress,
      navigate(url) {
        // The ID token is a hint there, and no token ever goes to the page: the server knows the client without, and may ask its user.
        const withoutHint = new URL(url)
        withoutHint.searchParams.delete('id_token_hint')
        order('navigate', withoutHint).catch(() => {})
      },
      onWake(listener) {
        wakeful.add(listener)
        return () => void wakeful.delete(listener)
      },
      isAttended: () => seen?.isAttended === true,
    },
    userAgent: {
      async authorize(request, options) {
        const { redirectUri = '', signal } = options
        const url = await unlessAborted(request(redirectUri), signal)
        // The worker ends with the page. If it is here to hear of it, the page was not left, or its user came Back.
        await order('leave', url)
        return new Promise(() => {})
      },
    },
    connect: (newest) => (port = newest),
    say,
    see: (news) => (seen = news),
    wake: () => wakeful.forEach((listener) => listener()),
    obeyed(id, error) {
      const settle = waiting.get(id)
      waiting.delete(id)
      settle?.(error)
    },
    go: replaceAddress,
    addressIsReplaced: async () => void (await replaced),
  }
}
