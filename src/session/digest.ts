import type { WebCrypto } from '../core/client.js'

/** SHA-256, in hexadecimal: a name for what nobody need read in a key. */
export async function digest(text: string, { subtle }: Pick<WebCrypto, 'subtle'> = crypto): Promise<string> {
  const bytes = new Uint8Array(await subtle.digest('SHA-256', new TextEncoder().encode(text)))
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}
