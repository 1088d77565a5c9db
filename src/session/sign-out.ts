import type { Client } from '../core/client.js'
import type { Place } from '../core/place.js'
import { type Secret, present } from '../core/secret.js'
import type { SignOutResult } from '../core/session-contract.js'
import type { TokenAnswer, TokenRecord } from '../core/token-record.js'

type Revocation = SignOutResult['refreshToken']
type Hint = 'refresh_token' | 'access_token'

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

/** Sends the user to the authorization server to end the session there too (OpenID Connect RP-Initiated Logout 1.0 section 2). */
export async function endAtServer(
  client: Client,
  place: Place | undefined,
  idToken: Secret | undefined,
  returnTo: string | undefined,
): Promise<SignOutResult['authorizationServer']> {
  if (place?.address() === undefined) return 'not_supported'
  try {
    const { endSessionUrl } = await import('../protocol/end-session.js')
    const url = await endSessionUrl(client, present<Parameters<typeof endSessionUrl>[1]>({ idToken, returnTo, state: undefined }))
    if (url === undefined) return 'not_supported'
    place.navigate(url)
    return 'ended'
  } catch {
    return 'failed'
  }
}
