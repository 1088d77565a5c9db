import type { OAuthErrorCode } from './errors.js'
import { type Members, Unreadable, list, number, object, oneOf, optional, readable, string, strings } from './reading.js'
import { Secret, bare, present } from './secret.js'
import type { Asked, AuthorizationDetail, IdTokenClaims, SessionEnd, StoredToken, TokenRecord, Wait } from './token-record.js'
import { tokenRecord } from './token-record.js'

// The text that a store holds, and back. What comes back is believed member by member: a store can be poisoned, truncated or
// written by another version, and what does not fit is `undefined` as a whole, never half a record.
//
// Two versions of an application may be open at once. A later version may add members that an earlier one can do without: the earlier leaves
// them out of what it reads, and of what it writes. Of a record that must not be read in this way a later version says `format`: what has one
// that is not known here is unreadable, is never written over by a renewal, an answer or a healing, and is ended by a sign-out or replaced by a sign-in.

export function encodeTokenRecord(record: TokenRecord): string {
  return JSON.stringify(clear(record))
}

export function decodeTokenRecord(text: string): TokenRecord | undefined {
  return read(text, (from) => {
    if (from['format'] !== undefined) throw new Unreadable()
    return tokenRecord({
      issuer: string(from['issuer']),
      clientId: string(from['clientId']),
      session: string(from['session']),
      generation: count(from['generation']),
      ended: optional(from['ended'], (ended) => ({ at: number(object(ended)['at']), reason: oneOf(object(ended)['reason'], sessionEnds) })),
      grantedScope: strings(from['grantedScope']),
      refreshToken: optional(from['refreshToken'], secret),
      idToken: optional(from['idToken'], secret),
      idTokenClaims: optional(from['idTokenClaims'], claims),
      authorizationDetails: optional(from['authorizationDetails'], (details) => list(details).map(detail)),
      sessionExpiresAt: optional(from['sessionExpiresAt'], number),
      refreshTokenExpiresAt: optional(from['refreshTokenExpiresAt'], number),
      accessTokens: list(from['accessTokens']).map(storedToken),
      sending: optional(from['sending'], (sending) => ({
        by: string(object(sending)['by']),
        startedAt: number(object(sending)['startedAt']),
      })),
      unclear: optional(from['unclear'], count),
      wait: optional(from['wait'], wait),
      boundTo: optional(from['boundTo'], string),
    })
  })
}

function storedToken(value: unknown): StoredToken {
  const from = object(value)
  return present<StoredToken>({
    text: secret(from['text']),
    type: oneOf(from['type'], ['Bearer', 'DPoP'] as const),
    asked: asked(from['asked']),
    granted: strings(from['granted']),
    generation: count(from['generation']),
    issuedAt: number(from['issuedAt']),
    lifetime: optional(from['lifetime'], number),
  })
}

function asked(value: unknown): Asked {
  const from = object(value)
  return present<Asked>({
    scope: optional(from['scope'], strings),
    resource: optional(from['resource'], string),
    audience: optional(from['audience'], string),
  })
}

function wait(value: unknown): Wait {
  const from = object(value)
  // The code only chooses the words of an error, so an unknown one is not a reason to refuse the session.
  return { id: string(from['id']), until: number(from['until']), span: number(from['span']), code: string(from['code']) as OAuthErrorCode }
}

function claims(value: unknown): IdTokenClaims {
  const from = object(value)
  return { ...from, iss: string(from['iss']), sub: string(from['sub']) }
}

function detail(value: unknown): AuthorizationDetail {
  const from = object(value)
  return { ...from, type: string(from['type']) }
}

const sessionEnds: readonly SessionEnd[] = ['signed_out', 'invalid_grant', 'ambiguous_rotation', 'user_changed', 'key_lost', 'expired']

export function read<T>(text: string, make: (from: Members) => T): T | undefined {
  return readable(() => make(object(JSON.parse(text))))
}

function count(value: unknown): number {
  if (!Number.isSafeInteger(value) || (value as number) < -1) throw new Unreadable()
  return value as number
}

export function secret(value: unknown): Secret {
  const text = string(value)
  if (text === '') throw new Unreadable()
  return Secret.of(text)
}

/** What a store holds in the place of a value: its Secrets as text, and nothing with a prototype, whose `toJSON` would be called with them. */
export function clear(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return Object.setPrototypeOf(value.map(clear), null)
  if (isSecret(value)) return value.reveal()
  return bare(Object.fromEntries(Object.entries(value).map(([name, member]) => [name, clear(member)])))
}

function isSecret(value: object): value is Secret {
  return Object.hasOwn(value, 'reveal') && typeof (value as Secret).reveal === 'function'
}
