import { expect, test } from 'vitest'
import { decodeNonces, encodeNonces } from '../../src/core/dpop-codec.js'
import { readNonce, withNonce, type Nonces } from '../../src/core/dpop-values.js'
import type { Store } from '../../src/core/ports.js'
import { sharedNonces } from '../../src/session/dpop-nonces.js'
import { memoryStore } from '../../src/stores/memory.js'
import { manualClock } from '../../src/testing/manual-clock.js'

const settled = () => new Promise((resolve) => setImmediate(resolve))

function counting(store: Store) {
  const counts = { reads: 0, writes: 0 }
  const counted: Store = {
    get: (key) => ((counts.reads += 1), store.get(key)),
    replace: (...write) => ((counts.writes += 1), store.replace(...write)),
  }
  return { counts, counted }
}

test('P7 what one process learns another knows a tenth of a second later', async () => {
  const [store, clock] = [memoryStore(), manualClock(Date.now())]
  const [one, two] = [sharedNonces(store, 'nonces', clock), sharedNonces(store, 'nonces', clock)]
  expect(await two.newest('resource https://api.example')).toBeUndefined()
  one.learn('resource https://api.example', 'n1', true)
  await settled()
  await clock.advance(100)
  expect(await two.newest('resource https://api.example')).toBe('n1')
})

test('P6 what is newest here is not overwritten by what another knew before', async () => {
  const [store, clock] = [memoryStore(), manualClock(Date.now())]
  const [one, two] = [sharedNonces(store, 'nonces', clock), sharedNonces(store, 'nonces', clock)]
  one.learn('a', 'old', true)
  await settled()
  two.learn('a', 'new', true)
  one.learn('b', 'other', true)
  for (let turn = 0; turn < 5; turn += 1) await settled()
  await clock.advance(100)
  expect([await one.newest('a'), await one.newest('b')]).toEqual(['new', 'other'])
  expect([await two.newest('a'), await two.newest('b')]).toEqual(['new', 'other'])
})

test('P8 an API that gives a new nonce with every answer makes one write a second, and those who call ask the store ten times a second', async () => {
  const clock = manualClock(Date.now())
  const { counts, counted } = counting(memoryStore())
  const nonces = sharedNonces(counted, 'nonces', clock)
  for (let call = 0; call < 1_000; call += 1) {
    await nonces.newest('a')
    nonces.learn('a', `n${call}`, false)
    await clock.advance(3)
  }
  await settled()
  expect(counts.writes).toBeLessThanOrEqual(4)
  expect(counts.reads).toBeLessThanOrEqual(36)
  expect(await nonces.newest('a')).toBe('n999')
})

test('P8 no more than fifty servers are remembered, the latest', () => {
  let nonces: Nonces = []
  for (let server = 0; server < 1_000; server += 1) nonces = withNonce(nonces, `s${server}`, 'n')
  expect(nonces).toHaveLength(50)
  expect(nonces.at(0)?.[0]).toBe('s950')
})

test('P8 a store that was written into by another hand gives no nonce that is none', () => {
  const text = JSON.stringify({ nonces: [['a', 'fine'], ['b', 'a b'], ['c', 'n'.repeat(2_000)], ['d']] })
  expect(decodeNonces(text)).toEqual([['a', 'fine']])
  expect(decodeNonces('{"nonces":1}')).toBeUndefined()
  expect(decodeNonces(encodeNonces([['a', 'n']]))).toEqual([['a', 'n']])
})

test('P8 the grammar is that of RFC 9449 section 8.1', () => {
  for (const text of ['a', '!#[]~', 'n'.repeat(1_024)]) expect(readNonce(text)).toBe(text)
  for (const text of [null, '', ' ', 'a b', '"', '\\', '\u007F', 'é', 'a\r\nX: 1', 'n'.repeat(1_025)])
    expect(readNonce(text)).toBeUndefined()
})

test('a store that fails or forgets keeps nobody from what is known here', async () => {
  const clock = manualClock(Date.now())
  const failing: Store = { get: () => Promise.reject(new Error('no')), replace: () => Promise.reject(new Error('no')) }
  const nonces = sharedNonces(failing, 'nonces', clock)
  nonces.learn('a', 'n1', true)
  await settled()
  await clock.advance(100)
  expect(await nonces.newest('a')).toBe('n1')
})
