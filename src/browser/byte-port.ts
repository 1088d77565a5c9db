import { object, oneOf, readable } from '../core/reading.js'

// A body from one thread to another, over a port: a chunk for each that is asked for, so that who reads slowly is not flooded and who stops
// reading is heard. Streams themselves can be transferred in some engines only, and one whose other end dies says nothing there.

type Piece = { readonly kind: 'end' | 'broken' } | { readonly kind: 'chunk'; readonly bytes: Uint8Array<ArrayBuffer> }

/** Gives what a stream has to whoever asks at the other end of the port. `cancelled` is called when nobody there wants more of it. */
export function giveBytes(stream: ReadableStream<unknown>, port: MessagePort, cancelled: () => void = () => {}): void {
  const reader = stream.getReader()
  port.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
    const asked = readable(() => oneOf(object(data)['valetkey'], ['pull', 'cancel']))
    if (asked === 'pull') void give()
    if (asked !== 'cancel') return
    port.close()
    reader.cancel().catch(() => {})
    cancelled()
  })
  port.start()

  async function give(): Promise<void> {
    try {
      const { done, value } = await reader.read()
      if (done) return port.postMessage({ valetkey: 'end' })
      // What is no bytes breaks the body, as it does in fetch. A copy: whoever made the chunk may go on to use its memory.
      if (!(value instanceof Uint8Array)) throw new TypeError('no bytes')
      const bytes = value.slice()
      port.postMessage({ valetkey: 'chunk', bytes }, [bytes.buffer])
    } catch {
      port.postMessage({ valetkey: 'broken' })
      reader.cancel().catch(() => {})
    }
  }
}

/** The stream that somebody gives at the other end. `failure` is what it breaks with; `gone` tells that there is no other end any more. */
export function takeBytes(port: MessagePort, failure: () => unknown, gone?: AbortSignal): ReadableStream<Uint8Array<ArrayBuffer>> {
  // Nothing here holds the stream while nobody reads: then a body that was forgotten is seen to be.
  let waiting: ((piece: Piece) => void) | undefined
  const lost = () => waiting?.({ kind: 'broken' })
  port.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
    const piece = readPiece(data)
    if (piece !== undefined) waiting?.(piece)
  })
  port.start()
  const over = () => {
    port.close()
    gone?.removeEventListener('abort', lost)
  }
  gone?.addEventListener('abort', lost)
  const source: UnderlyingDefaultSource<Uint8Array<ArrayBuffer>> = {
    pull: (controller) =>
      new Promise<void>((resolve) => {
        waiting = (piece) => {
          waiting = undefined
          if (piece.kind === 'chunk') controller.enqueue(piece.bytes)
          else {
            over()
            if (piece.kind === 'end') controller.close()
            else controller.error(failure())
          }
          resolve()
        }
        if (gone?.aborted === true) lost()
        else port.postMessage({ valetkey: 'pull' })
      }),
    cancel: () => {
      gone?.removeEventListener('abort', lost)
      port.postMessage({ valetkey: 'cancel' })
    },
  }
  // Not the stream itself: an engine may drop and remake the object that stands for it while a Response is still being read from it.
  forgotten.register(source, port)
  return new ReadableStream(source, { highWaterMark: 0 })
}

/** A body that nobody can read any more would hold its connection for as long as the worker lives. */
const forgotten = new FinalizationRegistry<MessagePort>((port) => port.postMessage({ valetkey: 'cancel' }))

function readPiece(message: unknown): Piece | undefined {
  return readable<Piece | undefined>(() => {
    const from = object(message)
    const kind = from['valetkey']
    if (kind === 'end' || kind === 'broken') return { kind }
    const { bytes } = from
    return kind === 'chunk' && bytes instanceof Uint8Array ? { kind, bytes: bytes as Uint8Array<ArrayBuffer> } : undefined
  })
}
