import type { DevicePrompt } from '../core/device-prompt.js'

/**
 * Shows a device authorization (RFC 8628 section 3.3) on the terminal's standard error: the code in groups, the address, and the time that is left,
 * which is counted down every second until the code expires or the program writes something else. Where that is no terminal, it is one block
 * of text. Colour stays away where `NO_COLOR` is set. It keeps no process alive, and writes no control character that came from a server.
 *
 * @example
 * const session = userSession({ issuer, clientId, userAgent: deviceAuthorization(terminalPrompt) })
 */
export function terminalPrompt(prompt: DevicePrompt): void {
  const { stderr, stdout } = process
  terminalPromptBy(prompt, {
    terminal: stderr,
    written: () => stderr.bytesWritten + (stdout.isTTY ? stdout.bytesWritten : 0),
    now: () => Date.now(),
    every: (milliseconds, run) => {
      const timer = setInterval(run, milliseconds).unref()
      return () => clearInterval(timer)
    },
    environment: process.env,
  })
}

/** What the presenter asks of the machine. */
export interface TerminalParts {
  readonly terminal: { readonly isTTY?: boolean; readonly columns?: number; write(text: string): unknown }
  /** How many bytes the program has written to the terminal so far: another number says that the last line is another's. */
  readonly written: () => number
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** Runs it again and again, and keeps nothing alive by that. Returns how to stop. */
  readonly every: (milliseconds: number, run: () => void) => () => void
  readonly environment: Readonly<Record<string, string | undefined>>
}

export function terminalPromptBy(prompt: DevicePrompt, { terminal, written, now, every, environment }: TerminalParts): void {
  const isTerminal = terminal.isTTY === true && environment['TERM'] !== 'dumb'
  const bold = isTerminal && !environment['NO_COLOR'] ? (text: string) => `\u001B[1m${text}\u001B[22m` : (text: string) => text
  const whole = prompt.expiresAt - now()
  const left = () => Math.max(0, Math.ceil((prompt.expiresAt - now()) / 1000))

  terminal.write(block(prompt, bold))
  if (!isTerminal) {
    terminal.write(`The code expires in ${inWords(left())}.\n`)
    return
  }
  const line = () => progressLine(left(), whole / 1000, terminal.columns || 80)
  terminal.write(`${line()}\n`)
  let mine = written()
  const stop = every(1000, () => {
    // Whatever was written since, by the program or by another prompt, is not written over.
    if (written() !== mine) return stop()
    terminal.write(`${overLastLine}${line()}\n`)
    mine = written()
    if (left() === 0) stop()
  })
}

/** Up one line, and that line emptied. The cursor always rests below it, so that the program goes on in a line of its own. */
const overLastLine = '\u001B[1A\u001B[2K'

function block(prompt: DevicePrompt, bold: (text: string) => string): string {
  const complete = prompt.verificationUriComplete
  const shortcut = complete === undefined ? '' : `Or open this one, which has the code in it:\n\n  ${plain(complete)}\n\n`
  return `\nTo sign in, open this address on any device:\n\n  ${bold(plain(prompt.verificationUri))}\n\nand enter this code:\n\n  ${bold(grouped(plain(prompt.userCode)))}\n\n${shortcut}`
}

/** Text from a server as text: nothing in it moves the cursor, colours or turns what else is shown, or breaks the line. */
function plain(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '')
}

/** A code that comes without separators, in groups that an eye can hold. */
function grouped(code: string): string {
  if (!/^[a-z\d]{6,16}$/i.test(code)) return code
  const size = code.length % 4 === 0 ? 4 : 3
  return code.length % size === 0 ? (code.match(new RegExp(`.{${size}}`, 'g')) ?? []).join(' ') : code
}

function progressLine(left: number, whole: number, columns: number): string {
  if (left === 0) return '  The code has expired.'
  const time = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, '0')} left`
  if (columns < bar + time.length + 4) return `  ${time}`
  const filled = Math.min(bar, Math.ceil((left / whole) * bar))
  return `  ${'█'.repeat(filled)}${'░'.repeat(bar - filled)} ${time}`
}

const bar = 24

function inWords(seconds: number): string {
  const [count, unit] = seconds < 120 ? [seconds, 'second'] : [Math.floor(seconds / 60), 'minute']
  return `${count} ${unit}${count === 1 ? '' : 's'}`
}
