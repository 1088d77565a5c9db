import { rmSync } from 'node:fs'
import { mkdtemp, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

let made: Promise<string> | undefined

/** The worker program as one file that node runs, made once. */
export function workerProgram(): Promise<string> {
  made ??= bundle()
  return made
}

async function bundle(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'valetkey-worker-'))
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
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
