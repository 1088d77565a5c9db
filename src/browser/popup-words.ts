import { randomBytes } from '../core/random-bytes.js'
import { natives } from './natives.js'

/** What is said: here is the response; it has been taken. */
type Kind = 'response' | 'taken'

/** Texts that only who knows the `state` can write or read, so that neither a broadcast nor a message shows a code. */
export interface Words {
  seal(kind: Kind, text: string): Promise<string>
  /** `undefined` for all that was not sealed as this kind, under this `state`. */
  open(kind: Kind, sealed: string): Promise<string | undefined>
}

/** The `state` is unguessable and serves once, so its digest is a key (AES-256-GCM, random 96-bit nonces). */
export async function wordsOf(state: string): Promise<Words> {
  const by = natives.webCrypto ?? crypto
  const { subtle } = by
  const raw = await subtle.digest('SHA-256', bytesOf(`valetkey popup key ${state}`))
  const key = await subtle.importKey('raw', raw, 'AES-GCM', false, ['encrypt', 'decrypt'])
  const parameters = (kind: Kind, iv: Uint8Array<ArrayBuffer>) => ({ name: 'AES-GCM', iv, additionalData: bytesOf(kind) })
  return {
    async seal(kind, text) {
      const iv = randomBytes(nonceLength, by)
      const sealed = await subtle.encrypt(parameters(kind, iv), key, bytesOf(text))
      return hex(iv) + hex(new Uint8Array(sealed))
    },
    async open(kind, sealed) {
      const bytes = unhex(sealed)
      if (bytes === undefined) return undefined
      try {
        const text = await subtle.decrypt(parameters(kind, bytes.slice(0, nonceLength)), key, bytes.slice(nonceLength))
        return new TextDecoder().decode(text)
      } catch {
        return undefined
      }
    },
  }
}

const nonceLength = 12

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text)
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

function unhex(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (!/^(?:[\da-f]{2})+$/.test(text)) return undefined
  return Uint8Array.from({ length: text.length / 2 }, (_, index) => Number.parseInt(text.slice(2 * index, 2 * index + 2), 16))
}
