import type { Clock } from '../core/ports.js'
import { systemClock } from '../system-clock.js'
import { awaitedName, ownOpener } from './awaited.js'
import { between, broadcast } from './carriers.js'
import { wordsOf } from './popup-words.js'

/** A page that waits is awake within this time, or will not be. */
const patience = 3_000

/** Gives a response to the page that waits for it, and closes this window. False where nobody has taken it: then it is this page's own. */
export async function handOver(response: URL, state: string, here: Window = window, clock: Clock = systemClock): Promise<boolean> {
  const over = new AbortController()
  try {
    const words = await wordsOf(state)
    const opener = ownOpener(here)
    const carriers = [
      broadcast(await awaitedName(state), over.signal),
      ...(opener === undefined ? [] : [between(here, opener, over.signal)]),
    ]
    const taken = new Promise<boolean>((resolve) => {
      for (const { listen } of carriers)
        listen((text) => void words.open('taken', text).then((opened) => opened !== undefined && resolve(true)))
    })
    const message = await words.seal('response', response.href)
    for (const { post } of carriers) post(message)
    const isTaken = await Promise.race([taken, clock.wait(patience, over.signal).then(() => false)])
    if (isTaken) here.close()
    return isTaken
  } finally {
    over.abort()
  }
}
