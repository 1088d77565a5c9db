import { constants } from 'node:fs'
import { chmod, mkdtemp, open, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { OAuthError } from '../core/errors.js'
import { isObject } from '../core/option.js'
import type { Store, Versioned } from '../core/ports.js'
import { bare } from '../core/secret.js'
import { fresh } from '../session/randomness.js'
import { expiryOf, isExpired, readVersioned, versioned } from '../stores/versioned.js'
import { codeOf, ownFolder, privateFolder, storeFailure } from './file-place.js'

// A store's folder has a folder `records`, and in that are
//
//   3f….json        the records, all of them: one file, written whole and never changed
//   current-7-3f…   empty. Its name says which file it is, and how often there was another before it
//
// A writer writes a file of its own, and then renames the mark from the name that it has seen to the name of its own file. A rename needs its
// source, and no such name ever comes back: so of all who have seen the same mark one wins, whoever is slow, asleep or dead. That is the whole of
// the compare-and-set. There is no lock, so nobody has to be waited for; a writer that is killed leaves the old mark or the new one, and a file
// that the next to win takes away.

interface Current {
  /** The name of the mark. */
  readonly mark: string
  readonly count: number
  /** Which file it names. */
  readonly id: string
  /** All files of records that were there. Whoever wrote one of them and is not the current one has seen this mark at the latest. */
  readonly files: readonly string[]
}

/** `undefined` where there is no store yet; `records` is `undefined` where they cannot be read. */
type Found = { readonly current: Current; readonly records: Records | undefined } | undefined
type Records = ReadonlyMap<string, Versioned>

export interface FileRecords extends Store {
  /** Makes the store where it is missing, and private where it is not. */
  prepare(): Promise<void>
}

/** The records of a store in this folder, not sealed. Rejects with `store_unavailable`; what was being written may have been written then. */
export function fileRecords(place: string): FileRecords {
  const folder = join(place, 'records')
  let last: Promise<unknown> = Promise.resolve()

  async function look(): Promise<Found> {
    for (;;) {
      const current = await currentIn(folder)
      if (current === undefined) return undefined
      const text = await read(join(folder, fileOf(current.id)))
      if (text !== undefined) return { current, records: decode(text) }
      // It has made room for another, if there is one.
      if ((await currentIn(folder))?.mark === current.mark) return { current, records: undefined }
    }
  }

  /** Of several who make it at once one wins, and a folder that is there is never without its mark. */
  async function make(): Promise<void> {
    await privateFolder(place)
    const draft = await mkdtemp(join(place, 'new-'))
    try {
      const id = fresh()
      await write(join(draft, fileOf(id)), encode(new Map()))
      await write(join(draft, markOf(0, id)), '')
      await sync(draft)
      await rename(draft, folder)
      await sync(place)
    } catch (error) {
      await rm(draft, { recursive: true, force: true }).catch(() => {})
      if ((await currentIn(folder)) === undefined) throw error
    }
  }

  async function exchange(key: string, seen: string | undefined, next: Versioned | undefined): Promise<boolean> {
    for (;;) {
      const found = await look()
      if (found === undefined) {
        await make()
        continue
      }
      const { current, records } = found
      if (heldIn(found, key)?.version !== seen) return false
      const changed = new Map([...(records ?? [])].filter(([, held]) => !isExpired(held, Date.now())))
      if (next === undefined) changed.delete(key)
      else changed.set(key, versioned(next.version, next.value, expiryOf(next)))
      if (await commit(current, encode(changed), records === undefined)) return true
    }
  }

  /** False where another was first; then nothing has happened. */
  async function commit(current: Current, text: string, keepsOld: boolean): Promise<boolean> {
    const id = fresh()
    const file = join(folder, fileOf(id))
    const drop = () => rm(file, { force: true }).catch(() => {})
    try {
      await write(file, text)
      // What the mark is to name lasts before the mark does.
      await sync(folder)
    } catch (error) {
      await drop()
      throw error
    }
    try {
      await rename(join(folder, current.mark), join(folder, markOf(current.count + 1, id)))
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error
      await drop()
      return false
    }
    await sync(folder)
    await clear(current, keepsOld)
    return true
  }

  /** The mark that was replaced is gone, so of those who wrote these files none can win any more. What could not be read is kept aside. */
  async function clear(old: Current, keepsOld: boolean): Promise<void> {
    for (const file of old.files) {
      const path = join(folder, file)
      const done = keepsOld && file === fileOf(old.id) ? rename(path, join(folder, 'unreadable.json')) : rm(path, { force: true })
      await done.catch(() => {})
    }
  }

  return {
    prepare: () =>
      said(place, async () => {
        await privateFolder(place)
        const found = await look()
        if (found === undefined) await make()
        else await chmod(join(folder, fileOf(found.current.id)), 0o600).catch(() => {})
        await clearDrafts(place)
      }),
    get: (key) => said(place, async () => heldIn(await look(), key)),
    replace(key, seen, next) {
      // One at a time in this process: they would only take the mark from each other.
      const mine = last.then(() => said(place, () => exchange(key, seen, next)))
      last = mine.catch(() => {})
      return mine
    },
  }
}

/** Whoever was making a store here is dead, or has lost; who has lost and still writes removes its own. */
async function clearDrafts(place: string): Promise<void> {
  for (const name of await readdir(place)) {
    if (name.startsWith('new-')) await rm(join(place, name), { recursive: true, force: true }).catch(() => {})
  }
}

async function said<T>(place: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    throw storeFailure(place, error)
  }
}

