import { digest } from '../session/digest.js'
import { natives } from './natives.js'
import { isOwn } from './page.js'
import { lockManager } from './web-locks.js'

/** The name of the channel, and of the lock while somebody listens there. It is a digest, so that no lock or broadcast names a `state`. */
export async function awaitedName(state: string): Promise<string> {
  return `popup ${await digest(`valetkey popup name ${state}`, natives.webCrypto)}`
}

/**
 * Whether a window waits for the response with this `state`, so that it is not this page's to take up. Who waits holds a lock, which is seen at once
 * and ends with it. A response that is not known here may be awaited by the page that opened this window, even where no lock of it can be seen:
 * where storage is partitioned, locks are too.
 */
export async function mayBeAwaited(state: string, isKnown: boolean): Promise<boolean> {
  const name = `valetkey ${await awaitedName(state)}`
  const { held = [] } = (await lockManager()?.query()) ?? {}
  return held.some((lock) => lock.name === name) || (!isKnown && ownOpener(window) !== undefined)
}

/** The page that opened this window, if it is there and of this origin: to no other is anything ever posted. */
export function ownOpener({ opener }: Window): Window | undefined {
  const other = opener as Window | null
  return other !== null && !other.closed && isOwn(other) ? other : undefined
}
