import { randomBytes, webcrypto } from 'node:crypto'
import { inspect } from 'node:util'
import { expect, test, vi } from 'vitest'
import { OAuthError } from '../../src/core/errors.js'
import type { Store, Versioned } from '../../src/core/ports.js'
import { memoryStore } from '../../src/stores/memory.js'
import { sealed } from '../../src/stores/sealed.js'
import type { EncryptionKey } from '../../src/stores/sealed.js'
import { storeContract } from '../../src/testing/store-contract.js'

const newKey = () => randomBytes(32).toString('base64')
const encryptionKey = newKey()
const marker = 'marker-of-a-token'

for (const { name, run } of storeContract(async () => sealed(memoryStore(), { encryptionKey }))) test(`sealed: ${name}`, run)

/** A sealed store and what lies under it. */
function pair(key: EncryptionKey = encryptionKey): { under: Store; store: Store } {
  const under = memoryStore()
  return { under, store: sealed(under, { encryptionKey: key }) }
}

async function raw(under: Store, key: string): Promise<Versioned> {
  const held = await under.get(key)
  if (held === undefined) throw new Error('nothing there')
  return held
}

test('what lies in the store shows nothing of the value, and not twice the same', async () => {
  const { under, store } = pair()
  await store.replace('one', undefined, { version: '1', value: marker })
  await store.replace('other', undefined, { version: '1', value: marker })
  const [one, other] = [await raw(under, 'one'), await raw(under, 'other')]
  expect(inspect([one, other])).not.toContain(marker)
  expect(Buffer.from(one.value.split('.')[3] ?? '', 'base64url').toString('latin1')).not.toContain(marker)
  expect(one.value.split('.')[2]).not.toBe(other.value.split('.')[2])
  expect(Buffer.from(one.value.split('.')[2] ?? '', 'base64url')).toHaveLength(12)
})

test('10,000 sealings of one value use 10,000 nonces', async () => {
  const { under, store } = pair()
  const nonces = new Set<string>()
  for (let index = 0; index < 10_000; index += 1) {
    await store.replace('key', index === 0 ? undefined : `${index - 1}`, { version: `${index}`, value: marker })
    nonces.add((await raw(under, 'key')).value.split('.')[2] ?? '')
  }
  expect(nonces.size).toBe(10_000)
})

