import { afterEach, expect, test, vi } from 'vitest'
import { pageLock, webLocks } from '../../src/browser/web-locks.js'

// That they lock, a real browser shows: test/chromium/adapters.test.ts. Node 20 has no Web Locks.

afterEach(() => vi.unstubAllGlobals())

/** What was asked of the browser. */
function locksThat(request: (run: () => Promise<void>) => Promise<void>) {
  const asked: { name: string; options: LockOptions }[] = []
  vi.stubGlobal('navigator', {
    locks: {
      request(name: string, options: LockOptions, run: () => Promise<void>) {
        asked.push({ name, options })
        return request(run)
      },
    },
  })
  return asked
}

test('making one touches nothing; without Web Locks it rejects with not_supported and runs nothing', async () => {
  vi.stubGlobal('navigator', { locks: null })
  const run = vi.fn()
  const lock = webLocks()
  expect(lock.releasedOnlyByDeath).toBe(true)
  await expect(lock('name', run)).rejects.toMatchObject({ code: 'not_supported' })
  vi.stubGlobal('navigator', undefined)
  await expect(lock('name', run)).rejects.toMatchObject({ code: 'not_supported' })
  expect(run).not.toHaveBeenCalled()
})

test('it asks for an exclusive lock, and never to steal one, whatever a prototype says', async () => {
  const asked = locksThat((run) => run())
  Object.assign(Object.prototype, { steal: true, ifAvailable: true, signal: AbortSignal.abort() })
  try {
    await webLocks()('name', async () => {})
  } finally {
    for (const name of ['steal', 'ifAvailable', 'signal']) Reflect.deleteProperty(Object.prototype, name)
  }
  expect(asked.map(({ name }) => name)).toEqual(['valetkey name'])
  expect({ ...asked[0]?.options }).toEqual({ mode: 'exclusive' })
  expect(Object.getPrototypeOf(asked[0]?.options)).toBeNull()
})

test('what runs has its own outcome, though another script steals the lock', async () => {
  let finish = () => {}
  locksThat(async (run) => {
    void run()
    throw new DOMException('The lock was stolen.', 'AbortError')
  })
  const running = webLocks()('name', () => new Promise<string>((resolve) => (finish = () => resolve('outcome'))))
  await new Promise((resolve) => setImmediate(resolve))
  finish()
  expect(await running).toBe('outcome')
})

test('a page that may not lock is not_supported, without the browser’s own error', async () => {
  locksThat(() => Promise.reject(new DOMException('not active', 'InvalidStateError')))
  const failure: unknown = await webLocks()('name', async () => {}).catch((reason: unknown) => reason)
  expect(failure).toMatchObject({ code: 'not_supported' })
  expect(failure).not.toHaveProperty('cause')
})

test('the lock of a page runs without one where there are none, and then claims nothing', async () => {
  const lock = pageLock()
  for (const place of [{ navigator: undefined }, { navigator: { locks: null } }, { navigator: { locks: {} }, origin: 'null' }]) {
    for (const [name, value] of Object.entries(place)) vi.stubGlobal(name, value)
    expect(lock.releasedOnlyByDeath).toBe(false)
    expect(await lock('name', async () => 'ran')).toBe('ran')
    vi.unstubAllGlobals()
  }
  const asked = locksThat((run) => run())
  expect(lock.releasedOnlyByDeath).toBe(true)
  expect(await lock('name', async () => 'ran')).toBe('ran')
  expect(asked).toHaveLength(1)
})
