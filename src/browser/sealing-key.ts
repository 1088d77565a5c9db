import { get, update } from 'idb-keyval'
import { randomBytes } from '../core/random-bytes.js'
import { bare } from '../core/secret.js'
import type { AesKey, KeyRing } from '../stores/seal.js'
import type { Database } from './database.js'
import { natives } from './natives.js'

/** What no key of a caller becomes: those have a prefix. */
const entry = 'sealing key'

interface SealingKey {
  readonly id: string
  readonly key: AesKey
}

/**
 * The sealing key of a database, kept in the database itself: an AES-256-GCM key that cannot be read out, made by whichever tab is first.
 * Where its entry was tampered with, a new one takes its place, and what the old one sealed cannot be read.
 */
export function storedKeyRing(use: Database['use'], onGone: Database['onGone']): KeyRing {
  let known: Promise<SealingKey> | undefined
  onGone(() => (known = undefined))

  function sealing(): Promise<SealingKey> {
    if (known !== undefined) return known
    const found = find()
    known = found
    found.catch(() => {
      if (known === found) known = undefined
    })
    return found
  }

  async function find(): Promise<SealingKey> {
    const held: unknown = await get(entry, use)
    if (isSealingKey(held)) return held
    const made = await make()
    let first = made
    await update<unknown>(entry, (now) => (first = isSealingKey(now) ? now : made), use)
    return first
  }

  return {
    sealing,
    async opening(id) {
      const mine = await sealing()
      return mine.id === id ? [mine.key] : []
    },
  }
}

async function make(): Promise<SealingKey> {
  const by = natives.webCrypto ?? crypto
  const id = Array.from(randomBytes(8, by), (byte) => byte.toString(16).padStart(2, '0')).join('')
  return bare({ id, key: await by.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt']) })
}

function isSealingKey(held: unknown): held is SealingKey {
  if (typeof held !== 'object' || held === null || !Object.hasOwn(held, 'id') || !Object.hasOwn(held, 'key')) return false
  const { id, key } = held as { id: unknown; key: unknown }
  return (
    typeof id === 'string' && key instanceof CryptoKey && key.algorithm.name === 'AES-GCM' && !key.extractable && key.usages.length === 2
  )
}
