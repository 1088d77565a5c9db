import { mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { afterAll } from 'vitest'

let made: Promise<string> | undefined
afterAll(async () => {
  if (made !== undefined) await rm(dirname(await made), { recursive: true, force: true })
})

/** The worker program as one file that node runs, made once for a file of tests. */
export function workerProgram(): Promise<string> {
  made ??= bundle()
  return made
}

async function bundle(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'valetkey-worker-'))
  const outfile = join(folder, 'worker.mjs')
  // A program does not bundle its drivers.
  await symlink(fileURLToPath(new URL('../../../node_modules', import.meta.url)), join(folder, 'node_modules'), 'dir')
  await build({
    entryPoints: [fileURLToPath(new URL('../programs/worker.ts', import.meta.url))],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    external: ['redis', 'ioredis', 'pg', 'postgres', '@napi-rs/keyring'],
    logLevel: 'silent',
  })
  return outfile
}