function heldIn(found: Found, key: string): Versioned | undefined {
  if (found === undefined) return undefined
  // Every key then has an unreadable record, whose version is this file: so it can be replaced.
  if (found.records === undefined) return versioned(`unreadable ${found.current.id}`, '', undefined)
  const held = found.records.get(key)
  return held === undefined || isExpired(held, Date.now()) ? undefined : held
}

const fileOf = (id: string) => `${id}.json`
const markOf = (count: number, id: string) => `current-${count}-${id}`

/** What the mark says; `undefined` where there is no folder. A folder that is read while the mark changes its name may show two marks, or none. */
async function currentIn(folder: string): Promise<Current | undefined> {
  for (let tries = 0; tries < mostTries; tries += 1) {
    const names = await entered(folder)
    if (names === undefined) return undefined
    const files = names.filter((name) => /^[\da-f]{32}\.json$/.test(name))
    const [newest] = names
      .flatMap((mark) => {
        const [, count, id] = /^current-(\d{1,15})-([\da-f]{32})$/.exec(mark) ?? []
        return count === undefined || id === undefined ? [] : [{ mark, count: Number(count), id, files }]
      })
      .toSorted((one, other) => other.count - one.count)
    if (newest !== undefined) return newest
  }
  throw new OAuthError('store_unavailable', `${folder} has lost the mark of its current file. Remove the folder and sign in again.`)
}

/** More than a mark can change its name while a folder is read again and again. */
const mostTries = 100

async function entered(folder: string): Promise<readonly string[] | undefined> {
  try {
    await ownFolder(folder)
    return await readdir(folder)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

function encode(records: Records): string {
  return JSON.stringify(bare({ format, records: bare(Object.fromEntries(records)) }))
}

/** Read strictly: what is torn, or of another program, is no records at all. */
function decode(text: string): Records | undefined {
  try {
    const file: unknown = JSON.parse(text)
    if (!isObject(file) || file['format'] !== format || !Object.hasOwn(file, 'records') || !isObject(file['records'])) return undefined
    return new Map(Object.entries(file['records']).map(([key, entry]) => [key, readVersioned(entry)]))
  } catch {
    return undefined
  }
}

const format = 'valetkey file store 1'

/** A new file, for this user alone, that is on the disk when this resolves. */
async function write(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** `undefined` where there is none. */
async function read(path: string): Promise<string | undefined> {
  try {
    const file = await open(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0))
    try {
      return await file.readFile('utf8')
    } finally {
      await file.close()
    }
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

/** Names, too, are on the disk then. Windows has no such thing for a folder, and needs none. */
async function sync(folder: string): Promise<void> {
  if (process.platform === 'win32') return
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
