import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmod, chown, mkdir, mkdtemp, readFile, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Store } from '../../src/core/ports.js'
import { placeOf } from '../../src/node/file-place.js'
import { fileStore } from '../../src/node/file-store.js'
import { storeContract } from '../../src/testing/index.js'
import { bundle } from './programs/bundle.js'

const run = promisify(execFile)
const encryptionKey = randomBytes(32).toString('base64')
const marker = 'marker-of-a-token'

let folder = ''
let places = 0
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'file-store-'))))
afterAll(() => rm(folder, { recursive: true, force: true }))

const newPlace = (): string => join(folder, `place ${(places += 1)}`)
const open = (place: string): Promise<Store> => fileStore(place, { encryptionKey })
const put = async (store: Store, key: string, value: string): Promise<void> => {
  const held = await store.get(key)
  expect(await store.replace(key, held?.version, { version: randomBytes(16).toString('hex'), value })).toBe(true)
}

/** The one file with the records. */
async function fileOf(place: string): Promise<string> {
  const names = (await readdir(join(place, 'records'))).filter((name) => /^[\da-f]+\.json$/.test(name))
  expect(names).toHaveLength(1)
  return join(place, 'records', names[0] ?? '')
}

describe('the store contract', () => {
  const shared = () => join(folder, 'contract')
  for (const { name, run } of storeContract(async () => open(shared()))) test(name, run)
})

test('another handle, as another process has one, finds what was stored', async () => {
  const place = newPlace()
  await put(await open(place), 'key', marker)
  expect((await (await open(place)).get('key'))?.value).toBe(marker)
})

test('what was never written is made by nobody who only reads, and a folder that is taken away is made anew', async () => {
  const place = newPlace()
  const store = await open(place)
  await put(store, 'key', 'first')
  await rm(place, { recursive: true })
  expect(await store.get('key')).toBeUndefined()
  await expect(stat(place)).rejects.toMatchObject({ code: 'ENOENT' })
  await put(store, 'key', 'second')
  expect((await store.get('key'))?.value).toBe('second')
})

test('values of five megabytes, beside small ones, come back as they went in', async () => {
  const store = await open(newPlace())
  const big = '漢'.repeat(1_700_000)
  await put(store, 'big', big)
  for (let index = 0; index < 5; index += 1) await put(store, `small ${index}`, 'x'.repeat(index))
  expect((await store.get('big'))?.value).toBe(big)
  expect((await store.get('small 4'))?.value).toHaveLength(4)
})

test('what has expired is taken out of the file by the next write', async () => {
  const place = newPlace()
  const store = await open(place)
  await store.replace('over', undefined, { version: '1', value: marker, expiresAt: Date.now() - 1 })
  await put(store, 'key', 'value')
  expect(Object.keys((JSON.parse(await readFile(await fileOf(place), 'utf8')) as { records: object }).records)).toEqual(['key'])
})

describe('attack 88 the file', () => {
  test('shows nothing of what is in it, and is one', async () => {
    const place = newPlace()
    const store = await open(place)
    for (let time = 0; time < 5; time += 1) await put(store, 'key', `${marker} ${time}`)
    const text = await readFile(await fileOf(place), 'utf8')
    expect(text).toContain('"key"')
    expect(text).not.toContain(marker)
    expect(Buffer.from(text.split('.')[3] ?? '', 'base64url').toString('latin1')).not.toContain(marker)
    expect(await readdir(place)).toEqual(['records'])
    expect(await readdir(join(place, 'records'))).toHaveLength(2)
  })

  test('is for this user alone, and so is its folder, whatever the umask', async () => {
    const umask = process.umask(0)
    try {
      const place = newPlace()
      await put(await open(place), 'key', 'value')
      expect(await modes(place)).toEqual(['700', '700', '600', '600'])
    } finally {
      process.umask(umask)
    }
  })

  test('is made private where others could read it', async () => {
    const place = newPlace()
    await put(await open(place), 'key', 'value')
    await chmod(await fileOf(place), 0o644)
    await chmod(join(place, 'records'), 0o755)
    await chmod(place, 0o777)
    await open(place)
    expect((await modes(place)).slice(0, 2)).toEqual(['700', '700'])
    expect(((await stat(await fileOf(place))).mode & 0o777).toString(8)).toBe('600')
  })

  test.for<{ name: string; lead: (place: string, elsewhere: string) => Promise<void> }>([
    { name: 'to a folder', lead: (place, elsewhere) => symlink(elsewhere, place) },
    { name: 'to nothing', lead: (place, elsewhere) => symlink(join(elsewhere, 'none'), place) },
    {
      name: 'in its folder',
      async lead(place, elsewhere) {
        await mkdir(place, { mode: 0o700 })
        await symlink(elsewhere, join(place, 'records'))
      },
    },
  ])('is not kept where a symbolic link $name leads', async ({ lead }) => {
    const [place, elsewhere] = [newPlace(), newPlace()]
    await mkdir(elsewhere)
    await lead(place, elsewhere)
    await expect(open(place)).rejects.toMatchObject({ code: 'store_unavailable', message: expect.stringContaining('symbolic link') })
    expect(await readdir(elsewhere)).toEqual([])
  })

  test('is not read through a symbolic link', async () => {
    const place = newPlace()
    const store = await open(place)
    await put(store, 'key', 'value')
    const file = await fileOf(place)
    await writeFile(join(folder, 'elsewhere.json'), await readFile(file))
    await rm(file)
    await symlink(join(folder, 'elsewhere.json'), file)
    await expect(store.get('key')).rejects.toMatchObject({ code: 'store_unavailable', message: expect.stringContaining('symbolic link') })
  })

  test("is not kept in another user's folder", async () => {
    const place = process.getuid?.() === 0 ? newPlace() : '/usr'
    if (place !== '/usr') {
      await mkdir(place)
      await chown(place, 65_534, 65_534)
    }
    await expect(open(place)).rejects.toMatchObject({ code: 'store_unavailable', message: expect.stringContaining('another user') })
  })
})

