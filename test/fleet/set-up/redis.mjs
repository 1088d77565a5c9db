// @ts-check
import { spawnSync } from 'node:child_process'
import { findProgram, freePort, startServer, temporaryFolder } from './servers.mjs'

/**
 * A Redis of the test's own.
 * @param {{ appendOnly?: boolean, cluster?: boolean, settings?: readonly string[] }} [options] `appendOnly`: it syncs what it was told each second;
 * without it, only what a SAVE wrote is there after a restart. `cluster`: one node with all slots.
 * @returns {Promise<import('./servers.mjs').Server & { url: string, port: number, cli(...parameters: readonly string[]): string }>}
 */
export async function startRedis({ appendOnly = false, cluster = false, settings = [] } = {}) {
  const command = await findProgram({ name: 'redis-server', debian: 'redis-server' })
  const redisCli = await findProgram({ name: 'redis-cli', debian: 'redis-server' })
  const [port, folder] = [await freePort(), temporaryFolder('redis')]
  const parameters = ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--maxmemory-policy', 'noeviction']
  if (appendOnly) parameters.push('--appendonly', 'yes', '--appendfsync', 'everysec')
  if (cluster) parameters.push('--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1')
  const server = await startServer({ command, parameters: [...parameters, ...settings], ready: /Ready to accept connections/, folder })
  /** Says a command and gives its answer, as it is. @param {readonly string[]} words */
  const cli = (...words) => spawnSync(redisCli, ['-p', `${port}`, ...words], { encoding: 'utf8' }).stdout.trim()
  if (cluster) {
    cli('cluster', 'addslotsrange', '0', '16383')
    while (!cli('cluster', 'info').includes('cluster_state:ok'));
  }
  return { ...server, port, url: `redis://127.0.0.1:${port}`, cli }
}
