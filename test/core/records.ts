import { Secret, bare, present } from '../../src/core/secret.js'
import type { Asked, StoredToken, TokenAnswer, TokenRecord } from '../../src/core/token-record.js'
import { tokenRecord } from '../../src/core/token-record.js'

// Records and answers with little to say, for tests that say the rest.

export const now = 1_800_000_000_000

export function aToken(
  members: Partial<Omit<StoredToken, 'text' | 'asked'>> & { readonly text?: string; readonly asked?: Asked } = {},
): StoredToken {
  const { text = 'access', asked = {}, ...others } = members
  return bare<StoredToken>({
    text: Secret.of(text),
    type: 'Bearer',
    asked: bare({ ...asked }),
    granted: ['read', 'write'],
    generation: 1,
    issuedAt: now,
    lifetime: 3_600_000,
    ...others,
  })
}

export function aRecord(members: Partial<TokenRecord> = {}): TokenRecord {
  return tokenRecord({
    issuer: 'https://as.example',
    clientId: 'c',
    session: 's1',
    generation: 1,
    grantedScope: ['read', 'write'],
    refreshToken: Secret.of('refresh'),
    accessTokens: [aToken()],
    ...members,
  } as TokenRecord)
}

/** The record without something. */
export function without(record: TokenRecord, ...names: readonly (keyof TokenRecord)[]): TokenRecord {
  return tokenRecord({ ...record, ...Object.fromEntries(names.map((name) => [name, undefined])) })
}

export function anAnswer(
  members: Partial<Omit<TokenAnswer, 'accessToken' | 'refreshToken'>> & { readonly refreshToken?: string | undefined } = {},
): TokenAnswer {
  const { refreshToken, ...others } = members
  return present<TokenAnswer>({
    accessToken: Secret.of('next access'),
    tokenType: 'Bearer',
    scope: undefined,
    lifetime: 3_600_000,
    refreshToken: refreshToken === undefined ? undefined : Secret.of(refreshToken),
    idToken: undefined,
    idTokenClaims: undefined,
    authorizationDetails: undefined,
    serverTime: undefined,
    ...others,
  })
}