test.for<{ name: string; change: (text: string) => string | Buffer | undefined }>([
  { name: 'nothing at all', change: () => '' },
  { name: 'the first half', change: (text) => text.slice(0, text.length / 2) },
  { name: 'all but its last character', change: (text) => text.slice(0, -1) },
  { name: 'zeros', change: (text) => Buffer.alloc(text.length) },
  { name: 'bytes of another kind', change: () => randomBytes(500) },
  { name: 'the file of another program', change: () => '{"key":{"version":"1","value":"its"}}' },
  { name: 'a list', change: () => '[]' },
  { name: 'no file', change: () => undefined },
])(
  'where $name is left of the file, every key is read as an unreadable record that can be replaced, and what was there is kept aside',
  async ({ change }) => {
    const place = newPlace()
    const store = await open(place)
    await put(store, 'key', marker)
    const file = await fileOf(place)
    const left = change(await readFile(file, 'utf8'))
    await (left === undefined ? rm(file) : writeFile(file, left))

    for (const handle of [store, await open(place)]) {
      const [held, other] = [await handle.get('key'), await handle.get('other')]
      expect(held).toMatchObject({ value: '', version: expect.stringMatching(/.{16}/) })
      expect(other).toEqual(held)
      expect(await handle.replace('key', undefined, { version: '1', value: 'not this' })).toBe(false)
    }
    const [one, other] = [await store.get('key'), await store.get('other')]
    expect(await store.replace('key', one?.version, { version: '2', value: 'new' })).toBe(true)
    expect((await store.get('key'))?.value).toBe('new')
    expect(await store.get('other')).toBeUndefined()
    expect(await store.replace('other', other?.version, { version: '3', value: 'too late' })).toBe(false)
    const aside = await readFile(join(place, 'records', 'unreadable.json')).catch(() => undefined)
    expect(aside).toEqual(left === undefined ? undefined : Buffer.from(left))
  },
)

test('an entry that is none is unreadable by itself; the others are read', async () => {
  const place = newPlace()
  const store = await open(place)
  await put(store, 'good', 'value')
  const file = await fileOf(place)
  const content = JSON.parse(await readFile(file, 'utf8')) as { records: Record<string, unknown> }
  content.records['bad'] = { version: 7 }
  await writeFile(file, JSON.stringify(content))
  expect(await store.get('bad')).toMatchObject({ value: '' })
  expect((await store.get('good'))?.value).toBe('value')
  await put(store, 'bad', 'mended')
  expect((await store.get('good'))?.value).toBe('value')
})

test('a record that was put in the place of another is unreadable', async () => {
  const place = newPlace()
  const store = await open(place)
  await put(store, 'mine', marker)
  await put(store, 'other', 'of another')
  const file = await fileOf(place)
  const content = JSON.parse(await readFile(file, 'utf8')) as { records: Record<string, unknown> }
  content.records['mine'] = content.records['other']
  await writeFile(file, JSON.stringify(content))
  expect(await (await open(place)).get('mine')).toMatchObject({ value: '' })
})

test('a folder whose mark was taken away is said, and not written over', async () => {
  const place = newPlace()
  const store = await open(place)
  for (const name of await readdir(join(place, 'records'))) if (name.startsWith('current')) await rm(join(place, 'records', name))
  const expected = { code: 'store_unavailable', message: expect.stringContaining('sign in again') }
  await expect(store.get('key')).rejects.toMatchObject(expected)
  await expect(open(place)).rejects.toMatchObject(expected)
})

test('what cannot be used is said in words, without what the system was called with', async () => {
  const file = join(folder, 'a file')
  await writeFile(file, '')
  await expect(open(file)).rejects.toMatchObject({ code: 'store_unavailable', message: expect.stringContaining('is no folder') })
  const error: unknown = await open(join(file, 'below')).catch((error: unknown) => error)
  expect(error).toMatchObject({ code: 'store_unavailable', message: expect.stringContaining('a part of the path is no folder') })
  expect(error).not.toHaveProperty('cause')
})

