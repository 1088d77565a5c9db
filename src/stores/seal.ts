import type { WebCrypto } from '../core/client.js'
import type { Versioned } from '../core/ports.js'
import { randomBytes } from '../core/random-bytes.js'
import { bare } from '../core/secret.js'
import { expiryOf, versioned } from './versioned.js'

/** `CryptoKey`, also for projects without the DOM's types. */
export type AesKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>

/** The keys that seal and open. Either may reject with `store_unavailable`. */
export interface KeyRing {
  /** What seals from now on, and the id that is stored with the value. */
  sealing(): Promise<{ readonly id: string; readonly key: AesKey }>
  /** The key of this id; where there is none, those that may have had another name then. */
  opening(id: string): Promise<readonly AesKey[]>
}

/** AES-256-GCM with a fresh random nonce; additional data are the store's key, the version and the key's id. */
export interface Seal {
  /** The same version and expiry, its value sealed. */
  seal(key: string, next: Versioned): Promise<Versioned>
  /** The same version and expiry, its value opened: the empty string where it cannot be. Opened once a version. */
  open(key: string, held: Versioned): Promise<Versioned>
  /** Drops what was kept of this key in memory. */
  forget(key: string): void
}

export function seal(ring: KeyRing, by?: WebCrypto): Seal {
  const opened = new Map<string, { readonly held: Versioned; readonly value: Promise<string> }>()

  async function sealValue(key: string, next: Versioned): Promise<Versioned> {
    const { id, key: aesKey } = await ring.sealing()
    const nonce = randomBytes(nonceLength, by ?? crypto)
    const plain = bytesOf(next.value)
    const text = await (by ?? crypto).subtle.encrypt(algorithm(nonce, boundTo(key, next.version, id)), aesKey, plain)
    return versioned(
      next.version,
      [format, toBase64url(bytesOf(id)), toBase64url(nonce), toBase64url(new Uint8Array(text))].join('.'),
      expiryOf(next),
    )
  }

  /** Kept by text and not by version alone: a row whose text was changed under its version is another row. */
  function openOnce(key: string, held: Versioned): Promise<string> {
    const last = opened.get(key)
    if (last?.held.version === held.version && last.held.value === held.value) return last.value
    const value = openValue(ring, key, held, by)
    opened.delete(key)
    opened.set(key, { held, value })
    for (const oldest of opened.keys()) if (opened.size > mostOpened) opened.delete(oldest)
    value.catch(() => {
      if (opened.get(key)?.value === value) opened.delete(key)
    })
    return value
  }

  return {
    seal: sealValue,
    open: async (key, held) => versioned(held.version, await openOnce(key, held), expiryOf(held)),
    forget: (key) => void opened.delete(key),
  }
}

async function openValue(ring: KeyRing, key: string, held: Versioned, { subtle }: WebCrypto = crypto): Promise<string> {
  const [name, id64, nonce64, text64, ...rest] = held.value.split('.')
  if (name !== format || id64 === undefined || nonce64 === undefined || text64 === undefined || rest.length > 0) return unreadable
  const [id, nonce, text] = [fromBase64(id64), fromBase64(nonce64), fromBase64(text64)]
  if (id === undefined || nonce?.length !== nonceLength || text === undefined) return unreadable
  const keyId = textOf(id)
  for (const aesKey of await ring.opening(keyId)) {
    try {
      return textOf(await subtle.decrypt(algorithm(nonce, boundTo(key, held.version, keyId)), aesKey, text))
    } catch {
      // It is another's.
    }
  }
  return unreadable
}

const unreadable = ''
const format = 'v1'
/** 96 bits, the length that GCM is made for (NIST SP 800-38D, 5.2.1.1). */
const nonceLength = 12
/** Plain text kept in memory: a page has a few keys, a server's user sessions are opened again when they come again. */
const mostOpened = 64
type Bytes = Uint8Array<ArrayBuffer>

const bytesOf = (text: string): Bytes => new TextEncoder().encode(text)
/** Text as it was written, a byte order mark included. */
const textOf = (bytes: Bytes | ArrayBuffer): string => new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)

/** Without a prototype: a polluted one could add a shorter `tagLength`. */
function algorithm(iv: Bytes, additionalData: Bytes): { name: string; iv: Bytes; additionalData: Bytes; tagLength: number } {
  return bare({ name: 'AES-GCM', iv, additionalData, tagLength: 128 })
}

/** With lengths, so that no two rows share their additional data. */
function boundTo(key: string, version: string, id: string): Bytes {
  return bytesOf([key, version, id].map((text) => `${text.length}:${text}`).join(''))
}

function toBase64url(bytes: Uint8Array): string {
  let binary = ''
  for (const byte of bytes) binary += String.fromCharCode(byte)
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

/** Base64 or base64url, padded or not; `undefined` where it is neither. */
export function fromBase64(text: string): Bytes | undefined {
  try {
    const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'))
    return Uint8Array.from(binary, (character) => character.charCodeAt(0))
  } catch {
    return undefined
  }
}
