import type { Client } from '../core/client.js'
import type { TokenTarget } from '../core/tokens.js'
import { digest } from '../session/digest.js'

/**
 * The store's key of tokens in the application's own right: another for every input that changes the token (a token of another tenant must never
 * be found). It is a digest, for parameters may be nobody's business.
 */
export async function recordKey(client: Client, grantType: string, target: TokenTarget, about: readonly string[]): Promise<string> {
  const inputs = [
    client.server.issuer,
    client.clientId,
    client.clientAuthentication.method,
    grantType,
    [...(target.scope ?? [])].toSorted(),
    target.resource ?? client.resource,
    target.audience ?? null,
    Object.entries(client.tokenParameters).toSorted(([one], [other]) => (one < other ? -1 : 1)),
    client.dpop,
    about,
  ]
  return `valetkey:own:${await digest(JSON.stringify(inputs))}`
}
