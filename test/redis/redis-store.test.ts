import { randomBytes } from 'node:crypto'
import { inspect } from 'node:util'
import { Cluster, Redis } from 'ioredis'
import { createClient, createClientPool, createCluster } from 'redis'
import { describe, expect, test } from 'vitest'
import { OAuthError } from '../../src/core/errors.js'
import type { Store } from '../../src/core/ports.js'
import { redisStore } from '../../src/redis/index.js'
import type { RedisClient } from '../../src/redis/index.js'
import { redisStoreBy } from '../../src/redis/redis-store.js'
import { manualClock } from '../../src/testing/manual-clock.js'

// What a store says to its client, and what it makes of the answers. Real servers answer in test/fleet.

const encryptionKey = randomBytes(32).toString('base64')
const marker = 'marker-of-a-token'
const next = (version: string) => ({ version, value: marker })

/** A client by the spelling of its methods, which notes what it was asked. */
function client(spelling: 'hmGet' | 'hmget', answers: { readonly fields?: unknown; readonly run?: unknown } = {}) {
  const asked: unknown[][] = []
  const made = {
    [spelling]: async (...parameters: unknown[]) => {
      asked.push(parameters)
      return 'fields' in answers ? answers.fields : [null, null, null]
    },
    eval: async (...parameters: unknown[]) => {
      asked.push(parameters)
      return 'run' in answers ? answers.run : 1
    },
  }
  return { made: made as unknown as RedisClient, asked }
}

test('node-redis is asked in its way', async () => {
  const { made, asked } = client('hmGet')
  const store = redisStore(made, { encryptionKey })
  await store.get('key')
  await store.replace('key', 'seen', next('next'))
  await store.replace('key', 'seen', undefined)
  const script = expect.stringContaining('KEYS[1]') as string
  const sealed = expect.stringMatching(/^v1\./) as string
  expect(asked).toEqual([
    ['valetkey:key', ['version', 'value', 'expiresAt']],
    [script, { keys: ['valetkey:key'], arguments: ['valetkey:changed:key', '=seen', 'next', sealed, ''] }],
    [script, { keys: ['valetkey:key'], arguments: ['valetkey:changed:key', '=seen'] }],
  ])
})

test('ioredis is asked in its way', async () => {
  const { made, asked } = client('hmget')
  const store = redisStore(made, { encryptionKey, prefix: 'mine:' })
  await store.get('key')
  await store.replace('key', undefined, { ...next('next'), expiresAt: 4_102_444_800_123.4 })
  await store.replace('key', 'seen', undefined)
  const script = expect.stringContaining('KEYS[1]') as string
  const sealed = expect.stringMatching(/^v1\./) as string
  expect(asked).toEqual([
    ['mine:key', 'version', 'value', 'expiresAt'],
    [script, 1, 'mine:key', 'mine:changed:key', '', 'next', sealed, '4102444800124'],
    [script, 1, 'mine:key', 'mine:changed:key', '=seen'],
  ])
})

test('the clients there are fit by their types and shapes, and making a store asks them nothing', () => {
  const lazy = { lazyConnect: true }
  const [one, two] = [createClient(), new Redis(lazy)]
  for (const subscriber of [one, two]) expect(Object.keys(redisStore(one, { encryptionKey, subscriber }))).toContain('watch')
  redisStore(createClientPool(), { encryptionKey })
  redisStore(createCluster({ rootNodes: [{}] }), { encryptionKey })
  redisStore(new Cluster([], lazy), { encryptionKey, subscriber: new Cluster([], lazy) })
  redisStore(two, { encryptionKey })
  expect(one.isOpen).toBe(false)
  expect(two.status).toBe('wait')
})

test('a store without a subscriber cannot be watched', () => {
  expect(redisStore(client('hmGet').made, { encryptionKey })).not.toHaveProperty('watch')
})