test('another who is still writing the store that it has lost to this one disturbs nobody', async () => {
  const place = newPlace()
  await open(place)
  await mkdir(join(place, 'new-of another'))
  const program = await bundle('open-store', folder, { 'node:fs/promises': 'busy-fs' })
  const { stdout } = await run(process.execPath, [program, place], { env: { STORE_KEY: encryptionKey } })
  expect(stdout).toBe('true')
})

test('a user who may not write there is told so', async () => {
  const parent = newPlace()
  await mkdir(parent)
  const programs = await mkdtemp(join(tmpdir(), 'programs-'))
  try {
    await chmod(programs, 0o755)
    const program = await bundle('open-store', programs)
    await chmod(parent, 0o500)
    // Root may write anywhere, so it asks as nobody.
    const nobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {}
    if ('uid' in nobody) await chmod(folder, 0o755)
    const { stdout } = await run(process.execPath, [program, join(parent, 'place')], {
      env: { STORE_KEY: encryptionKey },
      cwd: '/',
      ...nobody,
    })
    expect(JSON.parse(stdout)).toMatchObject({
      code: 'store_unavailable',
      message: expect.stringMatching(/this user may not read or write there/),
    })
  } finally {
    await rm(programs, { recursive: true })
  }
})

describe('the place', () => {
  const home = '/home/me'
  test.for<[string, string, Record<string, string>, string]>([
    ['notes-cli', 'linux', {}, '/home/me/.local/state/valetkey/notes-cli'],
    ['notes-cli', 'linux', { XDG_STATE_HOME: '/state' }, '/state/valetkey/notes-cli'],
    ['notes-cli', 'linux', { XDG_STATE_HOME: 'relative' }, '/home/me/.local/state/valetkey/notes-cli'],
    ['notes-cli', 'linux', { XDG_STATE_HOME: '' }, '/home/me/.local/state/valetkey/notes-cli'],
    ['notes-cli', 'freebsd', {}, '/home/me/.local/state/valetkey/notes-cli'],
    ['Notes of mine', 'darwin', { XDG_STATE_HOME: '/state' }, '/home/me/Library/Application Support/valetkey/Notes of mine'],
    ['notes-cli', 'win32', { LOCALAPPDATA: 'C:\\Users\\me\\AppData\\Local' }, 'C:\\Users\\me\\AppData\\Local\\valetkey\\notes-cli'],
    ['notes-cli', 'win32', {}, '\\home\\me\\AppData\\Local\\valetkey\\notes-cli'],
    ['/var/lib/notes', 'linux', { XDG_STATE_HOME: '/state' }, '/var/lib/notes'],
    ['./notes', 'linux', {}, join(process.cwd(), 'notes')],
    ['notes/', 'darwin', {}, join(process.cwd(), 'notes')],
  ])('of %s on %s with %j is %s', ([nameOrPath, platform, environment, place]) => {
    expect(placeOf(nameOrPath, { platform, environment, home })).toBe(place)
  })

  test.for(['', '.', '..', 'a\\b', 'a:b', 'a\u0000b', '/a\u0000b', 'a\nb', 'a*', ' a', 'a.', '~/notes', 7, undefined, null])(
    'is not %j',
    (name) => {
      expect(() => placeOf(name, { platform: 'linux', environment: {}, home })).toThrow(
        expect.objectContaining({ code: 'invalid_configuration', message: expect.stringContaining('nameOrPath') }),
      )
    },
  )

  test('of a name is found in the environment at the call', async () => {
    vi.stubEnv('XDG_STATE_HOME', join(folder, 'state'))
    try {
      await put(await open('notes-cli'), 'key', 'value')
      expect(await readdir(join(folder, 'state', 'valetkey', 'notes-cli'))).toEqual(['records'])
      // What is made on the way there is private, too.
      expect((await stat(join(folder, 'state', 'valetkey'))).mode & 0o077).toBe(0)
    } finally {
      vi.unstubAllEnvs()
    }
  })
})

test('an option that is not known, and a key that is none, are refused before anything is made', async () => {
  const place = newPlace()
  await expect(fileStore(place, { path: '/x' } as object)).rejects.toMatchObject({ code: 'invalid_configuration' })
  await expect(fileStore(place, { encryptionKey: 'short' })).rejects.toMatchObject({
    code: 'invalid_configuration',
    message: expect.stringContaining('openssl rand -base64 32'),
  })
  await expect(stat(place)).rejects.toMatchObject({ code: 'ENOENT' })
})

async function modes(place: string): Promise<readonly string[]> {
  const records = join(place, 'records')
  const paths = [place, records, ...(await readdir(records)).map((name) => join(records, name))]
  return Promise.all(paths.map(async (path) => ((await stat(path)).mode & 0o777).toString(8)))
}
