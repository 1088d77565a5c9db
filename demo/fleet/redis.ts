import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'

export interface Redis {
  readonly url: string
  close(): Promise<void>
}

/** Runs what it is given until its input ends: so nothing is left behind, however this process ends. */
const whileInputLasts = 'command -v "$1" > /dev/null || exit 127; "$@" & cat > /dev/null; kill $!; wait'

/** A Redis (or Valkey) on this machine only, which keeps nothing on the disk; `undefined` where none is installed. */
export async function startRedis(): Promise<Redis | undefined> {
  return (await start('redis-server')) ?? (await start('valkey-server'))
}

async function start(command: string): Promise<Redis | undefined> {
  const port = await freePort()
  const settings = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--maxmemory-policy', 'noeviction']
  // In a process group of its own: a terminal's Ctrl-C does not end it before those that use it.
  const child = spawn('/bin/sh', ['-c', whileInputLasts, 'sh', command, ...settings], { stdio: ['pipe', 'pipe', 'ignore'], detached: true })
  const ended = once(child, 'exit')
  const ready = new Promise<true>((resolve) => {
    createInterface(child.stdout).on('line', (line) => void (line.includes('Ready to accept connections') && resolve(true)))
  })
  if ((await Promise.race([ready, ended])) !== true) return undefined
  return {
    url: `redis://127.0.0.1:${port}`,
    async close() {
      child.stdin.end()
      await ended
    },
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { readonly port: number }
  server.close()
  await once(server, 'close')
  return port
}
