import { wrongOption } from '../core/option.js'
import { hasMethods } from '../stores/backend.js'
import { watchers } from '../stores/watchers.js'

/** @inline */
type Method = (...parameters: never[]) => Promise<unknown>

/** A second connection of node-redis (4 or later), ioredis or iovalkey, by shape. */
export type RedisSubscriber = { subscribe: Method; unsubscribe: Method } & (
  | { pSubscribe: Method }
  | { psubscribe: Method; on(...parameters: never[]): unknown }
)

/** Says that something was published. What, nobody needs to know. */
export interface Changes {
  watch(channel: string, changed: () => void): () => void
}

interface Channels {
  subscribe(channel: string): Promise<unknown>
  unsubscribe(channel: string): Promise<unknown>
}

interface NodeRedis {
  subscribe(channel: string, listener: () => void): Promise<unknown>
  unsubscribe(channel: string, listener: () => void): Promise<unknown>
}

interface IoRedis extends Channels {
  on(event: 'message', listener: (channel: string) => void): unknown
}

const known = new WeakMap<object, Changes>()

/** One for each connection, however many stores are made over it: who stops watching takes nothing from the others. */
export function changesOf(subscriber: RedisSubscriber): Changes {
  const before = known.get(subscriber)
  if (before !== undefined) return before
  const made = changes(subscriber)
  known.set(subscriber, made)
  return made
}

function changes(subscriber: RedisSubscriber): Changes {
  const watching = watchers()
  const channels = channelsOf(subscriber, watching.tell)
  const subscribed = new Set<string>()
  let last: Promise<unknown> = Promise.resolve()

  async function settle(channel: string): Promise<void> {
    if (watching.has(channel) === subscribed.has(channel)) return
    if (subscribed.has(channel)) {
      await channels.unsubscribe(channel)
      subscribed.delete(channel)
    } else {
      await channels.subscribe(channel)
      subscribed.add(channel)
      // What was published until now was not heard.
      watching.tell(channel)
    }
  }

  /** In turns: a client that is asked to subscribe while it unsubscribes may end as either. A failure costs hints, until somebody watches anew. */
  function later(channel: string): void {
    last = last.then(() => settle(channel)).catch(() => {})
  }

  return {
    watch(channel, changed) {
      const stop = watching.add(channel, changed)
      later(channel)
      return () => {
        stop()
        later(channel)
      }
    },
  }
}

function channelsOf(subscriber: unknown, tell: (channel: string) => void): Channels {
  if (hasMethods(subscriber, 'subscribe', 'unsubscribe', 'pSubscribe')) {
    const redis = subscriber as NodeRedis
    const listeners = new Map<string, () => void>()
    return {
      subscribe(channel) {
        const listener = listeners.get(channel) ?? (() => tell(channel))
        listeners.set(channel, listener)
        return redis.subscribe(channel, listener)
      },
      async unsubscribe(channel) {
        const listener = listeners.get(channel)
        if (listener !== undefined) await redis.unsubscribe(channel, listener)
        listeners.delete(channel)
      },
    }
  }
  if (hasMethods(subscriber, 'subscribe', 'unsubscribe', 'psubscribe', 'on')) {
    const redis = subscriber as IoRedis
    redis.on('message', tell)
    return { subscribe: (channel) => redis.subscribe(channel), unsubscribe: (channel) => redis.unsubscribe(channel) }
  }
  throw wrongOption('subscriber', 'of redisStore must be a second connection of node-redis (4 or later), ioredis or iovalkey.')
}
