import { createHash } from 'node:crypto'
import { homedir } from 'node:os'
import { OAuthError } from '../core/errors.js'
import { ownMembers } from '../core/option.js'
import type { Store } from '../core/ports.js'
import type { EncryptionKey } from '../stores/encryption-key.js'
import { sealed } from '../stores/sealed.js'
import { systemClock } from '../system-clock.js'
import { placeOf } from './file-place.js'
import { fileRecords } from './file-records.js'
import { keyFromKeyring, keyringModule } from './keyring.js'
import type { KeyringParts } from './keyring.js'

/**
 * A store in one sealed file, for one user of this machine and all the processes that this user has there.
 *
 * A name means the platform's own place (`$XDG_STATE_HOME` or `~/.local/state`, `~/Library/Application Support`, `%LOCALAPPDATA%`, in
 * `valetkey/NAME`), a path that place. It is a folder of the store's own (0700; the file in it 0600) on a disk of this machine, made where it is
 * missing; a symbolic link, or another user's folder, is refused. Values are sealed (AES-256-GCM, bound to key and version) with
 * `encryptionKey`, or else with a key of the operating system's keyring, which needs the package `@napi-rs/keyring`.
 *
 * `replace` is compare-and-set between processes. When it resolves, the file is on the disk; a process that is killed at any moment leaves the old
 * records or the new ones, and nobody waits for it. Records that cannot be read (torn, of another program, sealed with another key) have an
 * empty value, and can be replaced; what was torn stays beside them as `unreadable.json`.
 *
 * Rejects with `invalid_configuration` where there is neither a keyring that answers within five seconds nor an `encryptionKey`: nothing is ever
 * stored in clear. Rejects with `store_unavailable`, as the store's methods do, where the place cannot be used.
 *
 * @param options `encryptionKey`: see `sealed`; where it is given, no keyring is asked
 *
 * @example
 * const store = await fileStore('notes-cli')
 * const inAContainer = await fileStore('/var/lib/notes/tokens', { encryptionKey: process.env['STORE_KEY']! })     // openssl rand -base64 32
 */
export function fileStore(nameOrPath: string, options: { readonly encryptionKey?: EncryptionKey } = {}): Promise<Store> {
  return fileStoreBy(nameOrPath, options, { module: keyringModule, clock: systemClock })
}

export async function fileStoreBy(
  nameOrPath: string,
  options: { readonly encryptionKey?: EncryptionKey },
  keyring: KeyringParts,
): Promise<Store> {
  const members = ownMembers(options, ['encryptionKey'], 'fileStore')
  const place = placeOf(nameOrPath, { platform: process.platform, environment: process.env, home: homedir() })
  const records = fileRecords(place)
  // The key first: where there is none, nothing is made on the disk.
  const encryptionKey = (members['encryptionKey'] as EncryptionKey | undefined) ?? (await keyOf(place, keyring))
  const store = sealed(records, { encryptionKey })
  await records.prepare()
  return store
}

/** Asked again for a value that another key has sealed: two processes that made a key at the same time then agree on the one that was kept. */
async function keyOf(place: string, keyring: KeyringParts): Promise<EncryptionKey> {
  let known: EncryptionKey | undefined = await askedFor(place, keyring)
  return () => {
    const answer = known ?? askedFor(place, keyring)
    known = undefined
    return answer
  }
}

/** Under an id that is the key's own. */
async function askedFor(place: string, keyring: KeyringParts): Promise<EncryptionKey> {
  const { key, reason } = await keyFromKeyring(place, keyring)
  if (key !== undefined) return { [`keyring ${createHash('sha256').update(key).digest('hex').slice(0, 8)}`]: key }
  throw new OAuthError(
    'invalid_configuration',
    `The file store in ${place} has nothing to be sealed with: ${reason}. Either install @napi-rs/keyring on a machine that has a keyring, and ` +
      'unlock it, or give `encryptionKey`: 32 random bytes in base64, made once by: openssl rand -base64 32',
  )
}
