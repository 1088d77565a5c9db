// valetkey/redis: tokens of a fleet in Redis or Valkey.

export { redisStore } from './redis-store.js'
export type { RedisClient } from './commands.js'
export type { RedisSubscriber } from './changes.js'
