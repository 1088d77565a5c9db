import type { Message } from './tally.js'

// What a worker has to do with the process that started it.

let working = true

/** Until the parent says stop. */
export const isWorking = (): boolean => working

export function tell(message: Message): void {
  process.send?.(message)
}

/** The last word: then nothing of the parent's keeps this process alive. */
export const leave = (): void => process.disconnect()

process.once('message', () => (working = false))
// A terminal's Ctrl-C comes to every process; the parent says when to stop.
process.on('SIGINT', () => {})
// A parent that is gone has nobody left to work for.
process.once('disconnect', () => process.exit())
if (!process.connected) process.exit()
