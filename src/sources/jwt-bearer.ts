import type { ClientOptions } from '../core/client.js'
import { clientOptions, readClient, readLock, readStore } from '../core/client-options.js'
import type { Assertion } from '../core/credentials.js'
import { ownMembers } from '../core/option.js'
import type { TokenSource } from '../core/tokens.js'
import { memoryStore } from '../stores/memory.js'
import { systemClock } from '../system-clock.js'
import { readAssertion, speaksFor } from './assertion-subject.js'
import { ownRightSource } from './own-right.js'

/**
 * Tokens for an assertion (RFC 7523 section 2.1): workload identity, where the platform signs who the program is. A function is asked for a fresh
 * one whenever a token is due; the token is kept for whom the first one speaks for (`iss` and `sub`). Otherwise as `clientCredentials`.
 *
 * @throws OAuthError `invalid_configuration`, which names the option that is wrong, before any request
 *
 * @example
 * const source = jwtBearer({ issuer, clientId, assertion: async () => (await readFile('/var/run/secrets/tokens/oauth', 'utf8')).trim() })
 */
export function jwtBearer(options: ClientOptions & { readonly assertion: Assertion }): TokenSource {
  const known = [...clientOptions, 'assertion']
  const client = readClient(options, known, { clock: systemClock }, 'jwtBearer')
  const members = ownMembers(options, known, 'jwtBearer')
  const assertion = readAssertion(members, 'assertion')
  return ownRightSource({
    client,
    grantType: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
    about: async () => speaksFor(assertion, client),
    store: readStore(members) ?? memoryStore(),
    lock: readLock(members),
    prepare: async (bound) => (await import('../grants/jwt-bearer.js')).prepareJwtBearer(bound, assertion),
  })
}
