import type { Client } from '../core/client.js'
import type { PendingRequest } from '../core/pending-request.js'
import type { Place } from '../core/place.js'
import { Secret, bare } from '../core/secret.js'
import type { SignOutResult } from '../core/session-contract.js'
import type { TokenAnswer, TokenRecord } from '../core/token-record.js'
import type { PendingRequests } from './pending-requests.js'
import { fresh } from './randomness.js'
import { leadsTo, stateOf } from './response-address.js'

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

export interface EndOfSession {
  readonly client: Client
  readonly place: Place | undefined
  readonly pending: PendingRequests
  /** The key of the session. */
  readonly owner: string
  readonly idToken: Secret | undefined
  /** Where the authorization server sends the user afterwards; it has to know the address. */
  readonly returnTo: string | undefined
}

/**
 * Sends the user to the authorization server to end the session there too (OpenID Connect RP-Initiated Logout 1.0 section 2).
 * Who is to come back brings a `state`, by which the page knows its own return from an address that anybody can write.
 */
export async function endAtServer({
  client,
  place,
  pending,
  owner,
  idToken,
  returnTo,
}: EndOfSession): Promise<SignOutResult['authorizationServer']> {
  if (place?.address() === undefined) return 'not_supported'
  try {
    const { endSessionUrl } = await import('../protocol/end-session.js')
    const state = returnTo === undefined ? undefined : fresh(client.webCrypto)
    const url = await endSessionUrl(client, { idToken, returnTo, state })
    if (url === undefined) return 'not_supported'
    if (returnTo !== undefined && state !== undefined) await pending.add(returnRequest(client, owner, returnTo, state))
    place.navigate(url)
    return 'ended'
  } catch {
    return 'failed'
  }
}

function returnRequest(client: Client, owner: string, redirectUri: string, state: string): PendingRequest {
  return bare<PendingRequest>({
    state: Secret.of(state),
    codeVerifier: Secret.of(fresh(client.webCrypto)),
    issuer: client.server.issuer,
    clientId: client.clientId,
    owner,
    redirectUri,
    scope: [],
    resource: [],
    endsSession: true,
    createdAt: client.clock.now(),
  })
}

/** Whether the page's address is the return from such an end, of this session; then its `state` is used up and leaves the address. */
export async function cameBackSignedOut({ place, pending, owner }: Pick<EndOfSession, 'place' | 'pending' | 'owner'>): Promise<boolean> {
  const address = place?.address()
  const state = address === undefined ? undefined : stateOf(address)
  if (place === undefined || address === undefined || state === undefined || address.searchParams.has('code')) return false
  const found = await pending.find(state)
  if (found?.endsSession !== true || found.owner !== owner || !leadsTo(found.redirectUri, address)) return false
  address.searchParams.delete('state')
  place.replaceAddress(address)
  await pending.take(state)
  return true
}
