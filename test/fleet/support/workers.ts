import { type ChildProcess, fork } from 'node:child_process'
import { freemem, totalmem } from 'node:os'
import { onTestFinished } from 'vitest'
import type { Answer, Counts, Orders } from '../programs/orders.js'
import { workerProgram } from './bundle.js'

export interface Ended {
  readonly code: number | null
  readonly signal: string | null
}

/** A process of a fleet, and how it ends: at the latest with the test. */
export type Worker = Orders & { readonly process: ChildProcess; readonly ended: Promise<Ended>; kill(): void }

export async function startWorker(): Promise<Worker> {
  const child = fork(await workerProgram(), [], { execArgv: [], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  const waiting = new Map<number, { readonly resolve: (result: unknown) => void; readonly reject: (error: Error) => void }>()
  let last = 0
  child.on('message', (message) => {
    const answer = message as Answer
    const one = waiting.get(answer.id)
    waiting.delete(answer.id)
    if ('failed' in answer) one?.reject(new Error(answer.failed))
    else one?.resolve(answer.result)
  })
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, signal) => {
      for (const one of waiting.values()) one.reject(new Error(`the process ended with ${code ?? signal}`))
      resolve({ code, signal })
    })
  })
  const told =
    (name: string) =>
    (...parameters: readonly unknown[]) =>
      new Promise((resolve, reject) => {
        const id = (last += 1)
        waiting.set(id, { resolve, reject })
        child.send({ id, name, parameters }, (error) => error !== null && reject(error))
      })
  const own = { process: child, ended, kill: () => void child.kill('SIGKILL') }
  return new Proxy(own, {
    get: (target, name) => (name in target ? target[name as keyof typeof own] : name === 'then' ? undefined : told(String(name))),
  }) as Worker
}

/** Several at a time: each start costs a processor a tenth of a second. */
export async function startWorkers(count: number): Promise<readonly Worker[]> {
  const need = count * 64 * 1024 ** 2
  if (count > 16 && freemem() < need) {
    const gigabytes = (bytes: number) => (bytes / 1024 ** 3).toFixed(1)
    throw new Error(
      `${count} processes want about ${gigabytes(need)} GB of memory, and of the ${gigabytes(totalmem())} GB here ${gigabytes(freemem())} are free.`,
    )
  }
  return inGroups(
    Array.from({ length: count }, () => startWorker),
    (start) => start(),
  )
}

/** All of them, eight at a time. */
export async function inGroups<T, R>(all: readonly T[], run: (one: T) => Promise<R>, size = 8): Promise<readonly R[]> {
  const results: R[] = []
  for (let index = 0; index < all.length; index += size) results.push(...(await Promise.all(all.slice(index, index + size).map(run))))
  return results
}

/** Closes them and waits for their ends; one that does not end by itself within half a minute is killed, which its signal tells. */
export async function endsOf(workers: readonly Worker[]): Promise<readonly Ended[]> {
  await Promise.all(workers.map((worker) => worker.close()))
  const late = setTimeout(() => workers.forEach((worker) => worker.kill()), 30_000)
  const ends = await Promise.all(workers.map(({ ended }) => ended))
  clearTimeout(late)
  return ends
}

export function sum(all: readonly Counts[], of: (one: Counts) => Readonly<Record<string, number>>): Record<string, number> {
  const total: Record<string, number> = {}
  for (const one of all) for (const [name, count] of Object.entries(of(one))) total[name] = (total[name] ?? 0) + count
  return total
}

/** A line for whoever waits. */
export function progress(text: string): void {
  process.stderr.write(`… ${text}\n`)
}
