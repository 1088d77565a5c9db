import type { Client } from '../core/client.js'
import type { Rejected, Wanted } from '../core/decide.js'
import type { OAuthFact } from '../core/events.js'
import { type Members, Unreadable, number, object, optional, readable, string, strings } from '../core/reading.js'
import { present } from '../core/secret.js'
import type { Round } from '../engine/renewal.js'
import { errorMessage, readCode, readError } from './error-messages.js'

// What a page and its worker say to each other about a renewal: who is asked for what, and what came of it. Never a token, a code, a verifier or
// a secret: both go to the store for these. What is read is believed member by member, its own ones only; what does not fit is no message.

/** The option names of a client that its worker needs to be the same client. */
export const renewalOptions: readonly string[] = [
  'issuer', 'discoveryUrl', 'additionalMetadata', 'authorizationServer', 'clientId', 'scope', 'resource', 'audience', 'tokenParameters',
  'dpop', 'deadlineSeconds', 'serverQuirks', 'account', 'database',
] // prettier-ignore

export interface RenewalRequest {
  /** Options, not yet checked. */
  readonly config: object
  readonly wanted: Wanted
  /** The session and the generation that are to be renewed. */
  readonly due: Rejected
}

/** What the worker says: at once that it has begun, then what happens, and at last what came of it. `absent`: it has no such record. */
export type RenewalReply =
  | { readonly kind: 'taken' | 'absent' }
  | { readonly kind: 'fact'; readonly fact: OAuthFact }
  | { readonly kind: 'done'; readonly round: Round }

/** The options of a page's client as plain data, as its worker reads them again. */
export function renewalConfig(client: Client, account: string | undefined, database: string | undefined): object {
  const { issuer, discoveryUrl, additionalMetadata, metadata } = client.server
  const server = metadata === undefined ? { issuer, discoveryUrl, additionalMetadata } : { authorizationServer: metadata }
  const { clientId, scope, resource, audience, tokenParameters } = client
  const deadlineSeconds = client.deadline / 1_000
  return present<object>({
    ...server,
    clientId,
    scope,
    resource,
    audience,
    tokenParameters,
    dpop: client.dpop,
    deadlineSeconds,
    serverQuirks: [...client.quirks],
    account,
    database,
  })
}

export function requestMessage({ config, wanted, due }: RenewalRequest): object {
  return { valetkey: 'renew', config, wanted: { ...wanted }, due: { ...due } }
}

export function readRequest(message: unknown): RenewalRequest | undefined {
  return readable(() => {
    const from = object(message)
    if (from['valetkey'] !== 'renew') throw new Unreadable()
    const due = object(from['due'])
    const config = object(from['config'])
    return { config, wanted: wanted(from['wanted']), due: { session: string(due['session']), generation: number(due['generation']) } }
  })
}

export function replyMessage(reply: RenewalReply): object {
  if (reply.kind !== 'done') return { valetkey: reply.kind, ...('fact' in reply ? { fact: { ...reply.fact } } : {}) }
  const { error, concerns } = reply.round
  return present<object>({
    valetkey: 'done',
    error: error === undefined ? undefined : errorMessage(error),
    concerns: concerns === undefined ? undefined : { ...concerns },
  })
}

export function readReply(message: unknown): RenewalReply | undefined {
  return readable<RenewalReply>(() => {
    const from = object(message)
    const kind = from['valetkey']
    if (kind === 'taken' || kind === 'absent') return { kind }
    if (kind === 'fact') return { kind, fact: fact(object(from['fact'])) }
    if (kind !== 'done') throw new Unreadable()
    return { kind, round: present<Round>({ error: optional(from['error'], readError), concerns: optional(from['concerns'], wanted) }) }
  })
}

function wanted(value: unknown): Wanted {
  const from = object(value)
  return present<Wanted>({
    scope: optional(from['scope'], strings),
    resource: optional(from['resource'], string),
    audience: optional(from['audience'], string),
    minimumValidity: number(from['minimumValidity']),
    // Infinity, where nothing was renewed yet.
    after: from['after'] === Infinity ? Infinity : number(from['after']),
  })
}

/** Those facts alone that whoever renews says: what a look at the store shows, the page says itself. */
function fact(from: Members): OAuthFact {
  const type = from['type']
  switch (type) {
    case 'discovered':
    case 'renewal_started':
    case 'renewal_adopted':
      return { type }
    case 'renewal_finished':
      return { type, tookMilliseconds: number(from['tookMilliseconds']) }
    case 'renewal_failed':
      return { type, code: readCode(from['code']), ...present<{ retryAt?: number }>({ retryAt: optional(from['retryAt'], number) }) }
    case 'scope_narrowed':
      return { type, missingScope: strings(from['missingScope']) }
    default:
      throw new Unreadable()
  }
}
