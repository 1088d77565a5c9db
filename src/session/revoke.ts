import type { Client } from '../core/client.js'
import type { Secret } from '../core/secret.js'
import type { SignOutResult } from '../core/session-contract.js'
import type { TokenAnswer, TokenRecord } from '../core/token-record.js'

type Revocation = SignOutResult['refreshToken']
type Hint = 'refresh_token' | 'access_token'

export const nothingToRevoke: Pick<SignOutResult, 'refreshToken' | 'accessTokens'> = { refreshToken: 'absent', accessTokens: 'absent' }
/** Tokens may have been there, and nobody here can read them. */
export const notRevoked: typeof nothingToRevoke = { refreshToken: 'failed', accessTokens: 'failed' }

/** Takes back at the server what a session held: the refresh token first, for the server may take the rest along with it (RFC 7009 section 2.1). */
export async function revokeAll(client: Client, record: TokenRecord): Promise<Pick<SignOutResult, 'refreshToken' | 'accessTokens'>> {
  const refreshToken = record.refreshToken === undefined ? 'absent' : await revoked(client, record.refreshToken, 'refresh_token')
  const each = await Promise.all(record.accessTokens.map(({ text }) => revoked(client, text, 'access_token')))
  const worst = (['failed', 'not_supported', 'revoked'] as const).find((result) => each.includes(result))
  return { refreshToken, accessTokens: worst ?? 'absent' }
}

/** Takes back tokens that nobody can use any more: their session is gone. */
export async function revokeAnswer(client: Client, answer: TokenAnswer): Promise<void> {
  if (answer.refreshToken !== undefined) await revoked(client, answer.refreshToken, 'refresh_token')
  await revoked(client, answer.accessToken, 'access_token')
}

async function revoked(client: Client, token: Secret, hint: Hint): Promise<Revocation> {
  try {
    const { revoke } = await import('../protocol/revocation.js')
    return await revoke(client, token, hint)
  } catch {
    return 'failed'
  }
}
