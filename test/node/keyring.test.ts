import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { fileStore, fileStoreBy } from '../../src/node/file-store.js'
import { keyFromKeyring } from '../../src/node/keyring.js'
import { manualClock } from '../../src/testing/index.js'

// Keyrings of the shape of @napi-rs/keyring, each a module of its own that the other process loads.

let folder = ''
let made = 0
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'keyring-'))))
afterAll(() => rm(folder, { recursive: true, force: true }))

const next = (name: string): string => join(folder, `${name} ${(made += 1)}`)

/** A module whose constructor and methods run these. Beside it lies what it keeps. */
async function keyring(of: { construct?: string; get?: string; set?: string }): Promise<{ readonly path: string; readonly kept: string }> {
  const place = next('module')
  await mkdir(place)
  const [path, kept] = [join(place, 'index.js'), join(place, 'kept.json')]
  await writeFile(
    path,
    `const fs = require('node:fs')
const kept = ${JSON.stringify(kept)}
const all = () => (fs.existsSync(kept) ? JSON.parse(fs.readFileSync(kept, 'utf8')) : {})
exports.Entry = class {
  constructor(service, account, options) { this.name = [service, account, JSON.stringify(options)].join(' | '); ${of.construct ?? ''} }
  getSecret() { ${of.get ?? 'return all()[this.name] ?? null'} }
  setSecret(secret) { ${of.set ?? 'fs.writeFileSync(kept, JSON.stringify({ ...all(), [this.name]: [...secret] }))'} }
}
`,
  )
  return { path, kept }
}

const by = (path: string) => ({ module: () => path, clock: manualClock() })

test('the key is made once, by 32 random bytes, and is the same from then on', async () => {
  const { path, kept } = await keyring({})
  const { key } = await keyFromKeyring('/the/place', by(path))
  expect(Buffer.from(key ?? '', 'base64')).toHaveLength(32)
  expect(await keyFromKeyring('/the/place', by(path))).toEqual({ key })
  const names = Object.keys(JSON.parse(await readFile(kept, 'utf8')) as object)
  expect(names).toEqual(['valetkey | /the/place | {"linux":{"store":"secret-service"}}'])
  expect((await keyFromKeyring('/another', by(path))).key).not.toBe(key)
})

test('a file store is sealed with the key of the keyring, and no other opens it', async () => {
  const [mine, another] = [await keyring({}), await keyring({})]
  const place = next('place')
  const store = await fileStoreBy(place, {}, by(mine.path))
  await store.replace('key', undefined, { version: '1', value: 'value' })
  expect((await (await fileStoreBy(place, {}, by(mine.path))).get('key'))?.value).toBe('value')
  expect((await (await fileStoreBy(place, {}, by(another.path))).get('key'))?.value).toBe('')
})

test('where two processes made a key at the same time, both come to use the one that was kept', async () => {
  const { path, kept } = await keyring({})
  const place = next('place')
  const first = await fileStoreBy(place, {}, by(path))
  // As if another had looked before the first one wrote, and written after it.
  await rm(kept)
  const second = await fileStoreBy(place, {}, by(path))
  await second.replace('key', undefined, { version: '1', value: 'of the second' })
  expect((await first.get('key'))?.value).toBe('of the second')
  await first.replace('key', '1', { version: '2', value: 'of the first' })
  expect((await second.get('key'))?.value).toBe('of the first')
})

test('a key that is given is used, and no keyring is asked', async () => {
  const module = vi.fn(() => '/none')
  const store = await fileStoreBy(next('place'), { encryptionKey: randomBytes(32).toString('base64') }, { module, clock: manualClock() })
  expect(await store.replace('key', undefined, { version: '1', value: 'value' })).toBe(true)
  expect(module).not.toHaveBeenCalled()
})

test('where no keyring is installed and no key is given, both ways are said, and nothing is made', async () => {
  const place = next('place')
  // This project does not depend on the keyring: the real question is asked.
  const error: unknown = await fileStore(place).catch((error: unknown) => error)
  expect(error).toMatchObject({ code: 'invalid_configuration', message: expect.stringContaining('@napi-rs/keyring is not installed') })
  expect((error as Error).message).toContain('encryptionKey')
  expect((error as Error).message).toContain('openssl rand -base64 32')
  await expect(stat(place)).rejects.toMatchObject({ code: 'ENOENT' })
})

test('a keyring that holds up its process is given up after five seconds, and its process is ended', async () => {
  const { path, kept } = await keyring({
    get: 'fs.writeFileSync(kept, String(process.pid)); Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)',
  })
  const [place, clock] = [next('place'), manualClock()]
  const making = fileStoreBy(place, {}, { module: () => path, clock })
  making.catch(() => {})
  const pid = Number(await vi.waitFor(async () => (await readFile(kept, 'utf8')) || Promise.reject(new Error('not yet')), 10_000))
  await clock.advance(4_999)
  expect(() => process.kill(pid, 0)).not.toThrow()
  await clock.advance(1)
  await expect(making).rejects.toMatchObject({
    code: 'invalid_configuration',
    message: expect.stringMatching(/within five seconds.*encryptionKey/),
  })
  await vi.waitFor(() => expect(() => process.kill(pid, 0)).toThrow(), 10_000)
  await expect(stat(place)).rejects.toMatchObject({ code: 'ENOENT' })
})

test.for([
  { name: 'is locked', of: { get: "throw new Error('marker-of-the-keyring')" }, says: /no keyring that answers/ },
  { name: 'cannot be loaded', of: { construct: "throw new Error('marker-of-the-keyring')" }, says: /no keyring that answers/ },
  { name: 'keeps nothing', of: { get: 'return null', set: '' }, says: /no keyring that answers/ },
  { name: 'crashes', of: { get: "process.kill(process.pid, 'SIGSEGV')" }, says: /no keyring that answers/ },
  { name: 'has something else', of: { get: "return [...Buffer.from('marker-of-the-keyring')]" }, says: /something else under this name/ },
])('of a keyring that $name nothing is said but that', async ({ of, says }) => {
  const { path, kept } = await keyring(of)
  const error: unknown = await fileStoreBy(next('place'), {}, by(path)).catch((error: unknown) => error)
  expect(error).toMatchObject({ code: 'invalid_configuration', message: expect.stringMatching(says) })
  expect((error as Error).message).not.toContain('marker')
  await expect(stat(kept)).rejects.toMatchObject({ code: 'ENOENT' })
})

test('a program that is packed together with Node is not started once more to ask', async () => {
  const { path, kept } = await keyring({})
  const { execPath } = process
  try {
    process.execPath = '/opt/notes/notes-cli'
    expect(await keyFromKeyring('/the/place', by(path))).toEqual({ reason: expect.stringContaining('run by node') })
  } finally {
    process.execPath = execPath
  }
  await expect(stat(kept)).rejects.toMatchObject({ code: 'ENOENT' })
})
