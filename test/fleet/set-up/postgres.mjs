// @ts-check
import { execFileSync } from 'node:child_process'
import { chownSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findProgram, freePort, startServer, temporaryFolder, unprivileged } from './servers.mjs'

/**
 * A PostgreSQL of the test's own, that syncs what it commits. Its user and database are `valetkey`, without a password.
 * @param {{ settings?: Readonly<Record<string, string>> }} [options]
 * @returns {Promise<import('./servers.mjs').Server & { url: string, port: number }>}
 */
export async function startPostgres({ settings = {} } = {}) {
  const [command, initdb] = [
    await findProgram({ name: 'postgres', debian: 'postgresql' }),
    await findProgram({ name: 'initdb', debian: 'postgresql' }),
  ]
  const user = unprivileged()
  const [port, folder] = [await freePort(), temporaryFolder('postgres', user)]
  const data = join(folder, 'data')
  execFileSync(initdb, ['-D', data, '--username=valetkey', '--auth=trust', '--encoding=UTF8', '--no-locale', '--no-sync'], {
    ...user,
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const all = {
    listen_addresses: '127.0.0.1',
    port: `${port}`,
    unix_socket_directories: '',
    max_connections: '200',
    fsync: 'on',
    ...settings,
  }
  const parameters = ['-D', data, ...Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])]
  const ready = /database system is ready to accept connections/
  // An interrupt is its fast, orderly end.
  const server = await startServer({ command, parameters, ready, folder, user, stopSignal: 'SIGINT' })
  return { ...server, port, url: `postgres://valetkey@127.0.0.1:${port}/postgres` }
}

/**
 * PgBouncer before a PostgreSQL: each transaction gets whichever connection is free, of two.
 * @param {{ port: number }} postgres
 * @returns {Promise<import('./servers.mjs').Server & { url: string, port: number }>}
 */
export async function startPooler(postgres) {
  const command = await findProgram({ name: 'pgbouncer', debian: 'pgbouncer' })
  const user = unprivileged()
  const [port, folder] = [await freePort(), temporaryFolder('pgbouncer', user)]
  const file = join(folder, 'pgbouncer.ini')
  const lines = {
    listen_addr: '127.0.0.1',
    listen_port: port,
    unix_socket_dir: '',
    auth_type: 'any',
    pool_mode: 'transaction',
    default_pool_size: 2,
    max_client_conn: 200,
    // What a driver says on connecting and this PgBouncer cannot pass on.
    ignore_startup_parameters: 'extra_float_digits,search_path',
  }
  const text = Object.entries(lines).map(([name, value]) => `${name} = ${value}`)
  const database = `postgres = host=127.0.0.1 port=${postgres.port} dbname=postgres user=valetkey`
  writeFileSync(file, ['[databases]', database, '[pgbouncer]', ...text, ''].join('\n'))
  if (user !== undefined) chownSync(file, user.uid, user.gid)
  const server = await startServer({ command, parameters: [file], ready: /process up/, folder, user, stopSignal: 'SIGINT' })
  return { ...server, port, url: `postgres://valetkey@127.0.0.1:${port}/postgres` }
}