test.for<{ name: string; client?: unknown; options?: Record<string, unknown>; says: string }>([
  { name: 'no client', client: undefined, says: 'client' },
  { name: 'an object that is none', client: { eval: () => {} }, says: 'client' },
  { name: 'a subscriber that is none', options: { subscriber: { subscribe: () => {} } }, says: 'subscriber' },
  { name: 'an empty prefix', options: { prefix: '' }, says: 'prefix' },
  { name: 'an option that is none', options: { table: 'x' }, says: 'table' },
  { name: 'no key', options: { encryptionKey: undefined }, says: 'encryptionKey' },
  { name: 'a passphrase', options: { encryptionKey: 'correct horse' }, says: 'encryptionKey' },
])('$name is invalid_configuration', ({ options, says, ...given }) => {
  const made = 'client' in given ? given.client : client('hmGet').made
  expect(() => redisStore(made as RedisClient, { encryptionKey, ...options } as never)).toThrow(
    expect.objectContaining({ code: 'invalid_configuration', message: expect.stringContaining(`\`${says}\``) as string }),
  )
})

test.for([
  { name: 'text', of: (text: string) => text, one: 1 },
  { name: 'bytes, and numbers as text', of: (text: string) => Buffer.from(text), one: '1' },
  { name: 'numbers without bound', of: (text: string) => text, one: 1n },
])('answers that are $name are read alike', async ({ of, one }) => {
  const written = client('hmGet', { run: one })
  expect(await redisStore(written.made, { encryptionKey }).replace('key', undefined, next('é 1'))).toBe(true)
  const [, , , value] = (written.asked[0] as [string, { arguments: string[] }])[1].arguments
  const { made } = client('hmGet', { fields: [of('é 1'), of(value ?? ''), of('4102444800123')] })
  expect(await redisStore(made, { encryptionKey }).get('key')).toEqual({ version: 'é 1', value: marker, expiresAt: 4_102_444_800_123 })
})

test.for([
  ['none', undefined, ''],
  ['not a number', Number.NaN, ''],
  ['in the past', -5, '0'],
  ['a part of a millisecond', 0.5, '1'],
  ['for ever', Infinity, '9007199254740991'],
  ['beyond what is counted', Number.MAX_VALUE, '9007199254740991'],
] as const)('an expiry that is %s is one that Redis takes', async ([, expiresAt, sent]) => {
  const { made, asked } = client('hmget')
  await redisStore(made, { encryptionKey }).replace('key', undefined, { ...next('1'), ...(expiresAt === undefined ? {} : { expiresAt }) })
  expect(asked[0]?.at(-1)).toBe(sent)
})

async function failure(promise: Promise<unknown>): Promise<OAuthError> {
  const error: unknown = await promise.catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(OAuthError)
  return error as OAuthError
}

test.for([
  { name: 'a system’s', error: Object.assign(new Error(marker), { code: 'ECONNREFUSED' }), says: 'ECONNREFUSED' },
  { name: 'the server’s', error: new Error(`NOAUTH Authentication required for ${marker}`), says: 'NOAUTH' },
  { name: 'one that begins otherwise', error: new Error(`${marker} NOAUTH`), says: 'client failed' },
  { name: 'one that is no error', error: marker, says: 'client failed' },
])('an error of the client, $name, is store_unavailable, and nothing of its text is seen', async ({ error, says }) => {
  const fails = () => Promise.reject(error as Error)
  const store = redisStore({ eval: fails, hmGet: fails }, { encryptionKey })
  for (const failed of [await failure(store.get('key')), await failure(store.replace('key', undefined, next('1')))]) {
    expect(failed).toMatchObject({ code: 'store_unavailable', message: expect.stringContaining(says) as string })
    expect(inspect(failed, { showHidden: true, depth: 9 })).not.toContain(marker)
  }
})

test('a client that throws at once is store_unavailable too', async () => {
  const throws = (): never => {
    throw new Error(marker)
  }
  const store = redisStore({ eval: throws, hmget: throws }, { encryptionKey })
  expect((await failure(store.get('key'))).code).toBe('store_unavailable')
})

test.for(['QUEUED', undefined, null, {}])('an answer that is none, %j, is store_unavailable', async (answer) => {
  const store = redisStore(client('hmGet', { fields: answer, run: answer }).made, { encryptionKey })
  expect((await failure(store.get('key'))).code).toBe('store_unavailable')
  expect((await failure(store.replace('key', undefined, next('1')))).code).toBe('store_unavailable')
})

