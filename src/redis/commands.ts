import { wrongOption } from '../core/option.js'
import { hasMethods } from '../stores/backend.js'

/** @inline */
type Method = (...parameters: never[]) => Promise<unknown>

/** node-redis (4 or later), ioredis or iovalkey, by shape: a client, a pool or a cluster. */
export type RedisClient = { eval: Method } & ({ hmGet: Method } | { hmget: Method })

/** The two commands that the store sends, however the client wants them. */
export interface Commands {
  /** HMGET */
  fields(key: string, names: readonly string[]): Promise<unknown>
  /** EVAL over one key. The script goes along each time: one known by its digest alone would be unknown to a server that has restarted. */
  run(script: string, key: string, parameters: readonly string[]): Promise<unknown>
}

interface NodeRedis {
  hmGet(key: string, names: string[]): Promise<unknown>
  eval(script: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>
}

interface IoRedis {
  hmget(key: string, ...names: string[]): Promise<unknown>
  eval(script: string, keys: number, ...keysAndParameters: string[]): Promise<unknown>
}

/** The clients spell the same command differently, and that tells them apart. */
export function commandsOf(client: unknown): Commands {
  if (hasMethods(client, 'eval', 'hmGet')) {
    const redis = client as NodeRedis
    return {
      fields: (key, names) => redis.hmGet(key, [...names]),
      run: (script, key, parameters) => redis.eval(script, { keys: [key], arguments: [...parameters] }),
    }
  }
  if (hasMethods(client, 'eval', 'hmget')) {
    const redis = client as IoRedis
    return {
      fields: (key, names) => redis.hmget(key, ...names),
      run: (script, key, parameters) => redis.eval(script, 1, key, ...parameters),
    }
  }
  throw wrongOption('client', 'of redisStore must be a client of node-redis (4 or later), ioredis or iovalkey.')
}