test.for([
  { name: 'the value of another key', change: (mine: Versioned, other: Versioned) => ({ ...mine, value: other.value }) },
  { name: 'its own value under another version', change: (mine: Versioned) => ({ ...mine, version: 'another' }) },
  { name: 'the rest of a torn value', change: (mine: Versioned) => ({ ...mine, value: mine.value.slice(0, -8) }) },
  {
    name: 'one changed character',
    change: (mine: Versioned) => ({ ...mine, value: mine.value.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')) }),
  },
  { name: 'the id of another key', change: (mine: Versioned) => ({ ...mine, value: mine.value.replace('v1..', 'v1.eA.') }) },
  { name: 'no nonce', change: (mine: Versioned) => ({ ...mine, value: mine.value.replace(/\.[^.]*\.([^.]*)$/, '..$1') }) },
  { name: 'another format', change: (mine: Versioned) => ({ ...mine, value: mine.value.replace('v1', 'v2') }) },
  { name: 'a part too many', change: (mine: Versioned) => ({ ...mine, value: `${mine.value}.AA` }) },
  { name: 'what is no base64', change: (mine: Versioned) => ({ ...mine, value: 'v1..%%.%%' }) },
  { name: 'clear text', change: (mine: Versioned) => ({ ...mine, value: '{"refreshToken":"mine"}' }) },
  { name: 'nothing', change: (mine: Versioned) => ({ ...mine, value: '' }) },
])('where $name lies in its place, a value is read as empty and can be replaced by its version', async ({ change }) => {
  const { under, store } = pair()
  await store.replace('mine', undefined, { version: '1', value: marker })
  await store.replace('other', undefined, { version: '1', value: 'of another' })
  const mine = await raw(under, 'mine')
  const changed = change(mine, await raw(under, 'other'))
  await under.replace('mine', '1', changed)
  const held = await store.get('mine')
  expect(held).toEqual({ version: changed.version, value: '' })
  expect(await store.replace('mine', held?.version, { version: '3', value: 'new' })).toBe(true)
  expect((await store.get('mine'))?.value).toBe('new')
})

test('a value sealed by a key that is not among these is read as empty', async () => {
  const under = memoryStore()
  await sealed(under, { encryptionKey }).replace('key', undefined, { version: '1', value: marker })
  expect((await sealed(under, { encryptionKey: newKey() }).get('key'))?.value).toBe('')
  expect((await sealed(under, { encryptionKey: { '': newKey() } }).get('key'))?.value).toBe('')
})

test('of several keys the first seals and all open', async () => {
  const under = memoryStore()
  const [first, second] = [newKey(), newKey()]
  await sealed(under, { encryptionKey: { first } }).replace('old', undefined, { version: '1', value: 'old' })
  const rotated = sealed(under, { encryptionKey: { second, first } })
  await rotated.replace('new', undefined, { version: '1', value: 'new' })
  expect((await rotated.get('old'))?.value).toBe('old')
  expect((await sealed(under, { encryptionKey: { second } }).get('new'))?.value).toBe('new')
  expect((await sealed(under, { encryptionKey: { first } }).get('new'))?.value).toBe('')
})

test('the key that was the only one is opened under the empty id', async () => {
  const under = memoryStore()
  await sealed(under, { encryptionKey }).replace('key', undefined, { version: '1', value: 'value' })
  expect((await sealed(under, { encryptionKey: { k2: newKey(), '': encryptionKey } }).get('key'))?.value).toBe('value')
})

test('a key that was given alone stays the same key when it gets a name, for those who have not heard of it, too', async () => {
  const under = memoryStore()
  const alone = sealed(under, { encryptionKey })
  const both = sealed(under, { encryptionKey: { '2026-05': encryptionKey, '2026-11': newKey() } })
  await alone.replace('key', undefined, { version: '1', value: 'old' })
  expect((await both.get('key'))?.value).toBe('old')
  await both.replace('key', '1', { version: '2', value: 'new' })
  expect((await alone.get('key'))?.value).toBe('new')
})

test('a function for the key is asked once, and again for a key that is not known', async () => {
  const under = memoryStore()
  const [first, second] = [newKey(), newKey()]
  let keys: Record<string, string> = { first }
  const ask = vi.fn(async () => keys)
  const store = sealed(under, { encryptionKey: ask })
  expect(ask).not.toHaveBeenCalled()
  await Promise.all([
    store.replace('one', undefined, { version: '1', value: 'one' }),
    store.replace('two', undefined, { version: '1', value: 'two' }),
  ])
  await store.get('one')
  expect(ask).toHaveBeenCalledTimes(1)
  await sealed(under, { encryptionKey: { second } }).replace('three', undefined, { version: '1', value: 'three' })
  keys = { second, first }
  expect((await store.get('three'))?.value).toBe('three')
  expect(ask).toHaveBeenCalledTimes(2)
})

test('a function for the key that fails is store_unavailable, is asked again, and shows nothing of its failure', async () => {
  let fails = true
  const store = sealed(memoryStore(), {
    encryptionKey: async () => {
      if (fails) throw new Error(marker)
      return encryptionKey
    },
  })
  const failure: unknown = await store.replace('key', undefined, { version: '1', value: 'value' }).catch((reason: unknown) => reason)
  expect(failure).toMatchObject({ code: 'store_unavailable' })
  expect(inspect(failure)).not.toContain(marker)
  fails = false
  expect(await store.replace('key', undefined, { version: '1', value: 'value' })).toBe(true)
})

test('a version is opened once, by however many at once; a new version is opened anew', async () => {
  const { store } = pair()
  const decrypt = vi.spyOn(webcrypto.subtle.constructor.prototype as SubtleCrypto, 'decrypt')
  try {
    await store.replace('key', undefined, { version: '1', value: 'one' })
    const values = await Promise.all(Array.from({ length: 1_000 }, () => store.get('key')))
    expect(new Set(values.map((held) => held?.value))).toEqual(new Set(['one']))
    await store.get('key')
    expect(decrypt).toHaveBeenCalledTimes(1)
    await store.replace('key', '1', { version: '2', value: 'two' })
    expect((await store.get('key'))?.value).toBe('two')
    expect(decrypt).toHaveBeenCalledTimes(2)
  } finally {
    decrypt.mockRestore()
  }
})

test('another text under a version that was opened is not taken for the one that was opened', async () => {
  const { under, store } = pair()
  await store.replace('key', undefined, { version: '1', value: 'value' })
  expect((await store.get('key'))?.value).toBe('value')
  const held = await raw(under, 'key')
  await under.replace('key', '1', { ...held, value: 'v1..AA.AA' })
  expect((await store.get('key'))?.value).toBe('')
})

test('expiry stays readable for the store under it, and watching goes through', async () => {
  const { under, store } = pair()
  const told = new Promise<void>((resolve) => store.watch?.('key', resolve))
  const expiresAt = Date.now() + 60_000
  await store.replace('key', undefined, { version: '1', value: 'value', expiresAt })
  await told
  expect((await under.get('key'))?.expiresAt).toBe(expiresAt)
  expect(await store.get('key')).toEqual({ version: '1', value: 'value', expiresAt })
})

test('a store that cannot be watched cannot be watched sealed either', () => {
  const { get, replace } = memoryStore()
  expect(sealed({ get, replace }, { encryptionKey })).not.toHaveProperty('watch')
})

test.for([
  { name: 'nothing', key: undefined },
  { name: 'null', key: null },
  { name: 'an empty text', key: '' },
  { name: 'a passphrase', key: 'correct horse battery staple' },
  { name: '16 bytes', key: randomBytes(16).toString('base64') },
  { name: '33 bytes', key: randomBytes(33).toString('base64') },
  { name: '32 bytes in hexadecimal', key: randomBytes(32).toString('hex') },
  { name: 'the bytes themselves', key: randomBytes(32) },
  { name: 'no key at all by id', key: {} },
  { name: 'one bad key among good ones', key: { good: newKey(), bad: 'short' } },
  { name: 'several named by numbers, whose order is lost', key: { '2': newKey(), '1': newKey() } },
])('$name as encryptionKey is refused at once, saying how to make one and not what it was', ({ key }) => {
  const text = typeof key === 'string' && key !== '' ? key : 'correct horse'
  try {
    sealed(memoryStore(), { encryptionKey: key as never })
    expect.unreachable()
  } catch (error) {
    expect(error).toBeInstanceOf(OAuthError)
    expect(error).toMatchObject({
      code: 'invalid_configuration',
      message: expect.stringMatching(/encryptionKey.*(openssl rand|k1)/) as string,
    })
    expect(inspect(error)).not.toContain(text)
  }
})

test.for([
  { name: 'base64', text: (bytes: Buffer) => bytes.toString('base64') },
  { name: 'base64 with a line end', text: (bytes: Buffer) => `${bytes.toString('base64')}\n` },
  { name: 'base64url', text: (bytes: Buffer) => bytes.toString('base64url') },
])('$name of 32 bytes is a key', async ({ text }) => {
  const bytes = Buffer.alloc(32, 0xfb)
  const under = memoryStore()
  await sealed(under, { encryptionKey: bytes.toString('base64') }).replace('key', undefined, { version: '1', value: 'value' })
  expect((await sealed(under, { encryptionKey: text(bytes) }).get('key'))?.value).toBe('value')
})

test.for([undefined, null, {}, { get: async () => undefined }])('%s is no store, and is refused by that name', (store) => {
  const refused = expect.objectContaining({ code: 'invalid_configuration', message: expect.stringContaining('`store`') as string }) as Error
  expect(() => sealed(store as never, { encryptionKey })).toThrow(refused)
})

test('an unknown option is named', () => {
  expect(() => sealed(memoryStore(), { encryptionKey, encryptionkey: '' } as never)).toThrow(/encryptionkey/)
})
