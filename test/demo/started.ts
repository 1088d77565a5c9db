import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

const script = fileURLToPath(new URL('../../demo/run.mjs', import.meta.url))

/** A demo as `npm run` starts it, on a machine without a screen. */
export interface Started {
  readonly child: ChildProcess
  /** What it has written so far, errors too. */
  output(): string
  /** Resolves as soon as its output matches; rejects where it ends before. */
  said(pattern: RegExp): Promise<RegExpExecArray>
  readonly exited: Promise<number | null>
}

export function start(name: string, flags: readonly string[] = [], environment: Readonly<Record<string, string>> = {}): Started {
  const { DISPLAY: _x, WAYLAND_DISPLAY: _wayland, BROWSER: _browser, ...rest } = process.env
  const env = { ...rest, SSH_TTY: '/dev/pts/0', ...environment }
  const child = spawn(process.execPath, [script, name, ...flags], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  let output = ''
  const heard = new Set<() => void>()
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
      for (const look of heard) look()
    })
  }
  const exited = once(child, 'close').then(([code]) => code as number | null)
  const said = (pattern: RegExp): Promise<RegExpExecArray> =>
    new Promise((resolve, reject) => {
      const look = () => {
        const found = pattern.exec(output)
        if (found !== null) resolve(found)
      }
      heard.add(look)
      void exited.then(() => reject(new Error(`It ended, and never said ${pattern}:\n${output}`)))
      look()
    })
  return { child, output: () => output, said, exited }
}
