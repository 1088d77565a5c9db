import { ownMembers, text } from '../core/option.js'
import type { Clock, Store, Versioned } from '../core/ports.js'
import { type Backend, answerOf, codeOf, unexpectedAnswer } from '../stores/backend.js'
import { type EncryptionKey, sealed } from '../stores/sealed.js'
import { expiryOf, versioned } from '../stores/versioned.js'
import { systemClock } from '../system-clock.js'
import { type RedisSubscriber, changesOf } from './changes.js'
import { type RedisClient, commandsOf } from './commands.js'

/** @inline */
export interface RedisStoreOptions {
  /** 32 random bytes in base64 or base64url; several by id, the first seals and all open; or a function (a KMS). */
  readonly encryptionKey: EncryptionKey
  /** What the keys and channels in Redis begin with. Default `valetkey:`. */
  readonly prefix?: string
  /** A second connection of yours, for `watch`. Without it the store cannot be watched. */
  readonly subscriber?: RedisSubscriber
}

/**
 * A store in Redis or Valkey, shared by all processes that are given it: one hash for each record, read by HMGET and written by one script
 * that compares and sets. Each touches one key, so it works on a cluster. Values are sealed as by `sealed`; key, version and expiry are in clear.
 * What has expired is gone by the server's own clock (PEXPIREAT). Give it a server that evicts nothing (`maxmemory-policy noeviction`): an
 * evicted refresh token is a user signed out.
 *
 * The client is used as it is: connected, configured and closed by you. Where it fails, or does not answer for 5 seconds, an operation rejects
 * with `store_unavailable`; what was to be written may then have been written. Throws `invalid_configuration` for an option or client that is none.
 *
 * @param client node-redis (4 or later), ioredis or iovalkey; a client, a pool or a cluster
 *
 * @example
 * declare const redis: import('valetkey/redis').RedisClient // createClient(…) of redis, or new Redis(…) of ioredis
 * const store = redisStore(redis, { encryptionKey: process.env['STORE_KEY']! }) // openssl rand -base64 32
 */
export function redisStore(client: RedisClient, options: RedisStoreOptions): Store {
  return redisStoreBy(client, options, systemClock)
}

/** `redisStore`, by a clock that a test can move. */
export function redisStoreBy(client: RedisClient, options: RedisStoreOptions, clock: Clock): Store {
  const members = ownMembers(options, ['encryptionKey', 'prefix', 'subscriber'], 'redisStore')
  const prefix = text(members, 'prefix') ?? 'valetkey:'
  const subscriber = members['subscriber'] as RedisSubscriber | undefined
  const commands = commandsOf(client)
  const changes = subscriber === undefined ? undefined : changesOf(subscriber)
  const channelOf = (key: string) => `${prefix}changed:${key}`

  const store: Store = {
    async get(key) {
      const answer = await answerOf(redis, clock, () => commands.fields(prefix + key, fields))
      if (!Array.isArray(answer)) throw unexpectedAnswer(redis)
      const [version, value, expiresAt] = answer.map(textOf)
      if (version === undefined) return undefined
      return versioned(version, value ?? '', expiresAt === undefined || expiresAt === '' ? undefined : Number(expiresAt))
    },
    async replace(key, seen, next) {
      const written = next === undefined ? [] : [next.version, next.value, wholeExpiry(next)]
      const parameters = [channelOf(key), seen === undefined ? '' : `=${seen}`, ...written]
      const answer = await answerOf(redis, clock, () => commands.run(compareAndSet, prefix + key, parameters))
      // A number, unless the program told its client to make texts of numbers.
      const done = String(answer)
      if (done !== '1' && done !== '0') throw unexpectedAnswer(redis)
      return done === '1'
    },
    ...(changes === undefined ? {} : { watch: (key, changed) => changes.watch(channelOf(key), changed) }),
  }
  return sealed(store, { encryptionKey: members['encryptionKey'] as EncryptionKey })
}

/** What a record's hash holds. */
const fields = ['version', 'value', 'expiresAt']

/**
 * ARGV: the channel; '' or '=' and the version that was seen; then, unless it is a deletion, the new version, value and expiry.
 * A client that lost its connection may send it twice: the second finds its own version, and says what the first did. The first write is the one
 * that a full server refuses, so nothing is left half done. Nobody's right to publish, or want of it, undoes a write.
 */
const compareAndSet = `
local version = redis.call('HGET', KEYS[1], 'version')
local held = version and '=' .. version or ''
if held ~= ARGV[2] then
  return ARGV[3] and held == '=' .. ARGV[3] and 1 or 0
end
if ARGV[3] then
  redis.call('HSET', KEYS[1], 'version', ARGV[3], 'value', ARGV[4], 'expiresAt', ARGV[5])
  if ARGV[5] == '' then
    redis.call('PERSIST', KEYS[1])
  else
    redis.call('PEXPIREAT', KEYS[1], ARGV[5])
  end
else
  redis.call('DEL', KEYS[1])
end
redis.pcall('PUBLISH', ARGV[1], '')
return 1
`

const redis: Backend = {
  name: 'Redis',
  reason(error) {
    // The first word of an error that the server sends is its kind (OOM, READONLY, NOAUTH …); the rest may repeat what it was sent.
    const kind = error instanceof Error ? /^[A-Z]{2,20}(?= )/.exec(error.message)?.[0] : undefined
    const code = codeOf(error) ?? kind
    return code === undefined ? undefined : `its client failed with ${code}`
  },
}

/** Redis counts whole milliseconds, and a command that it refuses would leave a write half done. */
function wholeExpiry(next: Versioned): string {
  const expiresAt = expiryOf(next)
  if (expiresAt === undefined || Number.isNaN(expiresAt)) return ''
  return String(Math.max(0, Math.min(Math.ceil(expiresAt), Number.MAX_SAFE_INTEGER)))
}

/** A client may be told to answer with bytes. */
function textOf(reply: unknown): string | undefined {
  if (typeof reply === 'string') return reply
  return reply instanceof Uint8Array ? new TextDecoder('utf-8', { ignoreBOM: true }).decode(reply) : undefined
}
