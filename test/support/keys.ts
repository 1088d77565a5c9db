/** A pair of keys for signing. */
export function keyPair(algorithm: string, extractable = true): Promise<CryptoKeyPair> {
  const size = algorithm.slice(2)
  const rsa = { modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash: `SHA-${size}` }
  const kinds: Readonly<Record<string, object>> = {
    RS: { name: 'RSASSA-PKCS1-v1_5', ...rsa },
    PS: { name: 'RSA-PSS', ...rsa },
    ES: { name: 'ECDSA', namedCurve: size === '512' ? 'P-521' : `P-${size}` },
    Ed: { name: 'Ed25519' },
  }
  return crypto.subtle.generateKey(kinds[algorithm.slice(0, 2)] as EcKeyGenParams, extractable, [
    'sign',
    'verify',
  ]) as Promise<CryptoKeyPair>
}

/** PKCS #8 in PEM. */
export async function pemOf(key: CryptoKey): Promise<string> {
  const base64 = Buffer.from(await crypto.subtle.exportKey('pkcs8', key)).toString('base64')
  return `-----BEGIN PRIVATE KEY-----\n${base64.replaceAll(/.{64}/g, '$&\n')}\n-----END PRIVATE KEY-----\n`
}
