import type { Client } from '../core/client.js'
import type { PendingRequest } from '../core/pending-request.js'
import type { Place } from '../core/place.js'
import { Secret, bare } from '../core/secret.js'
import type { SignOutResult } from '../core/session-contract.js'
import type { PendingRequests } from './pending-requests.js'
import { fresh } from './randomness.js'
import { leadsTo, stateOf } from './response-address.js'

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
