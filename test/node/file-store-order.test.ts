import { randomBytes } from 'node:crypto'
import { type FileHandle, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterAll, expect, test, vi } from 'vitest'
import { fileStore } from '../../src/node/file-store.js'

// What a power cut leaves is decided by what was synced, and when. No test can cut the power, so this one reads the order of the calls.

const said = vi.hoisted((): string[] => [])
vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof import('node:fs/promises')>()
  const called = (path: unknown) =>
    basename(String(path))
      .replace(/^[\da-f]{32}\.json$/, 'file')
      .replace(/^current-\d+-.*/, 'mark')
      .replace(/^new-.*/, 'draft')
  const noting = (handle: FileHandle, name: string): FileHandle =>
    new Proxy(handle, {
      get(target, member) {
        if (member === 'sync' || member === 'writeFile') said.push(`${member} ${name}`)
        const value: unknown = Reflect.get(target, member)
        return typeof value === 'function' ? (value as () => unknown).bind(target) : value
      },
    })
  return {
    ...real,
    open: async (...parameters: Parameters<typeof real.open>) => noting(await real.open(...parameters), called(parameters[0])),
    async rename(from: string, to: string) {
      await real.rename(from, to)
      said.push(`rename ${called(from)} ${called(to)}`)
    },
    async rm(...parameters: Parameters<typeof real.rm>) {
      await real.rm(...parameters)
      said.push(`rm ${called(parameters[0])}`)
    },
  }
})

const folder = await mkdtemp(join(tmpdir(), 'file-store-'))
afterAll(() => rm(folder, { recursive: true, force: true }))
const onThisDisk = process.platform === 'win32' ? [] : ['sync records']

test('a write is on the disk before the mark names it, and the mark before the write has succeeded or the old file goes', async () => {
  const store = await fileStore(join(folder, 'store'), { encryptionKey: randomBytes(32).toString('base64') })
  expect(said.filter((one) => one !== 'rm draft')).toEqual(
    ['writeFile file', 'sync file', 'writeFile mark', 'sync mark', 'sync draft', 'rename draft records', 'sync store'].filter(
      (one) => process.platform !== 'win32' || !/^sync (?:draft|store)$/.test(one),
    ),
  )
  said.length = 0
  expect(await store.replace('key', undefined, { version: '1', value: 'value' })).toBe(true)
  expect(said).toEqual(['writeFile file', 'sync file', ...onThisDisk, 'rename mark mark', ...onThisDisk, 'rm file'])
})
