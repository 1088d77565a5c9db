import { ownMembers, wrongOption } from '../core/option.js'
import type { Store } from '../core/ports.js'
import { hasMethods } from './backend.js'
import { encryptionKeyRing } from './encryption-key.js'
import type { EncryptionKey } from './encryption-key.js'
import { seal } from './seal.js'

export type { EncryptionKey } from './encryption-key.js'

/**
 * Encrypts what a store holds: AES-256-GCM under a fresh random nonce, bound to key and version, so that a row cannot be put in the
 * place of another. Keys, versions and expiry stay in clear; the id of the encryption key is stored with the value.
 *
 * A value that cannot be opened (torn, swapped, foreign, sealed by a key that is not among these) is read as the empty string under its
 * version: no record, so that its reader gets `record_invalid`, and a sign-in can still replace it.
 *
 * Throws `invalid_configuration` where `encryptionKey` is not 32 bytes. Rejects with `store_unavailable` where a function for it fails.
 *
 * @example
 * const store = sealed(memoryStore(), { encryptionKey: process.env['STORE_KEY']! })     // openssl rand -base64 32
 */
export function sealed(store: Store, options: { readonly encryptionKey: EncryptionKey }): Store {
  const members = ownMembers(options, ['encryptionKey'], 'sealed')
  if (!hasMethods(store, 'get', 'replace')) throw wrongOption('store', 'of sealed must be an object with the functions get, replace.')
  const { seal: close, open, forget } = seal(encryptionKeyRing(members['encryptionKey']))
  const { watch } = store
  return {
    async get(key) {
      const held = await store.get(key)
      if (held !== undefined) return open(key, held)
      forget(key)
      return undefined
    },
    async replace(key, seen, next) {
      const done = await store.replace(key, seen, next === undefined ? undefined : await close(key, next))
      if (done) forget(key)
      return done
    },
    ...(watch === undefined ? {} : { watch: (key, changed) => watch.call(store, key, changed) }),
  }
}
