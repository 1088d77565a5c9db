import { expect, test, vi } from 'vitest'
import { memoryStore } from '../../src/stores/memory.js'
import { storeContract } from '../../src/testing/store-contract.js'

for (const { name, run } of storeContract(async () => memoryStore())) test(`memory: ${name}`, run)

test('two memory stores share nothing', async () => {
  const [one, other] = [memoryStore(), memoryStore()]
  await one.replace('key', undefined, { version: '1', value: 'one' })
  expect(await other.get('key')).toBeUndefined()
})

test('what has passed its expiresAt is missing, for reading and for writing', async () => {
  const now = vi.spyOn(Date, 'now').mockReturnValue(1_000)
  try {
    const store = memoryStore()
    await store.replace('key', undefined, { version: '1', value: 'one', expiresAt: 2_000 })
    expect((await store.get('key'))?.value).toBe('one')
    now.mockReturnValue(2_000)
    expect(await store.replace('key', '1', { version: '2', value: 'two' })).toBe(false)
    expect(await store.get('key')).toBeUndefined()
    expect(await store.replace('key', undefined, { version: '3', value: 'three' })).toBe(true)
  } finally {
    now.mockRestore()
  }
})

test('keys that expired and are never asked for again do not pile up', async () => {
  const now = vi.spyOn(Date, 'now').mockReturnValue(1_000)
  const sizes: number[] = []
  const set = vi.spyOn(Map.prototype, 'set').mockImplementation(function (this: Map<unknown, unknown>, key: unknown, value: unknown) {
    set.getMockImplementation()
    const result = original.call(this, key, value) as Map<unknown, unknown>
    sizes.push(this.size)
    return result
  })
  try {
    const store = memoryStore()
    for (let index = 0; index < 1_000; index += 1) {
      now.mockReturnValue(1_000 + index)
      await store.replace(`key ${index}`, undefined, { version: '1', value: '', expiresAt: 1_001 + index })
    }
  } finally {
    now.mockRestore()
    set.mockRestore()
  }
  expect(Math.max(...sizes)).toBeLessThanOrEqual(64)
})
const original = Map.prototype.set

test('a watcher that throws fails no write and silences no other watcher', async () => {
  const store = memoryStore()
  const uncaught = new Promise((resolve) => process.once('uncaughtException', resolve))
  const mistake = new Error('of the watcher')
  store.watch?.('key', () => {
    throw mistake
  })
  const told = new Promise<void>((resolve) => store.watch?.('key', resolve))
  expect(await store.replace('key', undefined, { version: '1', value: 'one' })).toBe(true)
  await told
  expect(await uncaught).toBe(mistake)
})

test('a record it gives has no prototype, so that a polluted `then` is never called with it', async () => {
  const store = memoryStore()
  await store.replace('key', undefined, { version: '1', value: 'one' })
  const called = vi.fn()
  Object.defineProperty(Object.prototype, 'then', { configurable: true, get: called })
  try {
    await store.get('key')
  } finally {
    delete (Object.prototype as { then?: unknown }).then
  }
  expect(called).not.toHaveBeenCalled()
})
