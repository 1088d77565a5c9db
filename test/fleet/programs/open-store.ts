import { join } from 'node:path'
import type { Store } from '../../../src/core/ports.js'
import { fileStore } from '../../../src/node/file-store.js'
import { postgresStore } from '../../../src/postgres/index.js'
import { redisStore } from '../../../src/redis/index.js'
import type { StoreOrder } from './orders.js'

/** The store of one process, as a program opens and closes it. */
export interface OpenStore {
  /** On a file each account has one of its own. */
  of(account: string): Promise<Store>
  close(): Promise<unknown>
}

export async function openStore({ kind, at, encryptionKey, watched = false }: StoreOrder): Promise<OpenStore> {
  if (kind === 'file') return { of: (account) => fileStore(join(at, account), { encryptionKey }), close: async () => {} }
  const { store, close } = await connected[kind](at, encryptionKey, watched)
  return { of: async () => store, close }
}

type Connected = { readonly store: Store; readonly close: () => Promise<unknown> }
/** While a server is away, clients say so again and again; what the store makes of it is what counts. */
const quiet = () => {}

const connected = {
  async redis(url: string, encryptionKey: string, watched: boolean): Promise<Connected> {
    const { createClient } = await import('redis')
    const clients = await Promise.all((watched ? [1, 2] : [1]).map(() => createClient({ url }).on('error', quiet).connect()))
    const [client, subscriber] = clients
    if (client === undefined) throw new Error('no client')
    const store = redisStore(client, { encryptionKey, ...(subscriber === undefined ? {} : { subscriber }) })
    return { store, close: () => Promise.all(clients.map((one) => one.close())) }
  },
  async ioredis(url: string, encryptionKey: string, watched: boolean): Promise<Connected> {
    const { Redis } = await import('ioredis')
    const clients = (watched ? [1, 2] : [1]).map(() => new Redis(url).on('error', quiet))
    const [client, subscriber] = clients
    if (client === undefined) throw new Error('no client')
    const store = redisStore(client, { encryptionKey, ...(subscriber === undefined ? {} : { subscriber }) })
    return { store, close: () => Promise.all(clients.map((one) => one.quit())) }
  },
  async pg(connectionString: string, encryptionKey: string, watched: boolean): Promise<Connected> {
    const { Client, Pool } = await import('pg')
    const pool = new Pool({ connectionString, max: 2 }).on('error', quiet)
    const listener = watched ? new Client(connectionString) : undefined
    await listener?.connect()
    const store = postgresStore(pool, { encryptionKey, ...(listener === undefined ? {} : { listener }) })
    return { store, close: () => Promise.all([pool.end(), listener?.end()]) }
  },
  async postgres(url: string, encryptionKey: string, watched: boolean): Promise<Connected> {
    const { default: postgres } = await import('postgres')
    const sql = postgres(url, { max: 2 })
    return { store: postgresStore(sql, { encryptionKey, ...(watched ? { listener: sql } : {}) }), close: () => sql.end() }
  },
}
