import type { Ask } from '../browser/isolated-messages.js'
import { OAuthError } from '../core/errors.js'
import type { Session } from '../core/session-contract.js'
import type { PageBeyond } from './page-beyond.js'

/** Answers what the page asks of its session. None of the answers has a token in it. */
export function answerAsks(session: Session, beyond: PageBeyond): (ask: Ask) => void {
  const running = new Map<number, AbortController>()

  /** Who asked is told how it ended; an abort is its own, and it does not wait for that. */
  async function answered(id: number, run: (signal: AbortSignal) => Promise<unknown>): Promise<void> {
    const aborted = new AbortController()
    running.set(id, aborted)
    try {
      beyond.say({ kind: 'done', id, value: await run(aborted.signal) })
    } catch (error) {
      beyond.say({ kind: 'done', id, error: error instanceof OAuthError ? error : notForThePage() })
    } finally {
      running.delete(id)
    }
  }

  return (ask) => {
    if ('seen' in ask) beyond.see(ask.seen)
    switch (ask.kind) {
      case 'resume':
        return void answered(ask.id, () => session.resume(ask.response))
      case 'sign_in':
        return void answered(ask.id, (signal) => session.signIn({ ...ask.options, signal }))
      case 'sign_out':
        return void answered(ask.id, async (signal) => ({ ...(await session.signOut({ ...ask.options, signal })) }))
      case 'abort':
        return running.get(ask.id)?.abort()
      case 'wake':
        return beyond.wake()
      default:
        return beyond.obeyed(ask.id, ask.error)
    }
  }
}

/** An error that is none of this library's may say anything. */
function notForThePage(): OAuthError {
  return new OAuthError('authorization_failed', 'The worker could not do it, for a reason that stays there.')
}
