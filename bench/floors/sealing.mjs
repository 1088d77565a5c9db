// AES-GCM at rest, under a key that cannot be read out.
import { get, set, update } from 'idb-keyval'

async function key() {
  const held = await get('key')
  if (held !== undefined) return held
  const made = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt'])
  await update('key', (now) => now ?? made)
  return get('key')
}

export async function keep(tokens) {
  const iv = crypto.getRandomValues(new Uint8Array(12))
  const text = await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, await key(), new TextEncoder().encode(JSON.stringify(tokens)))
  await set('tokens', { iv, text })
}

export async function kept() {
  const held = await get('tokens')
  if (held === undefined) return undefined
  const text = await crypto.subtle.decrypt({ name: 'AES-GCM', iv: held.iv }, await key(), held.text)
  return JSON.parse(new TextDecoder().decode(text))
}
