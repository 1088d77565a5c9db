// Takes the place of node:fs/promises in a program that is to be killed at each of its steps: before the one that DIE_AT counts, or, where that
// writes a file and DIE_HALFWAY is set, when half of it is written.
import { createRequire } from 'node:module'

type Call = (...parameters: unknown[]) => Promise<unknown>
const real = createRequire(import.meta.url)('node:fs/promises') as Record<string, Call>
const at = Number(process.env['DIE_AT'])
let step = 0

function stepped(call: Call): Call {
  return async (...parameters) => {
    await dieAt()
    const result = await call(...parameters)
    return isHandle(result) ? handle(result) : result
  }
}

async function dieAt(): Promise<void> {
  step += 1
  if (step !== at) return
  process.kill(process.pid, 'SIGKILL')
  await new Promise(() => {})
}

type Handle = Record<'writeFile' | 'readFile' | 'sync' | 'close', Call>
const isHandle = (value: unknown): value is Handle => typeof value === 'object' && value !== null && 'writeFile' in value

function handle(real: Handle): Handle {
  return {
    async writeFile(text) {
      const half = String(text).slice(0, String(text).length / 2)
      if (process.env['DIE_HALFWAY'] !== undefined && step + 1 === at) await real.writeFile(half)
      return stepped(real.writeFile.bind(real))(text)
    },
    readFile: stepped(real.readFile.bind(real)),
    sync: stepped(real.sync.bind(real)),
    close: stepped(real.close.bind(real)),
  }
}

export const { chmod, lstat, mkdir, mkdtemp, open, readdir, rename, rm } = Object.fromEntries(
  ['chmod', 'lstat', 'mkdir', 'mkdtemp', 'open', 'readdir', 'rename', 'rm'].map((name) => [name, stepped(real[name] ?? (async () => {}))]),
) as Record<'chmod' | 'lstat' | 'mkdir' | 'mkdtemp' | 'open' | 'readdir' | 'rename' | 'rm', Call>
