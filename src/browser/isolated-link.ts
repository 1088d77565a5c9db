import { OAuthError } from '../core/errors.js'
import { type Members, object, readable } from '../core/reading.js'
import type { SessionSnapshot } from '../core/session-contract.js'
import { systemClock } from '../system-clock.js'
import { type Ask, type Order, type Said, plain, readSaid } from './isolated-messages.js'
import { lockManager, webLocks } from './web-locks.js'

/** A page's way to the worker that keeps its tokens. */
export interface Link {
  /** Aborted when the worker is no more: it was ended, has crashed, or was never there. */
  readonly gone: AbortSignal
  /** Posts to the worker when it serves. Rejects with what its set-up failed of, and with `sign_in_required` where there is none. */
  post(message: object, transfer?: Transferable[]): Promise<void>
  /** Posts a question and resolves with the answer, as `read` reads it. */
  ask<T>(question: (id: number) => Ask, read: (value: unknown) => T): { readonly id: number; readonly answer: Promise<T> }
}

export interface Hearing {
  shows(snapshot: SessionSnapshot): void
  /** Does what the worker cannot do itself. */
  obey(order: Order): Promise<void>
}

/** A script that has thrown may serve all the same; one that does not say so within this time does not. Milliseconds. */
const patience = 2_000
/** A script may be long on its way, and what it threw before anybody listened is not heard: a call waits this long for it. Milliseconds. */
const longestStart = 30_000

export function linkTo(worker: Worker, { shows, obey }: Hearing): Link {
  const gone = new AbortController()
  const waiting = new Map<number, { readonly resolve: (value: unknown) => void; readonly reject: (error: unknown) => void }>()
  let connecting: Promise<MessagePort> | undefined
  let asked = 0
  // A script that could not be loaded, or has thrown, before anybody called.
  const failed = new Promise((resolve) => worker.addEventListener('error', resolve, { once: true }))

  function connect(): Promise<MessagePort> {
    connecting ??= new Promise<MessagePort>((resolve, reject) => {
      let newest: MessagePort | undefined
      // The worker has answered, or was waited for long enough.
      const over = new AbortController()
      const attempt = () => {
        newest?.close()
        const { port1: mine, port2: its } = new MessageChannel()
        newest = mine
        mine.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
          const said = readSaid(data)
          if (said?.kind !== 'hello') return said === undefined ? undefined : hear(said, mine)
          over.abort()
          if (said.error !== undefined) return reject(said.error)
          if (said.lock !== undefined) attend(said.lock)
          resolve(mine)
        })
        mine.start()
        worker.postMessage({ valetkey: 'connect' }, [its])
      }
      // A script that awaits something first was not there to hear the first attempt: it says when it is.
      worker.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
        if (!over.signal.aborted && isServing(data)) attempt()
      })
      void failed.then(() => systemClock.wait(patience)).then(() => over.signal.aborted || die())
      const giveUp = () => {
        over.abort()
        connecting = undefined
        reject(noWorker())
      }
      systemClock.wait(longestStart, over.signal).then(giveUp, () => {})
      gone.signal.addEventListener('abort', () => reject(noWorker()))
      attempt()
    })
    return connecting
  }

  /** The worker holds the lock as long as it lives, so whoever gets it knows that it does not. A page that is being left is refused, and knows nothing. */
  function attend(lock: string): void {
    if (lockManager() === undefined) return
    webLocks()(lock, async () => die()).catch(() => {})
  }

  function die(): void {
    gone.abort()
    for (const { reject } of waiting.values()) reject(noWorker())
    waiting.clear()
  }

  function hear(said: Exclude<Said, { kind: 'hello' }>, port: MessagePort): void {
    if (said.kind === 'snapshot') return shows(said.snapshot)
    if (said.kind === 'done') {
      const { error, id, value } = said
      const one = waiting.get(id)
      waiting.delete(id)
      return error === undefined ? one?.resolve(value) : one?.reject(error)
    }
    const { id } = said
    obey(said).then(
      () => port.postMessage(plain({ kind: 'obeyed', id })),
      (error: unknown) => port.postMessage(plain({ kind: 'obeyed', id, error: error instanceof OAuthError ? error : notObeyed() })),
    )
  }

  async function post(message: object, transfer: Transferable[] = []): Promise<void> {
    if (gone.signal.aborted) throw noWorker()
    const port = await connect()
    if (gone.signal.aborted) throw noWorker()
    port.postMessage(message, transfer)
  }

  return {
    gone: gone.signal,
    post,
    ask(question, read) {
      asked += 1
      const id = asked
      const answer = new Promise<unknown>((resolve, reject) => {
        waiting.set(id, { resolve, reject })
        post(plain(question(id))).catch((error: unknown) => {
          waiting.delete(id)
          reject(error instanceof OAuthError ? error : notCopied())
        })
      })
      return {
        id,
        answer: answer.then((value) => readable(() => ({ value: read(value) })) ?? Promise.reject(otherVersion())).then(valueOf),
      }
    },
  }
}

function valueOf<T>({ value }: { readonly value: T }): T {
  return value
}

function isServing(message: unknown): boolean {
  const from: Members | undefined = readable(() => object(message))
  return from?.['valetkey'] === 'serving'
}

function noWorker(): OAuthError {
  return new OAuthError(
    'sign_in_required',
    'The worker that kept the tokens is gone, and they with it, or it was never there. Make another (load the page anew) and sign in.',
  )
}

function otherVersion(): OAuthError {
  return new OAuthError('not_supported', 'The worker answered what is not known here. Bundle it and the page from one version of valetkey.')
}

function notCopied(): OAuthError {
  return new OAuthError('invalid_configuration', 'An option has something in it that cannot be sent to a worker: plain data can.')
}

function notObeyed(): OAuthError {
  return new OAuthError('authorization_failed', 'The browser did not let the page be left, or its address be changed.')
}
