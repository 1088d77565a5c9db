import type { Client } from '../core/client.js'
import type { JsonObject } from './json.js'
import { type Jws, isSignedBy } from './jws.js'
import { serverKeys } from './server-keys.js'
import { type SigningAlgorithm, signingAlgorithms } from './signing-algorithms.js'

/** Whether the client's authorization server has signed it, with one of its public keys (RFC 7515 section 5.2). Rejects as `serverKeys` does. */
export async function isSignedByServer(client: Client, jws: Jws): Promise<boolean> {
  const algorithm = signingAlgorithms.find((one) => one === jws.header['alg'])
  if (algorithm === undefined || 'crit' in jws.header) return false
  const fits = (key: JsonObject) => couldHaveSigned(key, jws, algorithm)
  const keys = await serverKeys(client, (known) => known.some(fits))
  for (const key of keys.filter(fits)) if (await isSignedBy(jws, key, algorithm)) return true
  return false
}

const kinds: Readonly<Record<string, string>> = { RS: 'RSA', PS: 'RSA', ES: 'EC', Ed: 'OKP' }

/** Without a key id every key of the kind is tried. */
function couldHaveSigned(key: JsonObject, { header: { kid } }: Jws, algorithm: SigningAlgorithm): boolean {
  if (key['kty'] !== kinds[algorithm.slice(0, 2)]) return false
  return (kid === undefined || key['kid'] === kid) && (key['alg'] === undefined || key['alg'] === algorithm)
}
