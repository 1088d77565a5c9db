import { chmod, lstat, mkdir } from 'node:fs/promises'
import { isAbsolute, posix, resolve, win32 } from 'node:path'
import { OAuthError } from '../core/errors.js'
import { wrongOption } from '../core/option.js'

/** The machine, as far as it says where files belong. */
export interface Machine {
  readonly platform: string
  readonly environment: Readonly<Record<string, string | undefined>>
  /** The user's own folder. */
  readonly home: string
}

/**
 * The folder of a store: a name means the platform's own place for what a program keeps of one user, a path (it has a slash, or on Windows a
 * backslash) that very place.
 *
 * @throws OAuthError `invalid_configuration` for what is neither
 */
export function placeOf(nameOrPath: unknown, { platform, environment, home }: Machine): string {
  if (typeof nameOrPath !== 'string' || nameOrPath === '' || nameOrPath.includes('\0')) {
    throw wrongOption('nameOrPath', 'of fileStore must be a name, such as "notes-cli", or a path.')
  }
  const isWindows = platform === 'win32'
  if (/^~[/\\]/.test(nameOrPath)) {
    throw wrongOption('nameOrPath', 'begins with `~`, which only a shell reads as your own folder. Give the whole path, or a name.')
  }
  if (nameOrPath.includes('/') || (isWindows && nameOrPath.includes('\\'))) return resolve(nameOrPath)
  if (/^\.{1,2}$|[<>:"\\|?*\p{Cc}]|^[ ]|[ .]$/u.test(nameOrPath)) {
    throw wrongOption('nameOrPath', 'of fileStore is no name that every platform can give a folder. A path has a slash: "./here".')
  }
  const { join } = isWindows ? win32 : posix
  return join(ownPlace(), 'valetkey', nameOrPath)

  function ownPlace(): string {
    if (isWindows) return environment['LOCALAPPDATA'] || join(home, 'AppData', 'Local')
    if (platform === 'darwin') return join(home, 'Library', 'Application Support')
    const state = environment['XDG_STATE_HOME']
    // "If an implementation encounters a relative path … it should consider the path invalid and ignore it" (XDG Base Directory).
    return state !== undefined && isAbsolute(state) ? state : join(home, '.local', 'state')
  }
}

/** Makes the folder where it is missing, and private where it is not (0700). Rejects with `store_unavailable`. */
export async function privateFolder(path: string): Promise<void> {
  const made = mkdir(path, { recursive: true, mode: 0o700 })
  await made.catch(() => {})
  await ownFolder(path).catch(async (error: unknown) => {
    // What is there and no folder says more than that none could be made.
    if (!(error instanceof OAuthError)) await made
    throw error
  })
}

/**
 * Goes on only with a folder that is really here and this user's: nobody leads a store elsewhere by a symbolic link, or keeps it for them.
 * Rejects with `store_unavailable`, and as `lstat` does where there is nothing.
 */
export async function ownFolder(path: string): Promise<void> {
  const found = await lstat(path)
  if (found.isSymbolicLink()) throw refused(path, 'is a symbolic link, which is not followed: it may lead to where others read')
  if (!found.isDirectory()) throw refused(path, 'is no folder: a file store keeps a folder of its own there')
  const user = process.getuid?.()
  if (user !== undefined && found.uid !== user) throw refused(path, 'belongs to another user')
  if (user !== undefined && (found.mode & 0o077) !== 0) await chmod(path, 0o700)
}

/** What the system said, as an error of a store; an OAuthError stays what it is. The system's own error is left behind: it names what it was called with. */
export function storeFailure(place: string, error: unknown): OAuthError {
  if (error instanceof OAuthError) return error
  const code = codeOf(error)
  const reason = (code === undefined ? undefined : reasons[code]) ?? `the system said ${code ?? 'no more than that'}`
  return new OAuthError(
    'store_unavailable',
    `The file store in ${place} could not be used: ${reason}. Nothing that was stored is known to be lost: put this right and try again.`,
  )
}

export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

function refused(path: string, problem: string): OAuthError {
  return new OAuthError('store_unavailable', `${path} ${problem}. Remove it, or give fileStore another place.`)
}

const reasons: Readonly<Record<string, string>> = {
  EACCES: 'this user may not read or write there',
  EPERM: 'this user may not read or write there',
  EROFS: 'that disk can only be read',
  ENOSPC: 'that disk is full',
  EDQUOT: 'that disk has no more room for this user',
  ENOTDIR: 'a part of the path is no folder',
  ELOOP: 'a file there is a symbolic link, which is not followed',
  EMFILE: 'too many files are open',
  ENFILE: 'too many files are open',
  EIO: 'that disk could not be read or written',
  ENOENT: 'a part of it is gone',
}
