import type { ClientOptions } from '../core/client.js'
import { clientOptions, readClient, readLock, readStore } from '../core/client-options.js'
import type { Assertion } from '../core/credentials.js'
import { ownMembers, text, wrongOption } from '../core/option.js'
import { present } from '../core/secret.js'
import type { TokenSource } from '../core/tokens.js'
import { memoryStore } from '../stores/memory.js'
import { systemClock } from '../system-clock.js'
import { readAssertion, speaksFor } from './assertion-subject.js'
import { ownRightSource } from './own-right.js'

/** Which token is exchanged, and for what (RFC 8693 section 2.1). */
export interface TokenExchangeSettings {
  readonly subjectToken: Assertion
  /** What the subject token is, such as `urn:ietf:params:oauth:token-type:jwt` (RFC 8693 section 3). */
  readonly subjectTokenType: string
  /** Default: the server's choice. */
  readonly requestedTokenType?: string
}

/**
 * One token for another (RFC 8693). The subject token is asked for anew whenever a token is due. Otherwise as `clientCredentials`.
 *
 * @throws OAuthError `invalid_configuration`, which names the option that is wrong, before any request
 *
 * @example
 * const source = tokenExchange({
 *   issuer,
 *   clientId,
 *   subjectToken: async () => (await readFile('/var/run/secrets/tokens/oauth', 'utf8')).trim(),
 *   subjectTokenType: 'urn:ietf:params:oauth:token-type:jwt',
 * })
 */
export function tokenExchange(options: ClientOptions & TokenExchangeSettings): TokenSource {
  const known = [...clientOptions, 'subjectToken', 'subjectTokenType', 'requestedTokenType']
  const client = readClient(options, known, { clock: systemClock }, 'tokenExchange')
  const members = ownMembers(options, known, 'tokenExchange')
  const subjectTokenType = text(members, 'subjectTokenType')
  if (subjectTokenType === undefined)
    throw wrongOption('subjectTokenType', 'is missing. Say what the subject token is (RFC 8693 section 3).')
  const exchange: TokenExchangeSettings = present<TokenExchangeSettings>({
    subjectToken: readAssertion(members, 'subjectToken'),
    subjectTokenType,
    requestedTokenType: text(members, 'requestedTokenType'),
  })
  return ownRightSource({
    client,
    grantType: 'urn:ietf:params:oauth:grant-type:token-exchange',
    about: async () => [exchange.subjectTokenType, exchange.requestedTokenType ?? '', ...(await speaksFor(exchange.subjectToken, client))],
    store: readStore(members) ?? memoryStore(),
    lock: readLock(members),
    prepare: async (bound) => (await import('../grants/token-exchange.js')).prepareTokenExchange(bound, exchange),
  })
}
