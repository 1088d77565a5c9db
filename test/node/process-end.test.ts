import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { bundle } from './programs/bundle.js'

// A process ends by itself when its work is done, and not before.

const run = promisify(execFile)
let folder = ''
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'process-'))))
afterAll(() => rm(folder, { recursive: true, force: true }))

test('A23 a tool that waits for its user stays alive, and ends by itself when the answer has come', async () => {
  const program = await bundle('sign-in', folder)
  // Without a screen there is no browser to open, whatever machine this is.
  const child = spawn(process.execPath, [program], { env: { SSH_TTY: '/dev/none' }, stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(child, 'close')
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  const redirectUri = new URL((await lines.next()).value as string).searchParams.get('redirect_uri') ?? ''
  expect((await fetch(`${redirectUri}?state=another`)).status).toBe(400)
  expect((await fetch(`${redirectUri}?code=a-code&state=s`)).status).toBe(200)
  expect((await lines.next()).value).toBe('a-code')
  expect(await ended).toEqual([0, null])
})

test('a code that is counted down keeps no process alive', async () => {
  const program = await bundle('wait-for-code', folder)
  expect((await run(process.execPath, [program])).stderr).toContain('WDJB MJHT')
  // On a terminal of its own, where there is a program that makes one.
  if (process.platform === 'linux') {
    const { stdout } = await run('script', ['-qec', `'${process.execPath}' '${program}'`, '/dev/null']).catch(
      (error: { code?: string }) => {
        if (error.code === 'ENOENT') return { stdout: ' left' }
        throw error
      },
    )
    expect(stdout).toContain(' left')
  }
})
