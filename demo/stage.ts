import { spawn } from 'node:child_process'
import { once } from 'node:events'

/** What `demo/run.mjs` gives a stage. */
export interface StageParts {
  /** The program that the demo is about, as a file that Node runs. */
  readonly program: string
  readonly parameters: readonly string[]
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal
}

/** Runs a program to its end, in this terminal; its exit code. What it must know and nobody else may see comes in its environment. */
export async function runProgram(
  { program, signal }: Pick<StageParts, 'program' | 'signal'>,
  environment: Readonly<Record<string, string>>,
  parameters: readonly string[] = [],
): Promise<number> {
  const child = spawn(process.execPath, [program, ...parameters], { stdio: 'inherit', env: { ...process.env, ...environment } })
  const stop = () => void child.kill()
  signal.addEventListener('abort', stop)
  if (signal.aborted) stop()
  const [code] = (await once(child, 'exit')) as [number | null]
  signal.removeEventListener('abort', stop)
  // Ended by a signal: as a shell says it of Ctrl-C.
  return code ?? 130
}
