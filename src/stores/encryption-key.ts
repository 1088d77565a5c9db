import { OAuthError } from '../core/errors.js'
import { isObject, wrongOption } from '../core/option.js'
import { bare } from '../core/secret.js'
import { fromBase64 } from './seal.js'
import type { AesKey, KeyRing } from './seal.js'

/**
 * 32 random bytes in base64 or base64url; several by id, the first seals and all open; or a function (a KMS).
 * A function is asked at the first use, and again when a value names a key that is not known: so a new key reaches a running process.
 */
export type EncryptionKey = string | Readonly<Record<string, string>> | (() => EncryptionKey | Promise<EncryptionKey>)

type Bytes = Uint8Array<ArrayBuffer>
/** The keys by id, the sealing one first. */
type Keys = ReadonlyMap<string, AesKey>

/** Checks what is there to be checked at once, and keeps the keys as CryptoKeys that cannot be read out. */
export function encryptionKeyRing(encryptionKey: unknown): KeyRing {
  const changes = typeof encryptionKey === 'function'
  const read = changes ? () => ask(encryptionKey as EncryptionKey) : constant(decode(encryptionKey))
  let known: Promise<Keys> | undefined

  function keys(): Promise<Keys> {
    if (known !== undefined) return known
    const asked = read().then(imported)
    known = asked
    asked.catch(() => {
      if (known === asked) known = undefined
    })
    return asked
  }

  async function opening(id: string): Promise<readonly AesKey[]> {
    const before = keys()
    if (changes && !(await before).has(id) && known === before) known = undefined
    const all = await keys()
    const key = all.get(id)
    // A key that was given alone has no name, and gets one when another is given with it: it is the same key.
    return key === undefined ? [...all.values()] : [key]
  }

  return {
    async sealing() {
      const [first] = await keys()
      if (first === undefined) throw notAKey()
      return bare({ id: first[0], key: first[1] })
    },
    opening,
  }
}

const constant = (keys: ReadonlyMap<string, Bytes>) => async () => keys

/** Asks the program's function, and what that may return in turn. */
async function ask(encryptionKey: EncryptionKey): Promise<ReadonlyMap<string, Bytes>> {
  let answer: EncryptionKey = encryptionKey
  try {
    for (let depth = 0; typeof answer === 'function' && depth < 4; depth += 1) answer = await answer()
  } catch {
    // Not as a cause: an error of a key service may say what it was asked for.
    throw new OAuthError(
      'store_unavailable',
      'The function given as encryptionKey failed, so nothing can be sealed or opened. It is asked again at the next use.',
    )
  }
  return decode(answer)
}

function decode(encryptionKey: unknown): ReadonlyMap<string, Bytes> {
  // One key has the empty id, so that it can be the old one of several later: { now: '…', '': 'the first' }.
  if (typeof encryptionKey === 'string') return new Map([['', bytesOf(encryptionKey)]])
  if (!isObject(encryptionKey)) throw notAKey()
  const keys = new Map(Object.entries<unknown>(encryptionKey).map(([id, text]) => [id, bytesOf(text)] as const))
  if (keys.size === 0) throw notAKey()
  if (keys.size > 1 && [...keys.keys()].some((id) => /^\d+$/.test(id))) {
    // The language puts such names in numeric order, whatever order they were written in.
    throw wrongOption(
      'encryptionKey',
      'has several keys, of which the first seals, so none may be named by a number alone. Call them "k1", "k2" …',
    )
  }
  return keys
}

function bytesOf(text: unknown): Bytes {
  const bytes = typeof text === 'string' ? fromBase64(text.trim()) : undefined
  if (bytes?.length !== 32) throw notAKey()
  return bytes
}

function notAKey(): OAuthError {
  return wrongOption(
    'encryptionKey',
    'must be 32 random bytes in base64 (or such texts by id, or a function for either). Make one with: openssl rand -base64 32',
  )
}

async function imported(keys: ReadonlyMap<string, Bytes>): Promise<Keys> {
  const all = new Map<string, AesKey>()
  for (const [id, bytes] of keys) all.set(id, await crypto.subtle.importKey('raw', bytes, 'AES-GCM', false, ['encrypt', 'decrypt']))
  return all
}