test.for<{ name: string; begin: (store: Store) => Promise<unknown> }>([
  { name: 'get', begin: (store) => store.get('key') },
  { name: 'replace', begin: (store) => store.replace('key', undefined, next('1')) },
])(
  '$name of a client that never answers is store_unavailable after 5 seconds, and what it says later changes nothing',
  async ({ begin }) => {
    const clock = manualClock()
    let [asked, settled, late] = [false, false, (_: Error): void => {}]
    const hangs = () => {
      asked = true
      return new Promise<never>((_, reject) => (late = reject))
    }
    const operation = failure(begin(redisStoreBy({ eval: hangs, hmGet: hangs }, { encryptionKey }, clock))).finally(() => (settled = true))
    await expect.poll(() => asked).toBe(true)
    await clock.advance(4_999)
    expect(settled).toBe(false)
    await clock.advance(1)
    expect(await operation).toMatchObject({ code: 'store_unavailable', message: expect.stringContaining('in time') as string })
    late(new Error(marker))
  },
)

describe('watching', () => {
  /** A subscriber by the spelling of its methods. */
  function subscriber(spelling: 'pSubscribe' | 'psubscribe') {
    const said: string[] = []
    const listeners = new Map<string, () => void>()
    let listener = (_: string): void => {}
    const note = (what: string) => async (channel: string, listen?: () => void) => {
      said.push(`${what} ${channel}`)
      if (what === 'subscribe' && listen !== undefined) listeners.set(channel, listen)
    }
    const made = {
      subscribe: note('subscribe'),
      unsubscribe: note('unsubscribe'),
      [spelling]: note('pattern'),
      on: (_: string, listen: (channel: string) => void) => {
        listener = listen
      },
    }
    const publish = (channel: string) => (spelling === 'pSubscribe' ? listeners.get(channel)?.() : listener(channel))
    return { made: made as never, said, publish }
  }

  test.for(['pSubscribe', 'psubscribe'] as const)(
    'by the shape with %s: one channel a key, shared by stores, left when nobody watches',
    async (spelling) => {
      const { made, said, publish } = subscriber(spelling)
      const make = () => redisStore(client('hmGet').made, { encryptionKey, subscriber: made })
      const told = [0, 0]
      const stops = [make(), make()].map((store, index) => store.watch?.('key', () => (told[index] = (told[index] ?? 0) + 1)))
      await expect.poll(() => told).toEqual([1, 1]) // the hint that it listens
      expect(said).toEqual(['subscribe valetkey:changed:key'])
      publish('valetkey:changed:key')
      publish('valetkey:changed:other')
      await expect.poll(() => told).toEqual([2, 2])
      stops[0]?.()
      stops[0]?.()
      publish('valetkey:changed:key')
      await expect.poll(() => told).toEqual([2, 3])
      stops[1]?.()
      await expect.poll(() => said).toEqual(['subscribe valetkey:changed:key', 'unsubscribe valetkey:changed:key'])
    },
  )

  test('who watches again while the channel is being left is heard', async () => {
    const order: string[] = []
    let leave = (): void => {}
    const made = {
      pSubscribe: async () => {},
      subscribe: async () => void order.push('subscribe'),
      unsubscribe: () => {
        order.push('unsubscribe')
        return new Promise<void>((resolve) => (leave = resolve))
      },
    }
    const store = redisStore(client('hmGet').made, { encryptionKey, subscriber: made })
    let stop: (() => void) | undefined
    await new Promise<void>((resolve) => (stop = store.watch?.('key', resolve)))
    stop?.()
    await expect.poll(() => order).toEqual(['subscribe', 'unsubscribe'])
    const told = new Promise<void>((resolve) => store.watch?.('key', resolve))
    leave()
    await told
    expect(order).toEqual(['subscribe', 'unsubscribe', 'subscribe'])
  })

  test('a subscriber that fails is asked again by the next who watches', async () => {
    let [asked, fails] = [0, true]
    const made = {
      pSubscribe: async () => {},
      unsubscribe: async () => {},
      subscribe: async () => {
        asked += 1
        if (fails) throw new Error(marker)
      },
    }
    const store = redisStore(client('hmGet').made, { encryptionKey, subscriber: made })
    store.watch?.('key', () => {})
    await expect.poll(() => asked).toBe(1)
    fails = false
    await new Promise<void>((resolve) => store.watch?.('key', resolve))
    expect(asked).toBe(2)
  })
})
